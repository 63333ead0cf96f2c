"""What has become of a checkout session: asking Stripe and closing it, for clicks, return pages and sweeps alike."""

from datetime import timedelta
from enum import Enum

from portal import logs
from portal.db import lock, transaction
from portal.deps import Deps
from portal.domain import holds
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.gateways.stripe_seen import PaymentSeen
from portal.models import Payment, Reservation
from portal.services import payments, state
from portal.services.settlement import settle, without_email

ASK_AGAIN_AFTER = timedelta(seconds=2)


def give_up(deps: Deps, payment: Payment, *, cause: str, error_code: str) -> None:
    """The session was never made: the row fails and does not count, unless an event was faster."""
    with transaction():
        lock(Reservation, payment.reservation_id)
        row = lock(Payment, payment.id)
        if row.status == "creating":
            state.move(
                row,
                "failed",
                actor="portal",
                cause=cause,
                now=deps.now(),
                error_code=error_code,
                params=without_email(row),
            )


def ask(deps: Deps, payment: Payment, *, cause: str) -> bool:
    """Ask Stripe what a payment has become and settle it. False: Stripe knows no such session."""
    asked_at = deps.now()
    seen = _look(deps, payment)
    if seen is not None:
        settle(deps, seen, cause=cause)
    with transaction():
        Payment.update(asked_at=asked_at, being_asked_until=None).where(Payment.id == payment.id).execute()
    return seen is not None


class Answer(Enum):
    """What a return page may rely on."""

    KNOWN = "known"
    BEING_ASKED = "another page has asked and has not heard yet, or has died"
    JUST_ASKED = "asked less than two seconds ago; the guest may have paid since"
    UNREACHABLE = "Stripe cannot be reached"


def ask_for_guest(deps: Deps, reservation: Reservation) -> Answer:
    """Before a return page says anything: ask about the payment whose end or card we do not know yet, at most once in
    two seconds."""
    payment = payments.find_live(reservation) or payments.newest(reservation)
    if payment is None or not _is_worth_asking(payment):
        return Answer.KNOWN
    if not _claim_question(deps, payment):
        return Answer.BEING_ASKED if Payment.get_by_id(payment.id).being_asked_until else Answer.JUST_ASKED
    try:
        ask(deps, payment, cause="guest came back")
        close_unwanted(deps, reservation)
    except (StripeUnavailable, StripeRefused):
        with transaction():
            Payment.update(being_asked_until=None).where(Payment.id == payment.id).execute()
        return Answer.UNREACHABLE
    return Answer.KNOWN


def _is_worth_asking(payment: Payment) -> bool:
    lacks_card = payment.provider == "stripe" and payment.status == "succeeded" and payment.card_last4 is None
    return payment.is_live or lacks_card


def _claim_question(deps: Deps, payment: Payment) -> bool:
    """Until `being_asked_until` the question is this page's; afterwards another may ask, should this one have died."""
    now = deps.now()
    with transaction():
        return bool(
            Payment.update(being_asked_until=now + ASK_AGAIN_AFTER)
            .where(
                (Payment.id == payment.id)
                & (Payment.asked_at.is_null() | (Payment.asked_at <= now - ASK_AGAIN_AFTER) | (Payment.asked_at > now))
                & (
                    Payment.being_asked_until.is_null()
                    | (Payment.being_asked_until <= now)
                    | (Payment.being_asked_until > now + ASK_AGAIN_AFTER)
                )
            )
            .execute()
        )


def close_payment(deps: Deps, payment: Payment) -> None:
    """Close the session at Stripe and settle what it has become. A row whose session was perhaps never made fails once
    it is old enough and Stripe, asked after that, knows of none."""
    asked_at = deps.now()
    session_id = payment.session_id
    if session_id is None:
        found = _look(deps, payment)
        if found is None:
            if asked_at - payment.created_at > holds.GIVE_UP_CREATING:
                give_up(deps, payment, cause="looked up, never made", error_code="never_made")
            return
        session_id = found.session_id
    with logs.about(payment=payment.public_id):
        settle(deps, deps.stripe.close_session(str(session_id)), cause="session closed")


def close_unwanted(deps: Deps, reservation: Reservation) -> None:
    """Close the live session of a reservation that no longer waits for exactly this sum."""
    reservation = Reservation.get_by_id(reservation.id)
    live = payments.find_live(reservation)
    if live is None or live.status == "processing":
        return
    if reservation.status != "pending" or live.amount != reservation.amount_due:
        close_payment(deps, live)


def _look(deps: Deps, payment: Payment) -> PaymentSeen | None:
    with logs.about(payment=payment.public_id):
        if payment.session_id:
            return deps.stripe.get_session(payment.session_id)
        return deps.stripe.find_session(payment.public_id, payment.created_at, payment.expires_at or payment.created_at)
