"""Logs: events with ids, states and sums as fields; no secret, token, e-mail or name. One door for everything that this
process writes: the portal's own events, Python's `logging` (gunicorn, libraries), warnings and uncaught faults."""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType, TracebackType
from typing import Any

import structlog
from peewee import PeeweeException
from pydantic_core import to_json

from portal.redaction import clean_event

log = structlog.get_logger()

_told = ContextVar[Mapping[str, Any]]("_told", default=MappingProxyType({}))
"""What each line of this piece of work tells besides. The mapping is never changed, only another one put in its place.
The library has such a thing too: a variable for each name, of which all that this thread ever had are gone through for
each line, and the lines of a message from Stripe were a tenth of its price."""


def begin(**facts: Any) -> None:
    """A request begins: from now on each line tells this, and nothing of what this thread did before."""
    _told.set(facts)


def add(**facts: Any) -> None:
    """From now on each line tells this as well."""
    _told.set({**_told.get(), **facts})


@contextmanager
def about(**facts: Any) -> Iterator[None]:
    """Each line of this block tells this as well, and what is added meanwhile."""
    before = _told.set({**_told.get(), **facts})
    try:
        yield
    finally:
        _told.reset(before)


def _tell_besides(_logger: Any, _method: str, event: Any) -> Any:
    """For structlog: what the line itself says goes first."""
    for name, value in _told.get().items():
        event.setdefault(name, value)
    return event


def _as_json(event: Any, **_: Any) -> str:
    """What a line holds by then are texts, numbers and lists of them: see `redaction`."""
    return to_json(event, ensure_ascii=True, inf_nan_mode="strings").decode()


_for_good = False


def configure(log_format: str, *, only_errors: bool = False, for_good: bool = False) -> None:
    """One line an event on standard error: JSON for machines, or readable. `for_good`: nobody in this process will want
    it otherwise, so each part of the portal makes its logger once and not for every line."""
    global _for_good  # noqa: PLW0603  # one process has one standard error
    _for_good = _for_good or for_good
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_as_json)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            _tell_besides,
            structlog.processors.format_exc_info,
            clean_event,
            structlog.processors.add_log_level,  # these two are our own words: nothing in them to clean
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if only_errors else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=_for_good,
    )


class Bridge(logging.Handler):
    """Hands what libraries write with Python's `logging` to the same door, in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None)
        except Exception:  # a line that cannot be written must not stop the work it tells of
            self.handleError(record)


def take_over_the_process() -> None:
    """For a process of our own (server, worker, command): warnings, libraries and uncaught faults are told through the
    same door. Libraries speak from WARNING up, so that none tells what it sends or gets."""
    root = logging.getLogger()
    root.handlers = [Bridge()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _tell_uncaught
    threading.excepthook = lambda told: _tell_uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def _tell_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None = None) -> None:
    if issubclass(kind, KeyboardInterrupt) or error is None:
        return
    log.critical("uncaught fault", **describe(error.with_traceback(trace)))


def describe(error: BaseException) -> dict[str, Any]:
    """For a log line: the kind of a fault and where it happened. A database's own words are left out: they quote the
    row with the guest's name in it."""
    original = getattr(error, "orig", None) or error.__cause__ or error
    if isinstance(error, PeeweeException):
        constraint = getattr(getattr(original, "diag", None), "constraint_name", None)
        state = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None)
        where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
        return {"error": type(error).__name__, "state": state, "constraint": constraint, "where": where}
    return {"error": type(error).__name__, "exc_info": error}
