"""Our books compared with what Stripe lists: the same payments, refunds and disputes, to the cent.

What is so new that its message may still be on its way is left out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from portal.deps import Deps
from portal.gateways.stripe_seen import DisputeSeen, PaymentSeen, RefundSeen
from portal.models import Alert, Dispute, Payment, Refund
from portal.services import hotels
from portal.services.findings import WORKER_TIME, Finding


def payments_agree(deps: Deps, since: datetime) -> Iterator[Finding]:
    """What Stripe took under our names is in our books with the same sum, and nothing is open that should not be."""
    open_sessions: Counter[str] = Counter()
    late = deps.now() - WORKER_TIME
    for seen in _ours(deps.stripe.sessions_since(since), late):
        if seen.status == "open":
            open_sessions[seen.names.reservation] += 1
        yield from _compare_payment(seen, late)
    for code, count in open_sessions.items():
        if count > 1:
            yield Finding("one open session for a stay", code, f"{count} are open at Stripe")
    for seen in _ours(deps.stripe.intents_since(since), late):
        yield from _compare_payment(seen, late)


def _ours(objects: Iterable[PaymentSeen], late: datetime) -> Iterator[PaymentSeen]:
    installation = hotels.get_hotel().installation
    old = (seen for seen in objects if seen.created is None or seen.created <= late)
    return (seen for seen in old if seen.names.portal == installation)


def _compare_payment(seen: PaymentSeen, late: datetime) -> Iterator[Finding]:
    name = seen.payment_intent_id or seen.session_id or ""
    payment = Payment.get_or_none(Payment.public_id == seen.names.payment)
    if payment is None:
        told = Alert.select().where((Alert.kind == "money for an unknown reservation") & (Alert.cause == name)).exists()
        if seen.status == "succeeded" and not told:
            yield Finding("every payment at Stripe is in our books", name, f"{seen.amount} {seen.currency} is not")
        return
    if seen.status == "open" and not _may_be_open(payment, late):
        yield Finding(
            "no session stays payable that should not", payment.public_id, f"open at Stripe, {payment.status} here"
        )
    if seen.status != "succeeded":
        return
    if payment.status != "succeeded" and not _may_be_paying(payment, late):
        yield Finding("what is paid at Stripe is paid here", payment.public_id, f"{payment.status} here")
    elif payment.status == "succeeded" and (payment.received_amount, payment.received_currency) != (
        seen.amount,
        seen.currency,
    ):
        yield Finding(
            "sums agree with Stripe's", payment.public_id, f"{payment.received_amount} here, {seen.amount} there"
        )


def _may_be_paying(payment: Payment, late: datetime) -> bool:
    """An older session may be paid at this moment, as long as it is open."""
    return payment.is_live and payment.expires_at is not None and payment.expires_at > late


def _may_be_open(payment: Payment, late: datetime) -> bool:
    """A stay that stopped waiting a moment ago has its session closed by the worker."""
    stay = payment.reservation
    return (payment.is_live and stay.status == "pending") or stay.updated_at > late


def refunds_agree(deps: Deps, since: datetime) -> Iterator[Finding]:
    """Every refund of our payments is in our books in the same state, and each of ours was made once."""
    made: Counter[str] = Counter()
    new = {seen.stripe_id for seen in deps.stripe.refunds_since(deps.now() - WORKER_TIME)}
    for seen in deps.stripe.refunds_since(since):
        if not Payment.get_or_none(Payment.payment_intent_id == seen.payment_intent_id):
            continue
        made[seen.refund_id] += 1
        if seen.stripe_id not in new:
            yield from _compare_refund(seen)
    for refund_id, count in made.items():
        if refund_id and count > 1:
            yield Finding("one refund is made once", refund_id, f"{count} at Stripe")


def _compare_refund(seen: RefundSeen) -> Iterator[Finding]:
    refund = Refund.get_or_none(Refund.stripe_id == seen.stripe_id)
    if refund is None:
        yield Finding("every refund at Stripe is in our books", seen.stripe_id, f"{seen.amount} {seen.currency} is not")
    elif (refund.status, refund.amount) != (seen.status, seen.amount):
        what = f"{refund.status} {refund.amount} here, {seen.status} {seen.amount} there"
        yield Finding("refunds agree with Stripe's", refund.public_id, what)


def disputes_agree(deps: Deps, since: datetime) -> Iterator[Finding]:
    new = {seen.stripe_id for seen in deps.stripe.disputes_since(deps.now() - WORKER_TIME)}
    for seen in deps.stripe.disputes_since(since):
        if seen.stripe_id not in new and Payment.get_or_none(Payment.payment_intent_id == seen.payment_intent_id):
            yield from _compare_dispute(seen)


def _compare_dispute(seen: DisputeSeen) -> Iterator[Finding]:
    dispute = Dispute.get_or_none(Dispute.stripe_id == seen.stripe_id)
    if dispute is None or dispute.status != seen.status:
        here = dispute.status if dispute else "unknown"
        yield Finding("disputes agree with Stripe's", seen.stripe_id, f"{here} here, {seen.status} there")


COMPARISONS: tuple[Callable[[Deps, datetime], Iterator[Finding]], ...] = (payments_agree, refunds_agree, disputes_agree)
