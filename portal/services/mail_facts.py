"""What a mail says, read from the present rows when it is sent: the same facts as the pages show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.deps import Deps
from portal.domain import refund_window, states
from portal.domain.guest_match import show_code
from portal.domain.situation import Situation
from portal.models import Alert, Hotel, OutgoingMail, PasswordReset, Payment, Refund
from portal.services import cancel_pages, guest_pages, hotels, links, mails, password_resets
from portal.services.guest_pages import StayPage

Facts = dict[str, Any]


class NoLongerTrue(Exception):
    """What the mail was to say does not hold any more: it is not sent."""


@dataclass(frozen=True)
class AlertLine:
    """One line that needs attention, as staff read it. `amount` in minor units of `currency`."""

    kind: str
    about: str
    amount: int | None
    currency: str
    at: datetime
    due_by: datetime | None


@dataclass(frozen=True)
class _Asked:
    deps: Deps
    mail: OutgoingMail
    stay: StayPage


def facts_of(deps: Deps, mail: OutgoingMail) -> Facts:
    """Everything that the template of this kind needs. NoLongerTrue when there is nothing to say any more."""
    if mail.reservation is None:
        return _facts_for_staff(deps, mail)
    stay = guest_pages.read_stay(deps, mail.reservation)
    common = {
        "hotel": stay.hotel,
        "stay": stay,
        "link": links.make_link(deps, mail.reservation),
        "may_have_paid": stay.live is not None and stay.live.session_id is not None,
    }
    return {**common, **_OF_KIND[mail.kind](_Asked(deps, mail, stay))}


def _private_link(asked: _Asked) -> Facts:
    if links.is_over(asked.deps, asked.stay.reservation):
        raise NoLongerTrue
    return {}


def _payment_received(asked: _Asked) -> Facts:
    return {"payment": Payment.get(Payment.public_id == asked.mail.details["payment"])}


def _attempts_used_up(asked: _Asked) -> Facts:
    if asked.stay.situation is not Situation.ATTEMPTS_USED_UP:
        raise NoLongerTrue
    return {}


def _hold_ending(asked: _Asked) -> Facts:
    reservation = asked.stay.reservation
    same_hold = mails.hold_cause(reservation) == asked.mail.cause
    if not (same_hold and mails.may_warn(reservation, reservation.hold_until, asked.deps.now())):
        raise NoLongerTrue
    return {}


def _cancelled(asked: _Asked) -> Facts:
    page = cancel_pages.read_cancelled_page(asked.deps, asked.stay.reservation)
    back = [followed for followed in page.refunds if followed.refund.kind == "policy"]
    if_sent_now = refund_window.window_from(asked.stay.today)
    window = next((followed.window for followed in back if followed.window), if_sent_now)
    return {"due": asked.mail.details["due"], "refunds": back, "window": window}


def _refund_failed(asked: _Asked) -> Facts:
    """Not if a new try is on its way already: the next news will be about that one."""
    refund = Refund.get(Refund.public_id == asked.mail.cause)
    again = Refund.get_or_none(Refund.retry_of == refund.id)
    if again is not None and again.status not in states.ENDED_REFUND:
        raise NoLongerTrue
    return {"refund": refund, "payment": refund.payment}


def _money_returned(asked: _Asked) -> Facts:
    return {"entry": next(entry for entry in asked.stay.history if entry.reference == asked.mail.cause)}


_OF_KIND: dict[str, Callable[[_Asked], Facts]] = {
    "private_link": _private_link,
    "payment_received": _payment_received,
    "attempts_used_up": _attempts_used_up,
    "hold_ending": _hold_ending,
    "cancelled": _cancelled,
    "refund_failed": _refund_failed,
    "money_returned": _money_returned,
}


def _facts_for_staff(deps: Deps, mail: OutgoingMail) -> Facts:
    hotel = hotels.get_hotel()
    if mail.kind == mails.PASSWORD_RESET:
        return {"hotel": hotel, **_password_reset(deps, mail)}
    return {"hotel": hotel, "address": deps.settings.public_base_url, "alerts": _alerts(hotel, mail)}


def _password_reset(deps: Deps, mail: OutgoingMail) -> Facts:
    """The link is made here, for this mail alone: no row of the queue holds it."""
    reset = PasswordReset.get_or_none(PasswordReset.id == mail.details["reset"])
    if reset is None or not password_resets.still_holds(deps, reset):
        raise NoLongerTrue
    return {"link": password_resets.make_link(deps, reset), "until": reset.expires_at}


def _alerts(hotel: Hotel, mail: OutgoingMail) -> list[AlertLine]:
    """Those that nobody has closed meanwhile."""
    still_open = Alert.select().where((Alert.id << mail.details["alerts"]) & Alert.closed_at.is_null())
    lines = [_alert(hotel, alert) for alert in still_open.order_by(Alert.id)]
    if not lines:
        raise NoLongerTrue
    return lines


def _alert(hotel: Hotel, alert: Alert) -> AlertLine:
    names = [
        show_code(alert.reservation.code) if alert.reservation else "",
        alert.payment.public_id if alert.payment else "",
    ]
    amount = alert.details.get("amount")
    return AlertLine(
        kind=alert.kind,
        about=", ".join(filter(None, names)) or alert.cause,
        amount=amount if isinstance(amount, int) else None,
        currency=alert.details.get("currency") or hotel.currency,
        at=alert.created_at,
        due_by=alert.due_by,
    )
