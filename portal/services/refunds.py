"""Money on its way back: the rows, what they have to be, and what Stripe says has become of them."""

import structlog
from peewee import fn

from portal.db import lock, must_be_in_transaction, transaction
from portal.deps import Deps
from portal.domain import states
from portal.domain.refund_sums import Returnable, still_owed
from portal.gateways.stripe_seen import RefundSeen
from portal.models import Cancellation, Dispute, Payment, Refund, Reservation
from portal.services import mails, public_ids, state
from portal.services.alerts import close_alerts, raise_alert

log = structlog.get_logger()


class BadRefund(Exception):
    """A refund that cannot be made; the text says why, and that nothing was sent."""


# Sums ---------------------------------------------------------------------------------------------------------------


def on_its_way(payment: Payment, *, but: Refund | None = None) -> int:
    """Refunds of this payment that have not failed, in minor units, by whomever they were made."""
    mine = (Refund.payment == payment.id) & Refund.status.not_in(states.ENDED_REFUND)
    if but is not None:
        mine &= Refund.id != but.id
    return int(Refund.select(fn.COALESCE(fn.SUM(Refund.amount), 0)).where(mine).scalar())


def back(payment: Payment, *, but: Refund | None = None) -> int:
    """What has gone back or is on its way; a lost dispute took the whole payment."""
    received = payment.received_amount or payment.amount
    return received if dispute_of(payment) == "lost" else on_its_way(payment, but=but)


def dispute_of(payment: Payment) -> str | None:
    """lost, open, or None: nothing that stands in a refund's way. An inquiry (`warning_…`) does not."""
    found = {row.status for row in Dispute.select(Dispute.status).where(Dispute.payment == payment.id)}
    if "lost" in found:
        return "lost"
    return "open" if any(not s.startswith("warning_") and s not in ("won", "prevented") for s in found) else None


def kept_payments(reservation: Reservation) -> list[Payment]:
    """In the order in which they give money back: cards first, the newest first, then cash."""
    kept = Payment.select().where((Payment.reservation == reservation.id) & (Payment.disposition == "kept"))
    return list(kept.order_by(Payment.provider.desc(), Payment.session_number.desc()))


def returnable(reservation: Reservation) -> list[Returnable]:
    return [Returnable(p.id, p.received_amount or p.amount, back(p)) for p in kept_payments(reservation)]


def owed(refund: Refund) -> int:
    """What this refund has to be now."""
    payment = refund.payment
    left = (payment.received_amount or payment.amount) - back(payment, but=refund)
    target_left = None
    if refund.kind == "policy":
        target = Cancellation.get(Cancellation.reservation == payment.reservation_id).refund_target
        kept = kept_payments(payment.reservation)
        target_left = target - sum(back(p, but=refund) for p in kept)
    return still_owed(refund.kind, refund.amount, left, target_left)


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
    state.begin(refund, actor=requested_by, cause=reason, now=now)
    if payment.provider == "offline":
        raise_alert(
            "hand the cash back", public_id, now=now, reservation=payment.reservation, payment=payment, amount=amount
        )
    return refund


def resize(deps: Deps, refund: Refund) -> None:
    """The sum changed before it was sent: this row is canceled, and one of the right sum takes its place."""
    must_be_in_transaction()
    now_owed = owed(refund)
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
    amount = owed(given_up[-1]) if given_up else 0
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


# What staff do ------------------------------------------------------------------------------------------------------


def find_refundable(public_id: str) -> Payment:
    """LookupError for a payment that does not exist; BadRefund for one that no money of can go back."""
    payment: Payment | None = Payment.get_or_none(Payment.public_id == public_id.strip().upper())
    if payment is None:
        raise LookupError(f"there is no payment {public_id}")
    if payment.disposition != "kept":
        raise BadRefund(f"{payment.public_id} is not a payment that the hotel kept. Nothing was refunded.")
    return payment


def refund_by_staff(
    deps: Deps, payment_id: int, amount: int, *, reason: str, actor: str, seen_left: int | None = None
) -> Refund:
    """Write down a refund of `amount` (minor units) that staff decided on; the stay is left as it is. `seen_left`: what
    could go back when the person decided; if it is another sum by now, nothing is refunded."""
    with transaction():
        found = Payment.get_by_id(payment_id)
        lock(Reservation, found.reservation_id)
        payment = lock(Payment, payment_id)
        left = (payment.received_amount or payment.amount) - back(payment)
        if dispute_of(payment):
            raise BadRefund(
                "The guest's bank disputes this payment, so it cannot be refunded now. Nothing was refunded."
            )
        if seen_left is not None and left != seen_left:
            raise BadRefund("What can go back has changed meanwhile. Nothing was refunded.")
        if not 0 < amount <= left:
            currency = payment.received_currency or payment.currency
            raise BadRefund(
                f"At most {left} of {payment.public_id} can go back, not {amount} ({currency}, minor units). "
                "Nothing was refunded."
            )
        return insert(deps, payment, kind="staff", amount=amount, reason=reason, requested_by=actor)


def retry(deps: Deps, refund_id: int, *, actor: str) -> Refund:
    """A new row for a refund that failed, once, and never beside another that does the same."""
    with transaction():
        found = Refund.get_by_id(refund_id)
        lock(Reservation, found.payment.reservation_id)
        payment = lock(Payment, found.payment_id)
        old = lock(Refund, refund_id)
        kind, amount = what_to_retry(payment, old)
        return insert(deps, payment, kind=kind, amount=amount, reason=old.reason, requested_by=actor, retry_of=old)


def what_to_retry(payment: Payment, old: Refund) -> tuple[str, int]:
    """The kind and the sum of a new try of a failed refund; BadRefund when there is nothing to try."""
    if old.status not in states.ENDED_REFUND or old.stripe_id is None:
        raise BadRefund(f"{old.public_id} has not failed at the bank, so there is nothing to try again.")
    if Refund.get_or_none(Refund.retry_of == old.id):
        raise BadRefund(f"{old.public_id} has been tried again already.")
    if dispute_of(payment):
        raise BadRefund("The guest's bank disputes this payment, so it cannot be refunded now.")
    kind = "staff" if old.kind == "external" else old.kind
    same = (Refund.payment == payment.id) & (Refund.kind << ("policy", "returned"))
    if kind != "staff" and Refund.get_or_none(same & Refund.status.not_in(states.ENDED_REFUND)):
        raise BadRefund("Another refund of this payment is on its way already.")
    old.kind = kind
    amount = min(old.amount, owed(old))
    if amount <= 0:
        raise BadRefund("Nothing is left to send back.")
    return kind, amount


def mark_handed_back(deps: Deps, refund_id: int, *, actor: str, how: str = "") -> None:
    """Cash or a transfer has been given back by hand; a word how closes the alert that asked for it."""
    with transaction():
        found = Refund.get_by_id(refund_id)
        lock(Reservation, found.payment.reservation_id)
        refund = lock(Refund, refund_id)
        if refund.provider != "offline" or refund.status != "todo":
            raise BadRefund(f"{refund.public_id} is not a sum to hand back.")
        state.move(refund, "succeeded", actor=actor, cause="handed back", now=deps.now())
        if how:
            close_alerts(("hand the cash back",), refund.public_id, actor=actor, why=how, now=deps.now())


def settle_otherwise(deps: Deps, refund_id: int, *, how: str, seen_amount: int, actor: str) -> Refund:
    """The money of a refund that failed has reached the guest in another way (`how`). A new row beside the failed one
    says so, which can then not be tried again, and the alert about it is closed."""
    with transaction():
        found = Refund.get_by_id(refund_id)
        lock(Reservation, found.payment.reservation_id)
        payment = lock(Payment, found.payment_id)
        old = lock(Refund, refund_id)
        _, amount = what_to_retry(payment, old)
        if amount != seen_amount:
            raise BadRefund("What is owed has changed meanwhile. Nothing was recorded.")
        public_id, now = public_ids.new_refund_id(), deps.now()
        refund: Refund = Refund.create(
            public_id=public_id,
            payment=payment,
            provider="offline",
            kind="staff",
            amount=amount,
            currency=old.currency,
            idempotency_key=f"ref:{public_id}",
            retry_of=old,
            reason=how,
            requested_by=actor,
            first_sent_at=now,
            created_at=now,
            updated_at=now,
        )
        state.begin(refund, actor=actor, cause=f"instead of {old.public_id}", now=now)
        state.move(refund, "succeeded", actor=actor, cause=f"settled by {how}", now=now)
        close_alerts(("refund failed", "refund refused by Stripe"), old.public_id, actor=actor, why=how, now=now)
    return refund
