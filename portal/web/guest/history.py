"""Every payment and every refund of a stay."""

from flask import render_template

from portal.services import guest_pages
from portal.web.context import get_deps
from portal.web.guest import access
from portal.web.guest.blueprint import guest


@guest.get("/reservations/<code>/payments")
def payments(code: str) -> str:
    reservation = access.current_reservation(code)
    return render_template("guest/payments.html", stay=guest_pages.read_stay(get_deps(), reservation))
