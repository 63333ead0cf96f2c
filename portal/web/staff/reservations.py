"""Reservations: the list, and one of them."""

from datetime import date

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.models import Reservation
from portal.services import money_states, reservation_lists, staff_reservation_pages
from portal.services.listing import Listing
from portal.services.reservation_lists import Found, ListedStay, Wanted
from portal.web import context
from portal.web.context import get_deps
from portal.web.staff import access, actions, refunds
from portal.web.staff.blueprint import staff

_ORDERS = ("arrival", "-arrival", "changed", "-changed")
_MOST_LETTERS = 200


@staff.get("/reservations")
@access.needs(access.RECEPTION)
def reservations() -> Response | str:
    """A code in the search field goes straight to its reservation."""
    asked = request.args.to_dict()
    typed = _printable(asked.get("q", ""))
    found = reservation_lists.find_by_code(typed)
    if found is not None:
        return redirect(url_for("staff.reservation", code=found.code), 303)
    days, problems = _read_days(asked)
    wanted = Wanted(
        view=_one_of(reservation_lists.VIEWS, asked.get("view")) or "all",
        today=context.today(),
        first=days.get("from"),
        last=days.get("to"),
        words=reservation_lists.typed_words(typed),
        sort=_one_of(_ORDERS, asked.get("sort")) or "",
    )
    listing: Listing[ListedStay] | Found | None
    if typed and not wanted.words:
        listing, problems["q"] = None, _("Type at least two letters or digits of a word.")
    elif wanted.words:
        listing = reservation_lists.search(wanted)
    else:
        listing = reservation_lists.list_reservations(wanted, after=asked.get("after"))
    return render_template(
        "staff/reservations.html",
        listing=listing,
        lines=_with_money(listing.rows) if listing else [],
        wanted=wanted,
        typed=typed,
        days={name: _printable(asked.get(name, "")) for name in ("from", "to")},
        problems=problems,
    )


def _with_money(stays: list[ListedStay]) -> list[tuple[ListedStay, str]]:
    words = money_states.money_words(stays)
    return [(stay, words[stay.id]) for stay in stays]


def _printable(typed: str) -> str:
    """To search for and to show again, without what no page may hold."""
    typed = " ".join(typed[:_MOST_LETTERS].split())
    return "".join(letter for letter in typed if letter.isprintable())


def _one_of(words: tuple[str, ...], asked: str | None) -> str | None:
    return asked if asked in words else None


def _read_days(asked: dict[str, str]) -> tuple[dict[str, date], dict[str, str]]:
    """The days of arrival, and what is wrong with those that were left out."""
    days: dict[str, date] = {}
    problems: dict[str, str] = {}
    for name in ("from", "to"):
        typed = asked.get(name, "").strip()
        try:
            if typed:
                days[name] = date.fromisoformat(typed)
        except ValueError:
            problems[name] = _("This is no date. Write it like 2026-11-23.")
    if len(days) == 2 and days["from"] > days["to"]:
        problems["to"] = _("This is before the first day, so the days were left out.")
        days = {}
    return days, problems


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
        refund_words=refunds.WORDS,
        word_of_refund=refunds.word_of(),
        note_problem=note_problem,
        note_typed=note_typed,
        actions=actions.available(found),
    )
