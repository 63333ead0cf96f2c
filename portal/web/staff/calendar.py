"""The rooms by day: who sleeps where, what is free, and nights that are blocked."""

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from werkzeug.wrappers import Response
from wtforms import DateField, SelectField
from wtforms.validators import InputRequired

from portal.models import Reservation
from portal.services import blocked_nights, room_calendar
from portal.services.blocked_nights import BadNights, StaysInTheWay
from portal.services.new_reservation import LONGEST_AHEAD
from portal.web import context
from portal.web.context import get_deps
from portal.web.staff import access
from portal.web.staff.account_forms import AccountForm, one_line
from portal.web.staff.blueprint import staff

DAYS = 14
VIEWS = ("table", "list")

Answer = Response | str | tuple[str, int]


class _Night(DateField):  # type: ignore[misc]
    def _value(self) -> str:
        """A date field shows dates only; whatever else was sent goes back to nobody."""
        return self.data.isoformat() if self.data else ""


class BlockForm(AccountForm):
    room = SelectField(lazy_gettext("Room"), validate_choice=False, filters=[one_line])
    first = _Night(
        lazy_gettext("First night"),
        [InputRequired(lazy_gettext("Choose a date."))],
        description=lazy_gettext("The evening from which nobody sleeps there."),
    )
    last = _Night(
        lazy_gettext("Last night"),
        [InputRequired(lazy_gettext("Choose a date."))],
        description=lazy_gettext("Guests can arrive on the day after. The same date twice is one night."),
    )


@staff.get("/calendar")
@access.needs(access.RECEPTION)
def calendar() -> str:
    """`from` is the first day shown; without one that makes sense it begins yesterday, so that those who leave today
    are seen. `room`, `first` and `last` fill in the form."""
    return _page(BlockForm(request.args))


@staff.post("/calendar/block")
@access.needs(access.RECEPTION)
def block_nights() -> Answer:
    """303 to the days that were blocked; 400 for dates that make no sense; 409 when stays are in the way."""
    form = BlockForm()
    try:
        nights = _apply(blocked_nights.block, form)
    except StaysInTheWay as problem:
        return _page(form, form.first.data, in_the_way=problem.stays), 409
    if nights is None:
        return _page(form, form.first.data), 400
    room = form.room.data
    done = ngettext("Blocked %(num)s night of %(room)s.", "Blocked %(num)s nights of %(room)s.", nights, room=room)
    flash(done if nights else _("All of these nights were blocked already."), "good")
    return _back_to(form.first.data)


@staff.post("/calendar/unblock")
@access.needs(access.RECEPTION)
def unblock_nights() -> Answer:
    """303 to the days that are free again; 400 for dates that make no sense. Never touches a stay."""
    form = BlockForm()
    nights = _apply(blocked_nights.unblock, form)
    if nights is None:
        return _page(form, form.first.data), 400
    room = form.room.data
    done = ngettext(
        "%(num)s night of %(room)s is free again.", "%(num)s nights of %(room)s are free again.", nights, room=room
    )
    flash(done if nights else _("None of these nights was blocked. Nothing was changed."), "good" if nights else "bad")
    return _back_to(form.first.data)


def _apply(work: Callable[..., int], form: BlockForm) -> int | None:
    """How many nights it changed; None: the form says what is wrong with it."""
    if not form.validate():
        return None
    try:
        return work(get_deps(), form.room.data or "", form.first.data, form.last.data, actor=access.actor())
    except BadNights as bad:
        for name, words in bad.problems.items():
            form[name].errors = [_(words)]
        return None


def _page(form: BlockForm, night: date | None = None, *, in_the_way: Sequence[Reservation] = ()) -> str:
    today, first = context.today(), _first_day(night)
    shown = room_calendar.read_calendar(first, DAYS)
    form.room.choices = [row.room.name for row in shown.rooms]
    return render_template(
        "staff/calendar.html",
        calendar=shown,
        today=today,
        earlier=_near(first - timedelta(days=DAYS), today),
        later=_near(first + timedelta(days=DAYS), today),
        view=_view(),
        form=form,
        in_the_way=in_the_way,
    )


def _back_to(night: date) -> Response:
    query: dict[str, Any] = {"from": _first_day(night).isoformat(), "view": _view() if _view() != VIEWS[0] else None}
    return redirect(url_for("staff.calendar", **query), 303)


def _first_day(night: date | None = None) -> date:
    """The day to begin with: what was asked for, unless the night that this is about would not be seen then."""
    today = context.today()
    asked = _near(_read_day(request.values.get("from", "")), today) or today - timedelta(days=1)
    night = _near(night, today)
    return asked if night is None or 0 <= (night - asked).days < DAYS else night


def _near(day: date | None, today: date) -> date | None:
    """The day, unless it is years away from all that a hotel has to do with."""
    return day if day is not None and abs(day - today) <= LONGEST_AHEAD else None


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None


def _view() -> str:
    wanted: str = request.values.get("view", "")
    return wanted if wanted in VIEWS else VIEWS[0]
