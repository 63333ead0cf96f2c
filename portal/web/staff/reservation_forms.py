"""The form of a stay: what staff type, read by the same rules as JSON and commands, and what is wrong in words."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_decimal_symbol
from flask import request
from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, Form, HiddenField, SelectField, StringField
from wtforms.fields import SelectChoice

from portal.domain import hotel_time, money
from portal.models import Hotel, Reservation, Room
from portal.services import new_reservation, reservation_editing
from portal.services.new_reservation import BadReservation, NewLine, NewReservation
from portal.web import languages
from portal.web.staff.account_forms import one_line
from portal.web.template_helpers import money as show_money

FEWEST_LINES, MOST_LINES, MORE_LINES = 5, 50, 5
LINE_FIELDS = ("label", "amount", "detail", "vat_percent")
NUMBERS = ("adults", "children", "hold_hours")
LONGEST_NUMBER = 6


class LineForm(Form):  # type: ignore[misc]
    """One line of the price; a row in which nothing is typed is no line."""

    label = StringField(lazy_gettext("Text"), filters=[one_line])
    amount = StringField(lazy_gettext("Amount"), filters=[one_line])
    detail = StringField(lazy_gettext("Detail"), filters=[one_line])
    vat_percent = StringField(lazy_gettext("VAT percent"), filters=[one_line])

    @property
    def is_empty(self) -> bool:
        return not any(self[name].data for name in LINE_FIELDS)


class StayForm(FlaskForm):  # type: ignore[misc]
    """What a new stay and one that is changed have in common. Nothing is checked here: `read` does."""

    class Meta:
        csrf = False  # every POST is checked before its view

    room = SelectField(lazy_gettext("Room"), validate_choice=False)
    check_in = StringField(lazy_gettext("Check-in"), filters=[one_line])
    check_out = StringField(lazy_gettext("Check-out"), filters=[one_line])
    adults = StringField(lazy_gettext("Adults"), filters=[one_line])
    children = StringField(lazy_gettext("Children"), filters=[one_line])
    guest_name = StringField(lazy_gettext("Guest's name"), filters=[one_line])
    email = EmailField(lazy_gettext("E-mail"), filters=[one_line])
    phone = StringField(lazy_gettext("Phone (may stay empty)"), filters=[one_line])
    locale = SelectField(
        lazy_gettext("Language"),
        validate_choice=False,
        description=lazy_gettext("Of the guest's pages and e-mails."),
    )


class NewStayForm(StayForm):
    hold_hours = StringField(
        lazy_gettext("Hold the room for how many hours"),
        filters=[one_line],
        description=lazy_gettext("A stay that is not paid by then gives its nights back."),
    )
    send_link = BooleanField(lazy_gettext("Send the private link by e-mail"))


class EditForm(StayForm):
    hold_until = StringField(lazy_gettext("Held until"), filters=[one_line])
    seen = HiddenField(filters=[one_line])


# Showing --------------------------------------------------------------------------------------------------------------


def fill_choices(form: StayForm, hotel: Hotel, *, room: str = "", locale: str = "") -> None:
    """Rooms with their size, and languages by their name; also those that the stay has now."""
    rooms = list(Room.select().order_by(Room.name))
    known = [SelectChoice(r.name, _("%(room)s (%(num)s guests)", room=r.name, num=r.capacity)) for r in rooms]
    form.room.choices = known if room else [SelectChoice("", _("Choose a room")), *known]
    form.locale.choices = [SelectChoice(*pair) for pair in languages.offered(locale, hotel.locale)]


def prefilled(asked: Any, hotel: Hotel, *, mail_is_on: bool) -> NewStayForm:
    """An empty form, with what the address names of `room` (its name or number), `check_in` and `check_out`."""
    typed = {name: one_line(asked.get(name, ""))[:200] for name in ("check_in", "check_out", "room")}
    number = int(typed["room"]) if re.fullmatch(r"[0-9]{1,9}", typed["room"]) else 0
    found = Room.get_or_none(Room.name == typed["room"]) or Room.get_or_none(Room.id == number)
    return NewStayForm(
        formdata=None,
        data={
            **{name: typed[name] for name in ("check_in", "check_out") if _read_day(typed[name])},
            "room": found.name if found else "",
            "adults": "2",
            "children": "0",
            "hold_hours": "24",
            "locale": hotel.locale,
            "send_link": mail_is_on,
        },
    )


def of_reservation(reservation: Reservation, hotel: Hotel) -> EditForm:
    """The form as the stay is now."""
    return EditForm(formdata=None, data=stored(reservation, hotel))


def stored(reservation: Reservation, hotel: Hotel) -> dict[str, str]:
    """What the fields of an untouched form hold."""
    names = ("guest_name", "email", "phone", "locale", "adults", "children", "check_in", "check_out")
    return {
        **{name: str(getattr(reservation, name)) for name in names},
        "room": reservation.room.name,
        "hold_until": show_local(reservation.hold_until, hotel.timezone),
        "seen": reservation_editing.version_of(reservation),
    }


def lines_of(reservation: Reservation) -> list[LineForm]:
    """Its price, and some rows to add to it."""
    lines = reservation_editing.lines_of(reservation)
    rows = [_line_form(n, None, _shown(line, reservation.currency)) for n, line in enumerate(lines)]
    return rows + blank_lines(len(rows), max(FEWEST_LINES, len(rows) + 2))


def complete(form: EditForm, lines: list[LineForm], reservation: Reservation, hotel: Hotel) -> list[LineForm]:
    """Give the fields that were not sent, because the page did not have them, what the stay has; the rows to show."""
    for name, value in stored(reservation, hotel).items():
        if name not in request.form:
            form[name].data = value
    return lines if any(name.startswith("lines-") for name in request.form) else lines_of(reservation)


def blank_lines(first: int = 0, rows: int = FEWEST_LINES) -> list[LineForm]:
    return [_line_form(n, None, {}) for n in range(first, min(rows, MOST_LINES))]


def posted_lines(*, more: int = 0) -> list[LineForm]:
    """As many rows as were sent, and `more` that are empty."""
    rows = request.form.get("rows", "")
    named = [n + 1 for n in range(MOST_LINES) if any(f"lines-{n}-{name}" in request.form for name in LINE_FIELDS)]
    asked = int(rows) if re.fullmatch(r"[0-9]{1,3}", rows) else 0
    count = max(FEWEST_LINES, asked, *named)
    return [_line_form(n, request.form, {}) for n in range(min(count + more, MOST_LINES))]


def _line_form(number: int, typed: Any, data: dict[str, str]) -> LineForm:
    return LineForm(typed, data=data, prefix=f"lines-{number}")


def _shown(line: NewLine, currency: str) -> dict[str, str]:
    digits = money.exponent(currency)
    amount = f"{Decimal(line.amount).scaleb(-digits):.{digits}f}"
    return {
        "label": line.label,
        "amount": amount.replace(".", "," if get_decimal_symbol(get_locale()) == "," else "."),
        "detail": line.detail,
        "vat_percent": line.vat_percent or "",
    }


def show_local(instant: datetime, zone: str) -> str:
    """As a field for date and time holds it, by the hotel's clock."""
    return instant.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


# Reading --------------------------------------------------------------------------------------------------------------


def read(
    form: StayForm, lines: list[LineForm], *, currency: str, today: date, unless_sent: dict[str, Any] | None = None
) -> NewReservation:
    """What was typed. `unless_sent`: what holds for fields that were not sent at all, of a stay that exists.

    BadReservation names the fields of the form: lines[2] is the third row, whichever rows are empty."""
    names = [name for name in new_reservation.FIELDS if name in form and name != "send_link"]
    data: dict[str, Any] = {name: form[name].data or "" for name in names if name in request.form}
    data |= {name: _read_number(data[name]) for name in NUMBERS if name in data}
    if "send_link" in form:
        data["send_link"] = form["send_link"].data is True
    filled = [number for number, row in enumerate(lines) if not row.is_empty]
    if unless_sent is None or any(name.startswith("lines-") for name in request.form):
        data["lines"] = [_read_line(lines[number], currency) for number in filled]
    try:
        if "locale" in data and data["locale"] not in [choice.value for choice in form.locale.choices]:
            raise BadReservation({"locale": "is not one of the languages"})
        return new_reservation.read({**(unless_sent or {}), **data}, currency=currency, today=today)
    except BadReservation as bad:
        raise BadReservation({_row_of(name, filled): words for name, words in bad.problems.items()}) from None


def as_data(reservation: Reservation) -> dict[str, Any]:
    """A stay as JSON would have it: for fields that a form did not send."""
    names = ("guest_name", "email", "phone", "locale", "adults", "children")
    lines = reservation_editing.lines_of(reservation)
    return {
        **{name: getattr(reservation, name) for name in names},
        "room": reservation.room.name,
        "check_in": reservation.check_in.isoformat(),
        "check_out": reservation.check_out.isoformat(),
        "lines": [
            {name: getattr(line, name) for name in LINE_FIELDS if getattr(line, name) is not None} for line in lines
        ],
    }


def read_hold(form: EditForm, reservation: Reservation, zone: str) -> datetime:
    """The end of the hold as an instant; untouched, it is the very instant that it was. BadReservation."""
    typed = form.hold_until.data or ""
    if "hold_until" not in request.form or typed == show_local(reservation.hold_until, zone):
        unchanged: datetime = reservation.hold_until
        return unchanged
    try:
        if re.fullmatch(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", typed):
            local = datetime.fromisoformat(typed)
            return hotel_time.hotel_instant(local.date(), local.time(), zone)
    except ValueError:
        pass
    raise BadReservation({"hold_until": "must be a date and a time"})


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None


def _read_number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else text


def _read_line(row: LineForm, currency: str) -> dict[str, Any]:
    vat = (row.vat_percent.data or "").replace(",", ".").removesuffix("%").strip()
    return {
        "label": row.label.data or "",
        "detail": row.detail.data or "",
        "amount": _read_amount(row.amount.data or "", currency),
        **({"vat_percent": vat} if vat else {}),
    }


def _read_amount(text: str, currency: str) -> int | str:
    """Minor units; a discount has a minus before it."""
    less = text.startswith(("-", "−"))
    amount = money.read_sum(text[1:] if less else text, currency)
    if amount is None:
        return text
    return -amount if less else amount


def _row_of(name: str, filled: list[int]) -> str:
    """lines[1] of those that were read, as the row of the form that it stood in."""
    found = re.fullmatch(r"lines\[([0-9]+)\]", name)
    return f"lines[{filled[int(found[1])]}]" if found else name


# What is wrong --------------------------------------------------------------------------------------------------------

_WORDS: tuple[tuple[str, Callable[..., Any]], ...] = (
    (r"is missing", lambda: _("Fill this in.")),
    (r"is longer than (\d+) characters", lambda most: _("Use at most %(num)s letters.", num=most)),
    (r"has characters that cannot be printed", lambda: _("This holds characters that cannot be shown.")),
    (r"is not an e-mail address", lambda: _("This is not an e-mail address. Check it, letter by letter.")),
    (r"must be a date like .*", lambda: _("Choose a day.")),
    (r"must be a date and a time", lambda: _("Choose a day and a time.")),
    (
        r"must be a whole number from (\d+) to (\d+)",
        lambda least, most: _("Type a whole number from %(least)s to %(most)s.", least=least, most=most),
    ),
    (r"is in the past", lambda: _("This day has passed.")),
    (r"is more than five years ahead", lambda: _("This is more than five years ahead.")),
    (r"must be after check_in", lambda: _("Check-out has to be after check-in.")),
    (r"is more than a year after check_in", lambda: _("A stay is at most a year long.")),
    (r"there is no room called .*", lambda: _("Choose a room.")),
    (
        r"(.*) takes at most (\d+) guests",
        lambda room, most: _("%(room)s takes at most %(num)s guests.", room=room, num=most),
    ),
    (r".* is not free for all of these nights", lambda: _("The room is not free for all of these nights.")),
    (r"is not one of the languages", lambda: _("Choose a language.")),
    (r"must be a list of .*", lambda: _("Type at least one line, with its text and its amount.")),
    (r"label is missing", lambda: _("Say what the guest pays for.")),
    (
        r"vat_percent must be .*",
        lambda: _("Type a percentage from 0 to 100, such as 6 or 5.5, or leave it empty."),
    ),
    # Of a hold
    (r"past", lambda: _("That time has passed already.")),
    (r"too late", lambda: _("That is after the stay.")),
    (r"payment live", lambda: _("The guest's payment page is open for longer than that.")),
    (r"not pending", lambda: _("The stay does not wait for money, so it has no hold.")),
)


def show_problems(form: StayForm, lines: list[LineForm], bad: BadReservation, currency: str) -> None:
    """Put what is wrong to the fields that it is about, in words."""
    for name, problem in bad.problems.items():
        field = _field_of(form, lines, name, problem)
        field.errors = [_in_words(problem, currency)]


def _field_of(form: StayForm, lines: list[LineForm], name: str, problem: str) -> Any:
    row = re.fullmatch(r"lines\[([0-9]+)\]", name)
    if row:
        part = problem.split(" ", 1)[0]
        return lines[int(row[1])][part if part in LINE_FIELDS else "label"]
    if name == "lines":
        return lines[0]["amount" if problem.startswith("add up to") else "label"]
    return form[name if name in form else "guest_name"]


def _in_words(problem: str, currency: str) -> str:
    """The sentence that a program would get, as a person reads it."""
    if problem.startswith("amount must be"):
        example = show_money(37_500, currency)
        return str(_("Type a sum such as %(sum)s, without a sign between the thousands.", sum=example))
    if problem.startswith("add up to"):
        least, most = money.STRIPE_MINIMUM[currency], money.STRIPE_MAXIMUM
        bounds = {"least": show_money(least, currency), "most": show_money(most, currency)}
        return str(_("All lines together have to come to nothing, or from %(least)s to %(most)s.", **bounds))
    bare = re.sub(r"^(label|detail) (?!is missing)", "", problem)
    for pattern, words in _WORDS:
        if found := re.fullmatch(pattern, bare):
            return str(words(*found.groups()))
    return str(_("This cannot be used."))


def problems_of(form: StayForm, lines: Iterable[LineForm]) -> list[tuple[str, str]]:
    """Each field's id and what is wrong with it, for the top of the page."""
    found = [(field.id, f"{field.label.text}: {field.errors[0]}") for field in form if field.errors]
    for number, row in enumerate(lines, 1):
        where = _("Price line %(number)s", number=number)
        found += [(field.id, f"{where}, {field.label.text}: {field.errors[0]}") for field in row if field.errors]
    return found
