"""Reading a new reservation from JSON or from the command line: every problem is named, unknown fields are refused."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email

from portal.domain import money
from portal.domain.card_numbers import has_card_number

LONGEST_TEXT = 200
LONGEST_STAY = timedelta(days=366)
LONGEST_AHEAD = timedelta(days=5 * 366)
"""Nobody books further ahead; a year like 2062 or 9999 is a slip."""

FIELDS = (
    *("room", "guest_name", "email", "phone", "check_in", "check_out"),
    *("adults", "children", "lines", "locale", "hold_hours", "send_link"),
)
LINE_FIELDS = ("label", "amount", "detail", "vat_percent")

_NO_LETTERS = ("Cc", "Cs", "Zl", "Zp")
"""Control characters, halves of characters, and separators of lines and paragraphs."""
_TURNS_TEXT = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Make the text after them read the other way round: on a page a sum or a name would show as another."""


class BadReservation(Exception):
    """What is wrong with each field: {field: sentence}."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in problems.items()))
        self.problems = problems


@dataclass(frozen=True)
class NewLine:
    """A price line; `amount` in minor units of the hotel's currency."""

    label: str
    amount: int
    detail: str = ""
    vat_percent: str | None = None


@dataclass(frozen=True)
class NewReservation:
    room: str
    guest_name: str
    email: str
    check_in: date
    check_out: date
    lines: tuple[NewLine, ...]
    phone: str = ""
    adults: int = 1
    children: int = 0
    locale: str = ""
    hold_hours: int = 24
    send_link: bool = False
    """E-mail the private link to the guest."""

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)


def read(data: Any, *, currency: str, today: date) -> NewReservation:
    """The reservation in `data`; BadReservation names everything that is wrong with it. `today` is the hotel's date."""
    if not isinstance(data, dict):
        raise BadReservation({"reservation": "must be a JSON object"})
    reader = _Reader(data)
    check_in, check_out = reader.day("check_in"), reader.day("check_out")
    new = NewReservation(
        room=reader.text("room", required=True),
        guest_name=reader.text("guest_name", required=True),
        email=reader.email(),
        check_in=check_in,
        check_out=check_out,
        lines=reader.lines(),
        phone=reader.text("phone"),
        adults=reader.number("adults", 1, 1, 50),
        children=reader.number("children", 0, 0, 50),
        locale=reader.locale(),
        hold_hours=reader.number("hold_hours", 24, 1, 24 * 60),
        send_link=reader.flag("send_link"),
    )
    problems = {**_problems_together(new, currency, today, reader.problems), **reader.problems}
    if problems:
        raise BadReservation(problems)
    return new


def _problems_together(new: NewReservation, currency: str, today: date, known: dict[str, str]) -> dict[str, str]:
    """What is wrong with values that can be read, `known` names the others."""
    problems = {}
    if "check_in" not in known and new.check_in < today:
        problems["check_in"] = "is in the past"
    elif "check_in" not in known and new.check_in > today + LONGEST_AHEAD:
        problems["check_in"] = "is more than five years ahead"
    if not {"check_in", "check_out"} & set(known):
        if new.check_out <= new.check_in:
            problems["check_out"] = "must be after check_in"
        elif new.check_out - new.check_in > LONGEST_STAY:
            problems["check_out"] = "is more than a year after check_in"
    if not any(name.startswith("lines") for name in known) and not money.may_be_charged(new.total, currency):
        least = money.STRIPE_MINIMUM[currency]
        problems["lines"] = (
            f"add up to {new.total}; the total must be 0 or {least} to {money.STRIPE_MAXIMUM} (minor units)"
        )
    return problems


class _Reader:
    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.problems: dict[str, str] = {name: "is not a known field" for name in map(str, data) if name not in FIELDS}

    def text(self, name: str, *, required: bool = False) -> str:
        value = self.data.get(name, "")
        problem = text_problem(value)
        if problem is None and required and not value.strip():
            problem = "is missing"
        if problem:
            self.problems[name] = problem
            return ""
        return str(value).strip()

    def email(self) -> str:
        value = self.text("email", required=True)
        if "email" in self.problems:
            return ""
        try:
            return validate_email(value, check_deliverability=False, test_environment=True).normalized
        except EmailNotValidError:
            self.problems["email"] = "is not an e-mail address"
            return ""

    def day(self, name: str) -> date:
        value = self.data.get(name)
        try:
            # The library also reads 2026-W51-5.
            if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        self.problems[name] = "must be a date like 2026-12-18"
        return date.min

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.data.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.problems[name] = f"must be a whole number from {least} to {most}"
        return default

    def locale(self) -> str:
        value = self.text("locale")
        if value and not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", value):
            self.problems["locale"] = "must be a language, such as en or pt-PT"
        return value

    def flag(self, name: str) -> bool:
        value = self.data.get(name, False)
        if not isinstance(value, bool):
            self.problems[name] = "must be true or false"
        return value is True

    def lines(self) -> tuple[NewLine, ...]:
        value = self.data.get("lines")
        if not isinstance(value, list) or not 1 <= len(value) <= 50:
            self.problems["lines"] = "must be a list of 1 to 50 price lines"
            return ()
        return tuple(filter(None, (self._line(line, f"lines[{number}]") for number, line in enumerate(value))))

    def _line(self, line: Any, where: str) -> NewLine | None:
        problem = _line_problem(line)
        if problem:
            self.problems[where] = problem
            return None
        vat = line.get("vat_percent")
        return NewLine(
            line["label"].strip(), line["amount"], line.get("detail", "").strip(), None if vat is None else str(vat)
        )


def text_problem(value: Any) -> str | None:
    """Why a value is not a text that can be stored, shown and mailed; None when it is."""
    if not isinstance(value, str):
        return "must be a text"
    if len(value) > LONGEST_TEXT:
        return f"is longer than {LONGEST_TEXT} characters"
    if any(unicodedata.category(letter) in _NO_LETTERS or letter in _TURNS_TEXT for letter in value):
        return "has characters that cannot be printed"
    return "looks like the number of a card, which must not be kept here" if has_card_number(value) else None


def _line_problem(line: Any) -> str | None:
    if not isinstance(line, dict) or set(line) - set(LINE_FIELDS):
        return f"must be an object with {', '.join(LINE_FIELDS)}"
    for name in ("label", "detail"):
        if problem := text_problem(line.get(name, "")):
            return f"{name} {problem}"
    if not line.get("label", "").strip():
        return "label is missing"
    amount, vat = line.get("amount"), line.get("vat_percent")
    if not isinstance(amount, int) or isinstance(amount, bool) or abs(amount) > money.STRIPE_MAXIMUM:
        return "amount must be a whole number of minor units"
    if vat is not None and not _is_percent(str(vat)):
        return "vat_percent must be a number from 0 to 100, such as 6 or 5.5"
    return None


def _is_percent(text: str) -> bool:
    whole, _, part = text.partition(".")
    digits = whole + part
    return text.isascii() and digits.isdigit() and bool(whole) and len(part) <= 3 and float(text) <= 100
