"""Adding a reservation at the desk, and changing one: the views of both forms."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.models import Hotel, Reservation, Room
from portal.services import money_states, nights, reservation_editing, reservation_lists
from portal.services import reservations as stays
from portal.services.new_reservation import BadReservation, NewReservation
from portal.services.nights import Clash
from portal.services.reservation_editing import NotEdited, Saved
from portal.services.reservations import NightsTaken
from portal.web import context
from portal.web.context import get_deps, get_hotel
from portal.web.staff import access
from portal.web.staff import reservation_forms as forms
from portal.web.staff.blueprint import staff
from portal.web.staff.reservation_forms import EditForm, LineForm, NewStayForm
from portal.web.template_helpers import moment
from portal.web.template_helpers import money as show_money

Answer = Response | str | tuple[str, int]
BAD, CONFLICT = 400, 409

# A new one ------------------------------------------------------------------------------------------------------------


@staff.get("/reservations/new")
@access.needs(access.RECEPTION)
def new_reservation() -> str:
    """`room`, `check_in` and `check_out` in the address fill their fields."""
    form = forms.prefilled(request.args, get_hotel(), mail_is_on=get_deps().mail.is_on)
    return _new_page(form, forms.blank_lines())


@staff.post("/reservations/new")
@access.needs(access.RECEPTION)
def add_reservation() -> Answer:
    """303 to its page; 409 when somebody has the room, with everything that was typed."""
    deps, hotel = get_deps(), get_hotel()
    form, lines = NewStayForm(), forms.posted_lines()
    forms.fill_choices(form, hotel)
    if "more" in request.form:
        return _new_page(form, forms.posted_lines(more=forms.MORE_LINES))
    try:
        wanted = forms.read(form, lines, currency=hotel.currency, today=context.today())
        made = stays.add_reservation(deps, wanted, actor=access.actor())
    except NightsTaken as taken:
        return _new_page(form, lines, clashes=_clashes(taken.room, wanted), twice=_made_before(wanted)), CONFLICT
    except BadReservation as bad:
        forms.show_problems(form, lines, bad, hotel.currency)
        return _new_page(form, lines), BAD
    flash(_added_words(made, wanted, hotel), "good")
    return redirect(url_for("staff.reservation", code=made.code), 303)


def _new_page(
    form: NewStayForm, lines: list[LineForm], *, clashes: list[Clash] | None = None, twice: Reservation | None = None
) -> str:
    forms.fill_choices(form, get_hotel())
    return render_template(
        "staff/new_reservation.html",
        form=form,
        lines=lines,
        most_lines=forms.MOST_LINES,
        problems=forms.problems_of(form, lines),
        clashes=clashes or [],
        twice=twice,
        today=context.today(),
        mail_is_on=get_deps().mail.is_on,
    )


def _made_before(wanted: NewReservation) -> Reservation | None:
    """The same stay of the same guest: the form was sent twice."""
    found: Reservation | None = (
        Reservation.select()
        .join(Room)
        .where(
            (Room.name == wanted.room)
            & (Reservation.check_in == wanted.check_in)
            & (Reservation.check_out == wanted.check_out)
            & (Reservation.email == wanted.email)
            & (Reservation.status << ("pending", "confirmed"))
        )
        .first()
    )
    return found


def _added_words(made: Reservation, wanted: NewReservation, hotel: Hotel) -> str:
    until = moment(made.hold_until, hotel.timezone)
    words = [_("The reservation is added. The room is held until %(when)s.", when=until)]
    if not made.total:
        words.append(_("There is nothing to pay, so it is not confirmed by itself: confirm it when you are ready."))
    if wanted.send_link:
        mail_is_on = get_deps().mail.is_on
        words.append(
            _("The private link is on its way to the guest.")
            if mail_is_on
            else _("E-mail is switched off, so the private link was not sent.")
        )
    return " ".join(words)


# One that exists ------------------------------------------------------------------------------------------------------


@staff.get("/reservations/<code>/edit")
@access.needs(access.RECEPTION)
def edit_reservation(code: str) -> str:
    found = _find(code)
    return _edit_page(found, forms.of_reservation(found, get_hotel()), forms.lines_of(found))


@staff.post("/reservations/<code>/edit")
@access.needs(access.RECEPTION)
def change_reservation(code: str) -> Answer:
    """303 to its page, which says what was done; 409 with everything that was typed when it cannot be so."""
    deps, hotel, found = get_deps(), get_hotel(), _find(code)
    form, lines = EditForm(), forms.posted_lines()
    forms.fill_choices(form, hotel, room=found.room.name, locale=found.locale)
    if "more" in request.form:
        return _edit_page(found, form, forms.posted_lines(more=forms.MORE_LINES))
    try:
        wanted = _read(form, lines, found)
        until = forms.read_hold(form, found, hotel.timezone)
        saved = reservation_editing.edit(
            deps, found.id, wanted, hold_until=until, seen=form.seen.data or "", actor=access.actor()
        )
    except NightsTaken as taken:
        clashes = _clashes(taken.room, wanted, but=found)
        return _edit_page(_find(code), form, lines, clashes=clashes), CONFLICT
    except NotEdited as refusal:
        now = _find(code)
        form.seen.data = reservation_editing.version_of(now)
        return _edit_page(now, form, lines, refusal=refusal), CONFLICT
    except BadReservation as bad:
        forms.show_problems(form, lines, bad, found.currency)
        return _edit_page(found, form, lines), BAD
    flash(_saved_words(saved, _find(code)), "good")
    return redirect(url_for("staff.reservation", code=found.code), 303)


def _read(form: EditForm, lines: list[LineForm], found: Reservation) -> NewReservation:
    """Of a stay that has begun, the day of its arrival may stay as it is."""
    return forms.read(
        form,
        lines,
        currency=found.currency,
        today=min(context.today(), found.check_in),
        unless_sent=forms.as_data(found),
    )


def _edit_page(
    found: Reservation,
    form: EditForm,
    lines: list[LineForm],
    *,
    clashes: list[Clash] | None = None,
    refusal: NotEdited | None = None,
) -> str:
    forms.fill_choices(form, get_hotel(), room=found.room.name, locale=found.locale)
    if request.method == "POST":
        lines = forms.complete(form, lines, found, get_hotel())
    return render_template(
        "staff/edit_reservation.html",
        reservation=found,
        form=form,
        lines=lines,
        stored_lines=reservation_editing.lines_of(found),
        most_lines=forms.MOST_LINES,
        problems=forms.problems_of(form, lines),
        clashes=clashes or [],
        refusal=refusal,
        over=reservation_editing.is_over(found),
        price_frozen=reservation_editing.is_price_frozen(found),
        money_word=money_states.money_words([found])[found.id],
    )


def _saved_words(saved: Saved, now: Reservation) -> str:
    if not saved.changed:
        return str(_("Nothing was changed."))
    words = [_("Saved.")]
    if saved.closed:
        words.append(_("The open payment page was closed; the guest was not charged."))
    if "lines" in saved.changed:
        words.append(_("The stay costs %(amount)s now.", amount=show_money(now.total, now.currency)))
    elif saved.changed & reservation_editing.NIGHTS and now.total:
        words.append(_("The price stays %(amount)s.", amount=show_money(now.total, now.currency)))
    if "email" in saved.changed:
        words.append(_("Links that were sent to the old address still work."))
    return " ".join(words)


# Both -----------------------------------------------------------------------------------------------------------------


def _find(code: str) -> Reservation:
    return reservation_lists.find_by_code(code) or abort(404)


def _clashes(room: Room, wanted: NewReservation, **more: Any) -> list[Clash]:
    return nights.find_clashes(room, wanted.check_in, wanted.check_out, **more)
