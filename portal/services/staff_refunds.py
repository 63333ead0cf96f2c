"""Refunds that staff decide on: a sum of a kept payment, a new try of one that failed, and money given back by hand."""

from datetime import datetime

from portal.db import lock, transaction
from portal.deps import Deps
from portal.domain import states
from portal.gateways.stripe_gateway import StripeRefused
from portal.gateways.stripe_seen import RefundSeen
from portal.models import Payment, Refund, Reservation
from portal.services import money_back, public_ids, refund_sending, refunds, restored, state
from portal.services.alerts import close_alerts
from portal.services.idempotency import Claim
from portal.services.money_back import MoneyBack


class BadRefund(Exception):
    """A refund that cannot be made; the text says why, and that nothing was sent."""


def find_refundable(public_id: str) -> Payment:
    """LookupError for a payment that does not exist; BadRefund for one that no money of can go back."""
    payment: Payment | None = Payment.get_or_none(Payment.public_id == public_id.strip().upper())
    if payment is None:
        raise LookupError(f"there is no payment {public_id}")
    if payment.disposition != "kept":
        raise BadRefund(f"{payment.public_id} is not a payment that the hotel kept. Nothing was refunded.")
    return payment


def refund_by_staff(
    deps: Deps,
    payment_id: int,
    amount: int,
    *,
    reason: str,
    actor: str,
    seen_left: int | None = None,
    claim: Claim | None = None,
) -> Refund:
    """Write down a refund of `amount` (minor units) that staff decided on; the stay is left as it is. `seen_left`: what
    could go back when the person decided; if it is another sum by now, nothing is refunded. `claim`: of a program that
    may repeat its request."""
    if restored.is_unreconciled():
        raise BadRefund(
            "This is a restored backup, and the same refund may have been made since. Reconcile it with Stripe first: "
            "python -m portal reconcile. Nothing was refunded."
        )
    with transaction():
        found = Payment.get_by_id(payment_id)
        lock(Reservation, found.reservation_id)
        payment = lock(Payment, payment_id)
        money = money_back.of_payment(payment)
        left = money.left(payment)
        if money.dispute_of(payment):
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
        made = refunds.insert(deps, payment, kind="staff", amount=amount, reason=reason, requested_by=actor)
        if claim is not None:
            claim.note(made.public_id)
        return made


def retry(deps: Deps, refund_id: int, *, actor: str, seen_amount: int | None = None) -> Refund:
    """A new row for a refund that failed, once, and never beside another that does the same. `seen_amount`: what it was
    to be when the person decided; if it is another sum by now, nothing is sent."""
    with transaction():
        found = Refund.get_by_id(refund_id)
        lock(Reservation, found.payment.reservation_id)
        payment = lock(Payment, found.payment_id)
        old = lock(Refund, refund_id)
        kind, amount = what_to_retry(money_back.of_payment(payment), old)
        if seen_amount is not None and amount != seen_amount:
            raise BadRefund("What is owed has changed meanwhile. Nothing was sent.")
        return refunds.insert(
            deps, payment, kind=kind, amount=amount, reason=old.reason, requested_by=actor, retry_of=old
        )


def what_to_retry(money: MoneyBack, old: Refund) -> tuple[str, int]:
    """The kind and the sum of a new try of a failed refund; BadRefund when there is nothing to try."""
    if old.status not in states.ENDED_REFUND or old.stripe_id is None:
        raise BadRefund(f"{old.public_id} has not failed at the bank, so there is nothing to try again.")
    if any(refund.retry_of_id == old.id for refund in money.refunds):
        raise BadRefund(f"{old.public_id} has been tried again already.")
    if money.dispute_of(old.payment):
        raise BadRefund("The guest's bank disputes this payment, so it cannot be refunded now.")
    kind = "staff" if old.kind == "external" else old.kind
    others = (refund for refund in money.of(old.payment) if refund.kind in ("policy", "returned"))
    if kind != "staff" and any(refund.status not in states.ENDED_REFUND for refund in others):
        raise BadRefund("Another refund of this payment is on its way already.")
    amount = min(old.amount, money.owed(old, kind=kind))
    if amount <= 0:
        raise BadRefund("Nothing is left to send back.")
    return kind, amount


def mark_handed_back(deps: Deps, refund_id: int, *, actor: str, how: str = "handed back") -> None:
    """Cash or a transfer has been given back by hand, which closes the alert that asked for it."""
    with transaction():
        found = Refund.get_by_id(refund_id)
        lock(Reservation, found.payment.reservation_id)
        refund = lock(Refund, refund_id)
        if refund.provider != "offline" or refund.status != "todo":
            raise BadRefund(f"{refund.public_id} is not a sum to hand back.")
        state.move(refund, "succeeded", actor=actor, cause="handed back", now=deps.now())
        close_alerts(("hand the cash back",), refund.public_id, actor=actor, why=how, now=deps.now())


def what_to_settle(money: MoneyBack, old: Refund, now: datetime) -> int:
    """The sum (minor units) of a refund that failed, or that Stripe refuses, for a person to give in another way;
    BadRefund when there is nothing to give, or when Stripe may be sending it at this moment."""
    if not is_refused(money, old):
        return what_to_retry(money, old)[1]
    if money.dispute_of(old.payment):
        raise BadRefund("The guest's bank disputes this payment, so it cannot be refunded now.")
    if refund_sending.may_be_under_way(old, now):
        raise BadRefund(f"{old.public_id} is being tried at this moment. Look again in five minutes.")
    amount = money.owed(old)
    if amount <= 0:
        raise BadRefund("Nothing is left to send back.")
    return amount


def is_refused(money: MoneyBack, refund: Refund) -> bool:
    """Whether it waits although Stripe was asked, because Stripe said no."""
    return refund.status in ("todo", "sent") and refund.public_id in money.refused


def settle_otherwise(deps: Deps, refund_id: int, *, how: str, seen_amount: int, actor: str) -> Refund:
    """The money of a refund that failed, or that Stripe refuses, has reached the guest in another way (`how`). A new
    row beside the old one says so, the old one is not sent any more, and the alert about it is closed.
    StripeUnavailable while Stripe cannot be asked whether it has made a refused one after all."""
    found = Refund.get_by_id(refund_id)
    listed = _listed(deps, found) if is_refused(money_back.of_payment(found.payment), found) else []
    with transaction():  # of its own: what Stripe says stays known, also when nothing is left to settle
        lock(Reservation, found.payment.reservation_id)
        for seen in listed:
            refunds.settle_refund_inside(deps, seen, cause="listed before settling")
    with transaction():
        lock(Reservation, found.payment.reservation_id)
        payment, old = lock(Payment, found.payment_id), lock(Refund, refund_id)
        amount = what_to_settle(money_back.of_payment(payment), old, deps.now())
        if amount != seen_amount:
            raise BadRefund("What is owed has changed meanwhile. Nothing was recorded.")
        if old.status not in states.ENDED_REFUND:
            state.move(old, "canceled", actor=actor, cause=f"given by {how} instead", now=deps.now())
        return _write_settled(deps, payment, old, amount, how, actor)


def _listed(deps: Deps, refund: Refund) -> list[RefundSeen]:
    try:
        return list(deps.stripe.list_refunds(str(refund.payment.payment_intent_id)))
    except StripeRefused:  # Stripe knows no such payment with our key, so it has made no refund of it either
        return []


def _write_settled(deps: Deps, payment: Payment, old: Refund, amount: int, how: str, actor: str) -> Refund:
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
