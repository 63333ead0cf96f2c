"""Cash and transfers that staff write down, and stays that cost nothing: the one way into "confirmed" besides Stripe's
word."""

import structlog

from portal.db import lock, transaction
from portal.deps import Deps
from portal.domain import money
from portal.models import Payment, Reservation
from portal.services import checkout_sessions, hotels, mails, payments, public_ids, receipts, state
from portal.services.cancellations import AFTER_THE_COMMIT

log = structlog.get_logger()


class BadOfflinePayment(Exception):
    """A sum that cannot be written down; the text says why. Nothing was recorded."""


class NotFree(Exception):
    """The stay costs something or is not pending. Nothing was done."""


def record_offline(
    deps: Deps, reservation_id: int, amount: int, actor: str, *, seen_due: int | None = None, how: str = "by hand"
) -> Payment:
    """Write down `amount` (minor units) that the guest paid in cash or by transfer. The stay is confirmed once it is
    paid in full; a session that asks for another sum than what is due by then is closed at Stripe. `seen_due`: what was
    due when the person decided; if it is another sum by now, nothing is recorded. `how`: for the audit log."""
    payment = _record(deps, reservation_id, amount, actor, seen_due, how)
    try:
        checkout_sessions.close_unwanted(deps.for_one_request(), payment.reservation)
    except AFTER_THE_COMMIT as error:
        log.warning(
            "after a payment by hand: the worker goes on", payment=payment.public_id, error=type(error).__name__
        )
    return payment


def _record(deps: Deps, reservation_id: int, amount: int, actor: str, seen_due: int | None, how: str) -> Payment:
    with transaction():
        reservation, now = lock(Reservation, reservation_id), deps.now()
        if seen_due is not None and reservation.amount_due != seen_due:
            raise BadOfflinePayment("What is due has changed meanwhile. Nothing was recorded.")
        _check(reservation, amount)
        payment = payments.insert(
            deps,
            reservation,
            payments.lock_of_stay(reservation),
            public_id=public_ids.new_payment_id(),
            provider="offline",
            amount=amount,
            currency=reservation.currency,
            status="succeeded",
            disposition="kept",
            received_amount=amount,
            received_currency=reservation.currency,
            completed_at=now,
            receipt_number=receipts.take_number(now, hotels.get_hotel().timezone),
            created_at=now,
            cause=f"paid {how}",
            actor=actor,
        )
        reservation.paid += amount
        Reservation.update(paid=reservation.paid, updated_at=now).where(Reservation.id == reservation.id).execute()
        if reservation.amount_due == 0:
            state.move(reservation, "confirmed", actor=actor, cause=f"paid by {payment.public_id}", now=now)
        mails.queue(deps, "payment_received", payment.public_id, reservation, payment=payment.public_id)
    log.info("payment by hand", reservation=reservation.code, payment=payment.public_id, amount=amount)
    return payment


def confirm_free(deps: Deps, reservation_id: int, *, actor: str) -> None:
    """Confirm a pending stay whose total is 0. NotFree for any other."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        if reservation.status != "pending" or reservation.total != 0:
            raise NotFree
        state.move(reservation, "confirmed", actor=actor, cause="nothing to pay", now=deps.now())


def _check(reservation: Reservation, amount: int) -> None:
    if reservation.status != "pending":
        raise BadOfflinePayment(f"The stay is {reservation.status}, so it waits for no money. Nothing was recorded.")
    if not 0 < amount <= reservation.amount_due:
        raise BadOfflinePayment(f"Between 1 and {reservation.amount_due} is due, not {amount}. Nothing was recorded.")
    left = reservation.amount_due - amount
    if not money.may_be_charged(left, reservation.currency):
        least = money.STRIPE_MINIMUM[reservation.currency]
        raise BadOfflinePayment(f"{left} would be left, and by card at least {least} is paid. Nothing was recorded.")
