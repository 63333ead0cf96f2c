"""Reservations: the list, and one of them."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.models import Reservation
from portal.services import reservation_lists, staff_reservation_pages
from portal.services import reservations as stays
from portal.web.context import get_deps
from portal.web.staff import access, actions
from portal.web.staff.blueprint import staff


@staff.get("/reservations")
@access.needs(access.RECEPTION)
def reservations() -> Response | str:
    """A code in the search field goes straight to its reservation."""
    typed = request.args.get("code", "")
    found = reservation_lists.find_by_code(typed)
    if found is not None:
        return redirect(url_for("staff.reservation", code=found.code), 303)
    if typed:
        flash(_("There is no reservation with that code."), "bad")
    view = request.args.get("view", "")
    view = view if view in reservation_lists.VIEWS else "coming"
    listing = reservation_lists.list_reservations(
        view, today=stays.today_at_hotel(get_deps()), after=request.args.get("after")
    )
    return render_template("staff/reservations.html", listing=listing, view=view)


@staff.get("/reservations/<code>")
@access.needs(access.RECEPTION)
def reservation(code: str) -> str:
    """The stay, its money, its log and its mails."""
    found = reservation_lists.find_by_code(code)
    if found is None:
        abort(404)
    return reservation_page(found)


def reservation_page(found: Reservation, *, note_problem: str = "", note_typed: str = "") -> str:
    """The page; with what is wrong with a note that somebody typed on it."""
    page = staff_reservation_pages.read_reservation(get_deps(), found)
    return render_template(
        "staff/reservation.html",
        page=page,
        stay=page.stay,
        reservation=found,
        note_problem=note_problem,
        note_typed=note_typed,
        actions=actions.available(found),
    )
