"""No secret, token, e-mail or name in any log line of any test: every line is looked at as it was meant, before the net
of portal/redaction.py has touched it. Of processes only the line after the net can be read; there, that the net had
anything to remove is the leak."""

import logging
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from portal import logs
from portal.models import Reservation, Staff
from portal.redaction import REMOVED

_SHAPES = re.compile(
    r"""(?P<an_email>[\w.+-]+@\w[\w-]*\.\w[\w.-]*)
    |(?P<a_password_in_an_address>://[^/\s@"']*:[^/\s@"']*@)
    |(?P<a_key>\b(?:[sr]k_(?:test|live)_|whsec_)\w+)
    |(?P<a_token>\bportal_[\w-]{16,}|\bBearer\s+[\w.~+/-]{8,})
    |(?P<a_link>/(?:l|reset)/(?!<)[\w.-]+|\bWyI[\w-]{8,}\.)
    |(?P<a_signed_value>(?<![\w.-])[\w-]{8,}\.[\w-]{6}\.[\w-]{27,}(?![\w-]))
    |(?P<a_secret_of_the_tests>0123456789abcdef0123456789abcdef|pear[ ]tree[ ]in|lemons[ ]by[ ]the|of_the_tests)
    |(?P<a_card>(?<![\w.])(?:4[0-9]{3}|5[1-5][0-9]{2})(?:[ -]?[0-9]{4}){3}(?![\w.]))
    |(?P<a_name>Carvalho|carvalho|Inês|In\\u00eas|912[ ]?345[ ]?678)""",
    re.VERBOSE,
)
"""What must not be written, whoever it belongs to."""

_SHORTEST_NAME = 5
_QUIET = ("debug", "info", "warning")

lines: list[str] = []
"""What was to be written since the last look."""

people: set[str] = set()
"""Names and addresses of everybody who was in a database since the last look."""

files: set[Path] = set()
"""What processes write, each its own."""

_net = logs.clean_event


def install() -> None:
    """From now on, whatever form logs are given in this process."""
    logs.clean_event = _watched  # type: ignore[attr-defined]
    logging.getLogger().addHandler(_Listener(logging.WARNING))  # the level of libraries in production


class _Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        lines.append(f"{record.name}: {record.getMessage()}")


def _watched(logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
    lines.append(" ".join(f"{name}={value!s}" for name, value in event.items()))
    return _net(logger, method, event)


def be_quiet() -> None:
    """Log as in production, which writes from INFO up, and show errors alone."""
    logs.configure("console")
    processors = structlog.get_config()["processors"]
    structlog.configure(processors=[*processors[:-1], _errors_only, processors[-1]])


def _errors_only(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if event.get("level") in _QUIET:
        raise structlog.DropEvent
    return event


def remember_people() -> None:
    """Everybody in the present database, whose names no line may hold."""
    for row in Reservation.select(Reservation.guest_name, Reservation.email, Reservation.phone).limit(500).tuples():
        people.update(row)
    for row in Staff.select(Staff.name, Staff.email).tuples():
        people.update(row)


def forget() -> None:
    lines.clear()
    people.clear()


def look() -> list[str]:
    """What should not have been written since the last look, each with its line."""
    names = [re.escape(name) for name in people if len(name) >= _SHORTEST_NAME]
    anybody = re.compile(r"(?<!\w)(?:" + "|".join(names) + r")(?!\w)") if names else None
    found = [told for line in lines if (told := leak_in(line, anybody))]
    forget()
    return found


def leak_in(line: str, anybody: re.Pattern[str] | None = None) -> str:
    """What is wrong with the line; empty if nothing."""
    shape = _SHAPES.search(line)
    if shape:
        return f"{shape.lastgroup} ({shape[0]}) in: {line[:1000]}"
    person = anybody.search(line) if anybody else None
    return f"somebody ({person[0]}) in: {line[:1000]}" if person else ""


def leaks_of_processes() -> list[str]:
    return [told for file in sorted(files) if file.exists() for told in leaks_of(file)]


def leaks_of(file: Path) -> list[str]:
    """Each line of a process that is wrong after the net, or that the net had to mend."""
    found = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        told = leak_in(line) or (f"the net removed something in: {line[:1000]}" if REMOVED in line else "")
        found += [f"{file.name}: {told}"] if told else []
    return found
