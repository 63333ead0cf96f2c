"""Payments of a reservation: look-ups, counts, and the insert that both paying and rebuilding use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import fn

from portal.db import for_update, must_be_in_transaction
from portal.deps import Deps
from portal.domain import states
from portal.domain.situation import StayFacts
from portal.gateways.stripe_seen import PaymentSeen
from portal.models import Payment, Refund, Reservation
from portal.prepared import Prepared
from portal.services import state

_OF_STAY: Prepared[Payment] = Prepared(
    lambda stay: Payment.select().where(Payment.reservation == stay).order_by(Payment.session_number)
)
_HAS_REFUNDS = fn.EXISTS(Refund.select(Refund.id).where(Refund.payment == Payment.id)).alias("has_refunds")
_OF_STAY_LOCKED: Prepared[Payment] = Prepared(
    lambda stay: for_update(
        Payment.select(Payment, _HAS_REFUNDS).where(Payment.reservation == stay).order_by(Payment.session_number)
    )
)


def of_stay(reservation: Reservation) -> list[Payment]:
    """All payments of a stay, the first session first: a handful, for they are limited."""
    return _OF_STAY.all(reservation.id)


def lock_of_stay(reservation: Reservation) -> list[Payment]:
    """The same, locked, under the reservation's lock; each knows whether it `has_refunds`."""
    must_be_in_transaction()
    return _OF_STAY_LOCKED.all(reservation.id)


def is_attempt(payment: Payment) -> bool:
    """Declined, or failed after it was made. Walking away does not count, nor does a session that Stripe never made."""
    failed = payment.status == "failed" and payment.session_id is not None
    return payment.status != "succeeded" and (payment.declined_at is not None or failed)


def is_session(payment: Payment) -> bool:
    """Stripe made it, or is being asked to make it."""
    return payment.provider == "stripe" and (payment.session_id is not None or payment.status == "creating")


def live_of(payments: Sequence[Payment]) -> Payment | None:
    """The one that may still bring money, if there is one."""
    return next((payment for payment in payments if payment.is_live), None)


def find_live(reservation: Reservation) -> Payment | None:
    """The one payment that may still bring money, if there is one."""
    found: Payment | None = Payment.get_or_none(
        (Payment.reservation == reservation.id) & (Payment.status << states.LIVE_PAYMENT)
    )
    return found


def find(payments: Sequence[Payment], seen: PaymentSeen) -> Payment | None:
    """Which of a stay's payments Stripe speaks of: by our id in the metadata first, because an event may overtake our
    commit."""
    for payment in payments:
        if payment.public_id == seen.names.payment:
            return payment
    intent = seen.payment_intent_id
    return next((payment for payment in payments if intent and payment.payment_intent_id == intent), None)


def newest(reservation: Reservation) -> Payment | None:
    found: Payment | None = (
        Payment.select().where(Payment.reservation == reservation.id).order_by(Payment.session_number.desc()).first()
    )
    return found


def count_attempts(payments: Sequence[Payment]) -> int:
    """How many count towards the three."""
    return sum(is_attempt(payment) for payment in payments)


def count_sessions(payments: Sequence[Payment]) -> int:
    return sum(is_session(payment) for payment in payments)


def facts_of(reservation: Reservation, payments: Sequence[Payment]) -> StayFacts:
    """What the rules about paying look at; `payments`: all of this stay."""
    return StayFacts(
        status=reservation.status,
        amount_due=reservation.amount_due,
        hold_until=reservation.hold_until,
        extra_attempts=reservation.extra_attempts,
        tried=count_attempts(payments),
        sessions=count_sessions(payments),
    )


def insert(
    deps: Deps,
    reservation: Reservation,
    others: Sequence[Payment],
    *,
    public_id: str,
    amount: int,
    currency: str,
    status: str,
    created_at: datetime,
    cause: str,
    actor: str = "portal",
    **columns: Any,
) -> Payment:
    """A new row with the next session number, and its audit entry. In the caller's transaction, under the lock, where
    `others`, the stay's payments so far, were read too."""
    last = max((payment.session_number for payment in others), default=0)
    payment: Payment = Payment.create(
        public_id=public_id,
        reservation=reservation,
        amount=amount,
        currency=currency,
        status=status,
        session_number=last + 1,
        attempt_number=1 + count_attempts(others),
        idempotency_key=f"pay:{public_id}",
        created_at=created_at,
        **columns,
    )
    state.begin(payment, actor=actor, cause=cause, now=deps.now())
    return payment
