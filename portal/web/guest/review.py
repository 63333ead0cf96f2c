"""The stay: what was booked, what it costs, what happens if plans change, and the Pay button."""

from flask import render_template

from portal.services import guest_pages
from portal.web.context import get_deps
from portal.web.guest import access
from portal.web.guest.blueprint import guest


@guest.get("/reservations/<code>")
def review(code: str) -> str:
    reservation = access.current_reservation(code)
    return render_template("guest/review.html", stay=guest_pages.read_stay(get_deps(), reservation))
