"""Cancel: the quote, then the one click, then what becomes of the refund."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.models import Reservation
from portal.services import cancel_pages, cancellations
from portal.services.cancellations import MayNotCancel, QuoteChanged
from portal.web.context import get_deps
from portal.web.guest import access
from portal.web.guest.blueprint import guest

REASONS = ("plans", "health", "mistake", "")
LARGEST_SUM = 12
"""Digits of a sum that a form may carry; more is not a sum of ours."""


@guest.get("/reservations/<code>/cancel")
def cancel_page(code: str) -> str:
    """The quote; of a cancelled stay, its refunds."""
    return _page(access.current_reservation(code))


@guest.post("/reservations/<code>/cancel")
def cancel(code: str) -> Response | tuple[str, int]:
    """Cancels for exactly the tier and the sum that were shown; if they changed, shows the new ones and asks again."""
    reservation = access.current_reservation(code)
    percent, due = _number("percent"), _number("due")
    reason = request.form.get("reason", "")
    try:
        cancellations.cancel(
            get_deps(),
            reservation.id,
            percent=percent,
            due=-1 if due is None else due,
            actor="guest",
            reason=reason if reason in REASONS else "",
        )
    except QuoteChanged:
        return _page(reservation, changed=True), 409
    except MayNotCancel as refusal:
        if refusal.why != "cancelled":
            return _page(reservation), 409
    return redirect(url_for("guest.cancel_page", code=reservation.code), 303)


def _page(reservation: Reservation, *, changed: bool = False) -> str:
    deps, reservation = get_deps(), Reservation.get_by_id(reservation.id)
    if reservation.status == "cancelled":
        page = cancel_pages.read_cancelled_page(deps, reservation)
        return render_template("guest/cancelled.html", stay=page.stay, page=page)
    quoted = cancel_pages.read_cancel_page(deps, reservation)
    return render_template("guest/cancel.html", stay=quoted.stay, page=quoted, changed=changed)


def _number(name: str) -> int | None:
    """A whole number as our own form sends it; None for anything else, which then matches no quote."""
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LARGEST_SUM else None
