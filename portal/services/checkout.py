"""Paying by card: one click on Pay, from the reservation's lock to the address of Stripe's page."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from urllib.parse import urlsplit

import structlog

from portal import errors
from portal.db import lock, transaction
from portal.deps import Deps
from portal.domain import holds
from portal.domain.guest_match import show_code
from portal.domain.situation import why_not_pay
from portal.gateways import stripe_gateway
from portal.gateways.stripe_gateway import (
    ApiKeyRefused,
    ExpiresTooNear,
    KeyInFlight,
    SessionOrder,
    StripeRefused,
    StripeUnavailable,
)
from portal.gateways.stripe_seen import PaymentSeen
from portal.models import Hotel, Payment, Reservation
from portal.services import hotels, payments, public_ids, state, throttle
from portal.services.alerts import raise_alert
from portal.services.settlement import settle, without_email

log = structlog.get_logger()

ROUNDS = 4
"""An expired session, a declined one and one that was never made can follow each other in a single click."""

WAIT_FOR_OTHER_TAB = 8.0
PAUSE = 0.25
ASK_AGAIN_AFTER = timedelta(seconds=2)


@dataclass(frozen=True)
class GoToStripe:
    """Send the guest to this address to pay."""

    url: str


@dataclass(frozen=True)
class LookAtStay:
    """There is nothing to pay by card now; the stay's page tells why."""


def start_checkout(deps: Deps, reservation_id: int, *, actor: str) -> GoToStripe | LookAtStay:
    """Where a click on Pay leads. However often and from however many tabs: at most one session is open.

    Raises Refusal (Stripe cannot be reached, too many clicks) and BeingPrepared (another tab is faster)."""
    _throttle(deps, reservation_id)
    deps, email_refused = deps.for_one_request(), False
    try:
        for _ in range(ROUNDS):
            payment = _begin_payment(deps, reservation_id, actor, with_email=not email_refused)
            if payment is None or payment.status == "processing":
                return LookAtStay()
            try:
                target = _follow(deps, payment)
            except StripeRefused as refusal:
                email_refused = _never_made(deps, payment, refusal)
                continue
            if target is not None:
                return target
    except StripeUnavailable as error:
        _notice_refused_key(deps, error)
        raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE) from error
    raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE)


def _throttle(deps: Deps, reservation_id: int) -> None:
    if not throttle.hit(deps, throttle.PAYS_OF_RESERVATION, str(reservation_id)):
        raise errors.Refusal(errors.TOO_MANY_PAYS)


def _begin_payment(deps: Deps, reservation_id: int, actor: str, *, with_email: bool) -> Payment | None:
    """The live payment, or a new one with its call to Stripe written down; None when nothing may be paid."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        live = payments.find_live(reservation)
        if live or why_not_pay(payments.facts_of(reservation), deps.now()):
            return live if reservation.status == "pending" else None
        hotel, now, public_id = hotels.get_hotel(), deps.now(), public_ids.new_payment_id()
        order = _order(deps, hotel, reservation, public_id, with_email=with_email)
        Hotel.update(stripe_livemode=deps.settings.livemode).where(Hotel.stripe_livemode.is_null()).execute()
        return payments.insert(
            deps,
            reservation,
            public_id=public_id,
            amount=order.amount,
            currency=order.currency,
            status="creating",
            created_at=now,
            cause="pay pressed",
            actor=actor,
            params=stripe_gateway.session_params(order),
            expires_at=order.expires_at,
            first_sent_at=now,
        )


def _order(deps: Deps, hotel: Hotel, reservation: Reservation, payment_id: str, *, with_email: bool) -> SessionOrder:
    page = f"{deps.settings.public_base_url}/reservations/{reservation.code}"
    stay = f"{reservation.check_in:%d %b %Y} – {reservation.check_out:%d %b %Y}"
    return SessionOrder(
        portal=hotel.installation,
        reservation_code=reservation.code,
        payment_id=payment_id,
        amount=reservation.amount_due,
        currency=reservation.currency,
        title=f"{hotel.name}, {reservation.room.name}",
        description=f"{stay}, reservation {show_code(reservation.code)}",
        email=reservation.email if with_email else "",
        success_url=f"{page}/success",
        cancel_url=f"{page}/failed",
        expires_at=deps.now() + holds.SESSION_LIFE,
    )


def _follow(deps: Deps, payment: Payment) -> GoToStripe | LookAtStay | None:
    """Ask Stripe what the payment has become, settle that, and say where to go; None: begin again."""
    seen = _ask_or_make(deps, payment)
    settle(deps, seen, cause="pay pressed")
    payment = Payment.get_by_id(payment.id)
    reservation = Reservation.get_by_id(payment.reservation_id)
    if payment.status != "open":
        return None if payment.status in ("expired", "failed") else LookAtStay()
    if reservation.status != "pending" or payment.amount != reservation.amount_due:
        close_payment(deps, payment)  # nobody is sent to a session that must not be paid
        return None
    if payment.declined_at and why_not_pay(payments.facts_of(reservation), deps.now()) is None:
        close_payment(deps, payment)  # "try again" after a decline: a new session, once this one cannot be paid
        return None
    return GoToStripe(_checked(deps, seen.url))


def _ask_or_make(deps: Deps, payment: Payment) -> PaymentSeen:
    if payment.session_id:
        return deps.stripe.get_session(payment.session_id)
    try:
        return deps.stripe.create_checkout_session(payment.params, str(payment.idempotency_key))
    except KeyInFlight:
        return deps.stripe.get_session(_wait_for_other(deps, payment))


def _wait_for_other(deps: Deps, payment: Payment) -> str:
    """The session that another tab's call, which is on its way with the same key, has made meanwhile."""
    for _ in range(int(WAIT_FOR_OTHER_TAB / PAUSE)):
        deps.pause(PAUSE)
        session_id = Payment.get_by_id(payment.id).session_id
        if session_id:
            return str(session_id)
    raise errors.BeingPrepared


def _checked(deps: Deps, url: str | None) -> str:
    parts = urlsplit(url or "")
    if f"{parts.scheme}://{parts.netloc}" not in deps.settings.checkout_origins:
        log.error("address of payment page is not on the list", host=parts.hostname)
        raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE)
    return str(url)


def _never_made(deps: Deps, payment: Payment, refusal: StripeRefused) -> bool:
    """Stripe refused to make the session. True: for the e-mail's sake, so try once without. Otherwise a person has to
    look, except when the time had simply run out."""
    if isinstance(refusal, ExpiresTooNear) and deps.now() - payment.created_at > holds.KEY_IS_REMEMBERED:
        close_payment(deps, payment)  # the key may be forgotten by now: the refusal proves nothing, so look
        return False
    if refusal.code == "idempotency_error" or payment.session_id:
        with transaction():
            raise_alert(
                "Stripe refused a repeated call", payment.public_id, now=deps.now(), payment=payment, code=refusal.code
            )
        raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE) from refusal
    about_email = refusal.code == "email_invalid" and "customer_email" in payment.params
    _give_up(deps, payment, cause="never made", error_code=refusal.code)
    if not about_email and not isinstance(refusal, ExpiresTooNear):
        with transaction():
            raise_alert(
                "Stripe refused a session",
                f"{payment.reservation.code}:{refusal.code}",
                now=deps.now(),
                payment=payment,
                code=refusal.code,
            )
        raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE) from refusal
    return about_email


def _notice_refused_key(deps: Deps, error: StripeUnavailable) -> None:
    if isinstance(error, ApiKeyRefused):
        with transaction():
            raise_alert("Stripe refuses the API key", error.code, now=deps.now())


def _give_up(deps: Deps, payment: Payment, *, cause: str, error_code: str) -> None:
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


# Asking and closing, also for return pages and sweeps -----------------------------------------------------------------


def ask(deps: Deps, payment: Payment, *, cause: str) -> bool:
    """Ask Stripe what a payment has become and settle it. False: Stripe knows no such session."""
    asked_at = deps.now()
    seen = _look(deps, payment)
    if seen is not None:
        settle(deps, seen, cause=cause)
    with transaction():
        Payment.update(asked_at=asked_at, next_try_at=None).where(Payment.id == payment.id).execute()
    return seen is not None


class Answer(Enum):
    """What a return page may rely on."""

    KNOWN = "known"
    BEING_ASKED = "another page has asked and has not heard yet, or has died"
    UNREACHABLE = "Stripe cannot be reached"


def ask_for_guest(deps: Deps, reservation: Reservation) -> Answer:
    """Before a return page says anything: ask about the payment whose end or card we do not know yet, at most once in
    two seconds."""
    payment = payments.find_live(reservation) or payments.newest(reservation)
    if payment is None or not _is_worth_asking(payment):
        return Answer.KNOWN
    if not _claim_question(deps, payment):
        return Answer.BEING_ASKED if Payment.get_by_id(payment.id).next_try_at else Answer.KNOWN
    try:
        ask(deps, payment, cause="guest came back")
        close_unwanted(deps, reservation)
    except (StripeUnavailable, StripeRefused):
        with transaction():
            Payment.update(next_try_at=None).where(Payment.id == payment.id).execute()
        return Answer.UNREACHABLE
    return Answer.KNOWN


def _is_worth_asking(payment: Payment) -> bool:
    lacks_card = payment.provider == "stripe" and payment.status == "succeeded" and payment.card_last4 is None
    return payment.is_live or lacks_card


def _claim_question(deps: Deps, payment: Payment) -> bool:
    """Until `next_try_at` the question is this page's; afterwards another may ask, should this one have died."""
    now = deps.now()
    with transaction():
        return bool(
            Payment.update(next_try_at=now + ASK_AGAIN_AFTER)
            .where(
                (Payment.id == payment.id)
                & (Payment.asked_at.is_null() | (Payment.asked_at <= now - ASK_AGAIN_AFTER) | (Payment.asked_at > now))
                & (
                    Payment.next_try_at.is_null()
                    | (Payment.next_try_at <= now)
                    | (Payment.next_try_at > now + ASK_AGAIN_AFTER)
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
                _give_up(deps, payment, cause="looked up, never made", error_code="never_made")
            return
        session_id = found.session_id
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
    if payment.session_id:
        return deps.stripe.get_session(payment.session_id)
    return deps.stripe.find_session(payment.public_id, payment.created_at, payment.expires_at or payment.created_at)
