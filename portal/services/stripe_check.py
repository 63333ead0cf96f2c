"""Asking Stripe about one stay because a person wants to know: everything is read first, then settled."""

from dataclasses import dataclass

import structlog

from portal.db import lock, transaction
from portal.deps import Deps
from portal.gateways.stripe_seen import PaymentSeen, RefundSeen
from portal.models import Payment, Refund, Reservation
from portal.services import audit, checkout_sessions, payments, refund_sending, refunds, settlement
from portal.services.cancellations import AFTER_THE_COMMIT

log = structlog.get_logger()


@dataclass(frozen=True)
class Found:
    """How much Stripe was asked about, and whether our rows have changed by it."""

    payments: int
    refunds: int
    changed: bool


def may_be_asked(reservation: Reservation) -> bool:
    """Whether there is anything at Stripe about this stay."""
    return bool(_asked_about(reservation))


def check(deps: Deps, reservation_id: int, *, actor: str) -> Found:
    """Bring all payments and refunds of a stay in line with Stripe. StripeUnavailable and StripeRefused before anything
    was changed."""
    deps = deps.for_one_request()
    reservation = Reservation.get_by_id(reservation_id)
    before = _picture(reservation_id)
    sessions, listed = _read(deps, _asked_about(reservation))
    for seen in sessions:
        settlement.settle(deps, seen, cause="checked by staff")
    with transaction():
        reservation = lock(Reservation, reservation_id)
        for refund_seen in listed:
            refunds.settle_refund_inside(deps, refund_seen, cause="checked by staff")
        audit.note(reservation, actor=actor, cause="checked with Stripe", now=deps.now())
    try:
        checkout_sessions.close_unwanted(deps, reservation)
        refund_sending.send_due(deps, reservation)
    except AFTER_THE_COMMIT as error:
        log.warning("after a check: the worker goes on", reservation=reservation.code, error=type(error).__name__)
    return Found(len(sessions), len(listed), _picture(reservation_id) != before)


def _asked_about(reservation: Reservation) -> list[Payment]:
    """What is live, what brought money, and the newest; older sessions that ended without money are over at Stripe."""
    by_card = Payment.select().where((Payment.reservation == reservation.id) & (Payment.provider == "stripe"))
    newest = payments.newest(reservation)
    return [
        payment
        for payment in by_card.order_by(Payment.session_number)
        if payment.is_live
        or payment.status == "succeeded"
        or (newest and newest.id == payment.id and payment.session_id)
    ]


def _read(deps: Deps, asked: list[Payment]) -> tuple[list[PaymentSeen], list[RefundSeen]]:
    sessions = [_session(deps, payment) for payment in asked]
    intents = [str(payment.payment_intent_id) for payment in asked if payment.payment_intent_id]
    listed = [seen for intent in intents for seen in deps.stripe.list_refunds(intent)]
    return [seen for seen in sessions if seen is not None], listed


def _session(deps: Deps, payment: Payment) -> PaymentSeen | None:
    if payment.session_id:
        return deps.stripe.get_session(payment.session_id)
    if not payment.is_live:
        return None  # rebuilt from its payment intent: it came without a session
    return deps.stripe.find_session(payment.public_id, payment.created_at, payment.expires_at or payment.created_at)


def _picture(reservation_id: int) -> list[tuple[str, str]]:
    """The states that a check may change."""
    stay = Reservation.get_by_id(reservation_id)
    mine = Payment.select().where(Payment.reservation == reservation_id)
    back = Refund.select().join(Payment).where(Payment.reservation == reservation_id)
    return [(stay.code, stay.status)] + [
        (row.public_id, row.status) for query in (mine, back) for row in query.order_by(query.model.id)
    ]
