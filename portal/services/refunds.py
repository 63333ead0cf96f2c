"""Money on its way back: the rows, what they have to be, and what Stripe says has become of them."""

import structlog

from portal.db import lock, must_be_in_transaction
from portal.deps import Deps
from portal.domain import states
from portal.domain.reasons import for_the_log
from portal.gateways.stripe_seen import RefundSeen
from portal.models import Payment, Refund, Reservation
from portal.services import mails, money_back, public_ids, state
from portal.services.alerts import raise_alert

log = structlog.get_logger()


# Rows ---------------------------------------------------------------------------------------------------------------


def insert(
    deps: Deps,
    payment: Payment,
    *,
    kind: str,
    amount: int,
    reason: str,
    requested_by: str,
    retry_of: Refund | None = None,
) -> Refund:
    """A refund to send, in the transaction of its cause. Cash is handed back by a person, who is told so."""
    public_id, now = public_ids.new_refund_id(), deps.now()
    refund: Refund = Refund.create(
        public_id=public_id,
        payment=payment,
        provider=payment.provider,
        kind=kind,
        amount=amount,
        currency=payment.received_currency or payment.currency,
        idempotency_key=f"ref:{public_id}",
        retry_of=retry_of,
        reason=reason,
        requested_by=requested_by,
        next_try_at=now,
        created_at=now,
        updated_at=now,
    )
    cause = for_the_log(reason, "refunded by staff") if kind == "staff" else reason
    state.begin(refund, actor=requested_by, cause=cause, now=now)
    if payment.provider == "offline":
        raise_alert(
            "hand the cash back", public_id, now=now, reservation=payment.reservation, payment=payment, amount=amount
        )
    return refund


def resize(deps: Deps, refund: Refund) -> None:
    """The sum changed before it was sent: this row is canceled, and one of the right sum takes its place."""
    must_be_in_transaction()
    now_owed = money_back.of_payment(refund.payment).owed(refund)
    if now_owed == refund.amount:
        return
    state.move(refund, "canceled", actor="portal", cause="sum changed before sending", now=deps.now())
    if now_owed:
        insert(
            deps,
            refund.payment,
            kind=refund.kind,
            amount=now_owed,
            reason=refund.reason,
            requested_by=refund.requested_by,
        )


# What Stripe says ---------------------------------------------------------------------------------------------------


def settle_refund_inside(deps: Deps, seen: RefundSeen, *, cause: str) -> str:
    """Bring our row in line; a refund that we did not make is written down. `pending`: its payment is not known yet;
    `skipped`: it has no payment intent, so it is another program's."""
    if not seen.payment_intent_id:
        return "skipped"
    found = Payment.get_or_none(Payment.payment_intent_id == seen.payment_intent_id)
    if found is None:
        return "pending"
    reservation = lock(Reservation, found.reservation_id)
    payment = lock(Payment, found.id)
    refund = _find(payment, seen) or _write_external(deps, payment, seen)
    refund = lock(Refund, refund.id)
    if refund.stripe_id is None:
        Refund.update(stripe_id=seen.stripe_id).where(Refund.id == refund.id).execute()
        refund.stripe_id = seen.stripe_id
    if states.refund_may_follow(refund.status, seen.status, fresh=seen.fresh):
        state.move(refund, seen.status, actor="stripe", cause=cause, now=deps.now(), failure_reason=seen.failure_reason)
        if seen.status in states.ENDED_REFUND:
            _notice_failure(deps, reservation, payment, refund)
    return "success"


def _find(payment: Payment, seen: RefundSeen) -> Refund | None:
    mine = Refund.payment == payment.id
    found: Refund | None = Refund.get_or_none(mine & (Refund.stripe_id == seen.stripe_id))
    if found is None and seen.refund_id:
        # One that was given up before it was sent stays given up: this money counts in a row of its own.
        unsent = Refund.stripe_id.is_null() & Refund.status.not_in(states.ENDED_REFUND)
        found = Refund.get_or_none(mine & (Refund.public_id == seen.refund_id) & unsent)
    return found


def _write_external(deps: Deps, payment: Payment, seen: RefundSeen) -> Refund:
    """Made in Stripe's dashboard, or by us before a backup was restored. What we had not sent is worked out anew."""
    public_id, now = public_ids.new_refund_id(), deps.now()
    refund: Refund = Refund.create(
        public_id=public_id,
        payment=payment,
        provider="stripe",
        kind="external",
        amount=seen.amount,
        currency=seen.currency,
        status="sent",
        idempotency_key=f"ext:{seen.stripe_id}",
        stripe_id=seen.stripe_id,
        reason="made at Stripe",
        requested_by="stripe",
        first_sent_at=now,
        created_at=now,
        updated_at=now,
    )
    state.begin(refund, actor="stripe", cause="made at Stripe", now=now)
    raise_alert(
        "refund made at Stripe",
        public_id,
        now=now,
        reservation=payment.reservation,
        payment=payment,
        amount=seen.amount,
        currency=seen.currency,
    )
    if seen.status not in states.ENDED_REFUND:  # one that came to nothing takes nothing off what we owe
        for waiting in Refund.select().where((Refund.payment == payment.id) & (Refund.status == "todo")):
            resize(deps, lock(Refund, waiting.id))
    return refund


def _notice_failure(deps: Deps, reservation: Reservation, payment: Payment, refund: Refund) -> None:
    raise_alert(
        "refund failed",
        refund.public_id,
        now=deps.now(),
        reservation=reservation,
        payment=payment,
        amount=refund.amount,
        why=refund.failure_reason,
    )
    if refund.kind == "external":
        _owe_again(deps, payment, refund)
        return  # whoever made it at Stripe has canceled it there, or knows what the guest still gets
    mails.queue(deps, "refund_failed", refund.public_id, reservation, amount=refund.amount, currency=refund.currency)


def _owe_again(deps: Deps, payment: Payment, ended: Refund) -> None:
    """A refund that somebody made at Stripe came to nothing. What we gave up because of it is owed once more: a new row
    sends it, and where a smaller one of ours is under way already, a person is told what is missing."""
    automatic = (Refund.payment == payment.id) & (Refund.kind << ("policy", "returned"))
    ours = list(Refund.select().where(automatic).order_by(Refund.id))
    given_up = [row for row in ours if row.status == "canceled" and row.stripe_id is None]
    amount = money_back.of_payment(payment).owed(given_up[-1]) if given_up else 0
    under_way = [row for row in ours if row.status not in states.ENDED_REFUND]
    if not amount or any(row.status == "todo" for row in under_way):  # one that still waits is measured when it is sent
        return
    if under_way:
        raise_alert(
            "promised refund not sent",
            ended.public_id,
            now=deps.now(),
            reservation=payment.reservation,
            payment=payment,
            amount=amount,
            currency=ended.currency,
        )
        return
    last = given_up[-1]
    insert(deps, payment, kind=last.kind, amount=amount, reason=last.reason, requested_by=last.requested_by)
