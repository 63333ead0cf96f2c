"""Payments that a guest's bank takes back: stored, told to staff with the day an answer is due; refunds wait."""

from portal.db import lock
from portal.deps import Deps
from portal.domain import states
from portal.gateways.stripe_seen import DisputeSeen
from portal.models import Dispute, Payment, Refund, Reservation
from portal.services import money_back, state
from portal.services.alerts import raise_alert

NOTHING_TO_DO = ("won", "warning_closed")


def settle_dispute_inside(deps: Deps, seen: DisputeSeen) -> str:
    """Bring our row in line; `pending` while its payment is not known, `skipped` when it has none of ours. A final
    state is never left again."""
    if not seen.payment_intent_id:
        return "skipped"
    found = Payment.get_or_none(Payment.payment_intent_id == seen.payment_intent_id)
    if found is None:
        return "pending"
    reservation = lock(Reservation, found.reservation_id)
    payment = lock(Payment, found.id)
    known = Dispute.get_or_none(Dispute.stripe_id == seen.stripe_id)
    if known is None:
        _insert(deps, payment, seen)
    elif states.dispute_may_follow(known.status, seen.status, fresh=seen.fresh):
        change = {"status": seen.status, "due_by": seen.due_by, "updated_at": deps.now()}
        Dispute.update(change).where(Dispute.id == known.id).execute()
    else:
        return "success"  # no news: what staff have dealt with is not told again
    if seen.status not in NOTHING_TO_DO:
        _tell_staff(deps, reservation, payment, seen)
    if seen.status == "lost":
        _end_waiting_refunds(deps, payment)
    elif seen.status in states.ENDED_DISPUTE:
        _let_refunds_go(deps, payment)
    return "success"


def _tell_staff(deps: Deps, reservation: Reservation, payment: Payment, seen: DisputeSeen) -> None:
    """Once for each of its states: what staff have dealt with does not come back."""
    raise_alert(
        "dispute",
        f"{seen.stripe_id}:{seen.status}",
        now=deps.now(),
        reservation=reservation,
        payment=payment,
        due_by=seen.due_by,
        again=False,
        amount=seen.amount,
        currency=seen.currency,
        reason=seen.reason,
    )


def _insert(deps: Deps, payment: Payment, seen: DisputeSeen) -> None:
    now = deps.now()
    Dispute.insert(
        payment=payment,
        stripe_id=seen.stripe_id,
        amount=seen.amount,
        currency=seen.currency,
        reason=seen.reason,
        status=seen.status,
        due_by=seen.due_by,
        created_at=now,
        updated_at=now,
    ).execute()


def _let_refunds_go(deps: Deps, payment: Payment) -> None:
    """What waited for the bank's word is sent at once; its pauses had grown meanwhile."""
    waiting = (Refund.payment == payment.id) & (Refund.provider == "stripe") & (Refund.status << ("todo", "sent"))
    Refund.update(next_try_at=deps.now(), tries=0).where(waiting).execute()


def _end_waiting_refunds(deps: Deps, payment: Payment) -> None:
    """The bank has taken the whole payment: what still waits to be sent would be paid twice."""
    waiting = (Refund.payment == payment.id) & (Refund.status == "todo")
    for refund in Refund.select().where(waiting):
        row = lock(Refund, refund.id)
        if money_back.of_payment(row.payment).owed(row) == 0:
            state.move(row, "canceled", actor="portal", cause="dispute lost", now=deps.now())
