"""Logs: events with ids, states and sums as fields; no secret, token, e-mail or name. One door for everything that this
process writes: the portal's own events, Python's `logging` (gunicorn, libraries), warnings and uncaught faults."""

import json
import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import structlog
from peewee import PeeweeException

from portal.redaction import clean_event

log = structlog.get_logger()


_encode = json.JSONEncoder().encode
"""Made once. What a line holds by then are texts, numbers and lists of them: see `redaction`."""


def _as_json(event: Any, **_: Any) -> str:
    return _encode(event)


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
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            clean_event,
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
