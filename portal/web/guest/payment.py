"""Pay, and the two landing pages: they show what is true, whatever the address claims."""

from dataclasses import replace

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from portal.domain.situation import Situation
from portal.errors import BeingPrepared
from portal.models import Reservation
from portal.services import checkout, checkout_sessions, guest_pages, mails
from portal.services.checkout import GoToStripe
from portal.services.checkout_sessions import Answer
from portal.services.guest_pages import StayPage
from portal.web.context import get_deps
from portal.web.guest import access
from portal.web.guest.blueprint import guest

GOOD_NEWS = (Situation.CONFIRMED, Situation.CHECKING)


@guest.post("/reservations/<code>/pay")
def pay(code: str) -> Response | str:
    """Also the retry button."""
    reservation = access.current_reservation(code)
    try:
        target = checkout.start_checkout(get_deps(), reservation.id, actor="guest")
    except BeingPrepared:
        return render_template("guest/being_prepared.html", stay=guest_pages.read_stay(get_deps(), reservation))
    if isinstance(target, GoToStripe):
        return redirect(target.url, 303)
    return redirect(url_for("guest.failed", code=reservation.code), 303)


@guest.get("/reservations/<code>/success")
def success(code: str) -> Response | str:
    return _landing(code, "guest.success")


@guest.get("/reservations/<code>/failed")
def failed(code: str) -> Response | str:
    return _landing(code, "guest.failed")


def _landing(code: str, here: str) -> Response | str:
    """Ask Stripe if the webhook has not come yet; then the page that fits, under the address that fits."""
    reservation = access.find_reservation(code)
    if reservation is None:
        return render_template("guest/neutral_return.html")  # another device: no personal data, and no alarm
    answer = checkout_sessions.ask_for_guest(get_deps().for_one_request(), reservation)
    if answer is Answer.JUST_ASKED and here == "guest.failed":
        answer = Answer.KNOWN  # nobody comes here straight from paying
    stay = _read(reservation, answer)
    fitting = "guest.success" if stay.situation in GOOD_NEWS else "guest.failed"
    if fitting != here:
        return redirect(url_for(fitting, code=reservation.code), 303)
    mail_comes = bool(stay.kept and mails.is_promised(get_deps(), "payment_received", stay.kept.public_id))
    reached = answer is not Answer.UNREACHABLE
    return render_template(_template(stay), stay=stay, stripe_reached=reached, mail_comes=mail_comes)


def _read(reservation: Reservation, answer: Answer) -> StayPage:
    """While Stripe has not answered about a session that the guest may have paid, nobody knows, and the page says so.
    The address of one that is still being made has reached nobody."""
    stay = guest_pages.read_stay(get_deps(), Reservation.get_by_id(reservation.id))
    if answer is Answer.KNOWN or stay.live is None or stay.live.status == "creating":
        return stay
    return replace(stay, situation=Situation.CHECKING, payment_status="checking", may_pay=False, may_go_back=False)


def _template(stay: StayPage) -> str:
    if stay.situation is Situation.CONFIRMED:
        return "guest/success.html"
    return "guest/checking.html" if stay.situation is Situation.CHECKING else "guest/failed.html"
