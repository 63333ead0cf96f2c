"""Payments of a reservation: look-ups, counts, and the insert that both paying and rebuilding use."""

from datetime import datetime
from typing import Any

from peewee import fn

from portal.deps import Deps
from portal.domain import states
from portal.domain.situation import StayFacts
from portal.gateways.stripe_seen import PaymentSeen
from portal.models import Payment, Reservation
from portal.services import state

COUNTS_AS_ATTEMPT = (Payment.status != "succeeded") & (
    Payment.declined_at.is_null(False) | ((Payment.status == "failed") & Payment.session_id.is_null(False))
)
"""Declined, or failed after it was made. Walking away does not count, nor does a session that Stripe never made."""

COUNTS_AS_SESSION = (Payment.provider == "stripe") & (
    Payment.session_id.is_null(False) | (Payment.status == "creating")
)


def find_live(reservation: Reservation) -> Payment | None:
    """The one payment that may still bring money, if there is one."""
    found: Payment | None = Payment.get_or_none(
        (Payment.reservation == reservation.id) & (Payment.status << states.LIVE_PAYMENT)
    )
    return found


def find(reservation: Reservation, seen: PaymentSeen) -> Payment | None:
    """The payment that Stripe speaks of: by our id in the metadata first, because an event may overtake our commit."""
    mine = Payment.reservation == reservation.id
    found: Payment | None = Payment.get_or_none(mine & (Payment.public_id == seen.names.payment))
    if found is None and seen.payment_intent_id:
        found = Payment.get_or_none(mine & (Payment.payment_intent_id == seen.payment_intent_id))
    return found


def newest(reservation: Reservation) -> Payment | None:
    found: Payment | None = (
        Payment.select().where(Payment.reservation == reservation.id).order_by(Payment.session_number.desc()).first()
    )
    return found


def count_attempts(reservation: Reservation) -> int:
    """Payments that count towards the three."""
    return int(Payment.select().where((Payment.reservation == reservation.id) & COUNTS_AS_ATTEMPT).count())


def count_sessions(reservation: Reservation) -> int:
    """Sessions that Stripe made, or is being asked to make."""
    return int(Payment.select().where((Payment.reservation == reservation.id) & COUNTS_AS_SESSION).count())


def facts_of(reservation: Reservation) -> StayFacts:
    """What the rules about paying look at."""
    return StayFacts(
        status=reservation.status,
        amount_due=reservation.amount_due,
        hold_until=reservation.hold_until,
        extra_attempts=reservation.extra_attempts,
        tried=count_attempts(reservation),
        sessions=count_sessions(reservation),
    )


def insert(
    deps: Deps,
    reservation: Reservation,
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
    """A new row with the next session number, and its audit entry. In the caller's transaction, under the lock."""
    last = Payment.select(fn.MAX(Payment.session_number)).where(Payment.reservation == reservation.id).scalar() or 0
    payment: Payment = Payment.create(
        public_id=public_id,
        reservation=reservation,
        amount=amount,
        currency=currency,
        status=status,
        session_number=last + 1,
        attempt_number=1 + count_attempts(reservation),
        idempotency_key=f"pay:{public_id}",
        created_at=created_at,
        **columns,
    )
    state.begin(payment, actor=actor, cause=cause, now=deps.now())
    return payment
