"""Logs: events with ids, states and sums as fields; no secret, token, e-mail or name."""

import logging
import sys
import traceback
from typing import Any

import structlog
from peewee import PeeweeException


def configure(log_format: str, *, only_errors: bool = False) -> None:
    """One line an event on standard error: JSON for machines, or readable."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
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
            structlog.processors.format_exc_info if log_format == "json" else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if only_errors else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


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
