"""Sending refunds to Stripe and following them to their end. Every send looks first: keys are forgotten after a day,
and backups get restored, but a refund that exists is found by our id in its metadata."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog

from portal import logs
from portal.db import lock, transaction
from portal.deps import Deps
from portal.gateways.stripe_gateway import ApiKeyRefused, KeyInFlight, StripeError, StripeRefused, StripeUnavailable
from portal.gateways.stripe_seen import RefundSeen
from portal.models import Payment, Refund, Reservation
from portal.prepared import Prepared
from portal.services import money_back, refunds, restored, state
from portal.services.alerts import raise_alert
from portal.services.due import has_come, is_due

log = structlog.get_logger()

CLAIMED_FOR = timedelta(minutes=5)
"""Longer than looking and sending take with all their repetitions (140 s): two processes never send the same refund at
the same time."""

NEVER_MADE_AFTER = timedelta(minutes=10)
"""A call may still be on its way; one that is not in Stripe's list by now was never made."""

LONGEST_PAUSE = timedelta(hours=12)


def send_due(deps: Deps, reservation: Reservation | None = None) -> int:
    """Send what waits to be sent, of one reservation or of all, until Stripe is found to be away; how many came to a
    decision: sent, refused, or found to be no longer owed or to wait for a dispute."""
    if restored.is_unreconciled():  # it may have gone out long ago, as a row that this copy does not have
        return 0
    due = (
        Refund.select()
        .join(Payment)
        .where((Refund.provider == "stripe") & (Refund.status << ("todo", "sent")) & _is_due(deps))
    )
    if reservation is not None:
        due = due.where(Payment.reservation == reservation.id)
    decided = 0
    for refund in list(due.order_by(Refund.id).limit(50)):
        try:
            with logs.about(refund=refund.public_id):
                decided += send(deps, refund)
        except StripeRefused as refusal:
            _note_refusal(deps, refund, refusal)
            decided += 1
        except StripeUnavailable as error:
            _note_wait(deps, refund, error)
            if _is_away(error):
                break
    return decided


def _is_due(deps: Deps) -> Any:
    return is_due(Refund.next_try_at, deps.now(), LONGEST_PAUSE)


def _is_away(error: StripeUnavailable) -> bool:
    """Whether the next call would wait in vain, too; otherwise the trouble is with this one refund's key."""
    return not (isinstance(error, KeyInFlight) or error.replayed)


def _note_wait(deps: Deps, refund: Refund, error: StripeUnavailable) -> None:
    """It has its next try in the row. Nobody but a person can mend the API key."""
    log.warning("refund waits for Stripe", refund=refund.public_id, stripe_code=error.code)
    if isinstance(error, ApiKeyRefused):
        with transaction():
            raise_alert("Stripe refuses the API key", error.code, now=deps.now())


def send(deps: Deps, refund: Refund) -> bool:
    """Claim it, look what Stripe has, decide what it has to be now, send it, and record the answer. False: another
    process has claimed it. True: Stripe was asked, and nothing went wrong; that may be that nothing had to be sent."""
    if not _claim(deps, refund):
        return False
    payment = Payment.get_by_id(refund.payment_id)
    intent_id = str(payment.payment_intent_id)
    listed = deps.stripe.list_refunds(intent_id)
    to_send = _decide(deps, refund, listed)
    if to_send is None:
        return True
    names = {"refund": refund.public_id, "payment": payment.public_id}
    try:
        seen = deps.stripe.create_refund(intent_id, to_send.amount, names, to_send.idempotency_key)
    except StripeError as error:
        if isinstance(error, StripeRefused) or error.replayed:
            _use_new_key(deps, to_send)
        raise
    with transaction():
        refunds.settle_refund_inside(deps, seen, cause="refund sent")
    log.info("refund sent", refund=refund.public_id, amount=refund.amount, status=seen.status)
    return True


def _claim(deps: Deps, refund: Refund) -> bool:
    now = deps.now()
    with transaction():
        mine = (Refund.id == refund.id) & _is_due(deps) & (Refund.status << ("todo", "sent"))
        return bool(Refund.update(next_try_at=now + _pause(refund.tries), tries=Refund.tries + 1).where(mine).execute())


def _pause(tries: int) -> timedelta:
    """From a try to the next one, after so many before it."""
    return max(CLAIMED_FOR, min(LONGEST_PAUSE, timedelta(minutes=2 ** min(tries, 10))))


def may_be_under_way(refund: Refund, now: datetime) -> bool:
    """Whether its last try began so short a time ago that it may still be on its way to Stripe."""
    if refund.tries == 0 or refund.next_try_at is None:
        return False
    return bool(now < refund.next_try_at - _pause(refund.tries - 1) + CLAIMED_FOR)


def _decide(deps: Deps, refund: Refund, listed: Iterable[RefundSeen]) -> Refund | None:
    """Settle what Stripe listed; then the row marked as sent, or None when it must not be sent (now, or any more)."""
    now = deps.now()
    with transaction():
        payment = Payment.get_by_id(refund.payment_id)
        lock(Reservation, payment.reservation_id)
        for seen in listed:
            refunds.settle_refund_inside(deps, seen, cause="listed before sending")
        payment, row = lock(Payment, refund.payment_id), lock(Refund, refund.id)
        if row.status not in ("todo", "sent"):
            return None
        unsent = row.first_sent_at is None or now - row.first_sent_at > NEVER_MADE_AFTER
        if money_back.of_payment(row.payment).owed(row) != row.amount:
            if unsent:
                refunds.resize(deps, row)
            return None
        if money_back.dispute_of(payment):
            return None
        first = row.first_sent_at or now
        if row.status == "todo":
            state.move(row, "sent", actor="portal", cause="sending", now=now, first_sent_at=first)
        return row


def _use_new_key(deps: Deps, refund: Refund) -> None:
    """Stripe has answered this key for good and made nothing; it would only repeat that answer for a day. The next try
    looks first like every other."""
    with transaction():
        same = (Refund.id == refund.id) & (Refund.idempotency_key == refund.idempotency_key)
        Refund.update(idempotency_key=f"ref:{refund.public_id}:{deps.now():%Y%m%d%H%M%S}").where(same).execute()


def _note_refusal(deps: Deps, refund: Refund, refusal: StripeRefused) -> None:
    """Stripe said no and made nothing. The next look decides what is right by then; a person is told at once."""
    log.warning("refund refused", refund=refund.public_id, stripe_code=refusal.code)
    with transaction():
        raise_alert(
            "refund refused by Stripe",
            refund.public_id,
            now=deps.now(),
            reservation=refund.payment.reservation,
            payment=refund.payment,
            code=refusal.code,
            amount=refund.amount,
        )


_TO_FOLLOW: Prepared[Refund] = Prepared(
    lambda now, too_far: (
        Refund.select()
        .where(
            (Refund.provider == "stripe")
            & (Refund.status << ("pending", "requires_action"))
            & (Refund.next_try_at.is_null() | has_come(Refund.next_try_at, now, too_far))
        )
        .order_by(Refund.id)
        .limit(100)
    )
)
"""With the states in its text: PostgreSQL keeps one plan for it before long, and for any states at all that would be a
walk through all refunds there ever were."""


def follow(deps: Deps) -> int:
    """Ask Stripe about refunds that are not final, at growing intervals, until it is found to be away; how many were
    asked about."""
    now, asked = deps.now(), 0
    for refund in _TO_FOLLOW.all(now, now + LONGEST_PAUSE):
        _ask_later(deps, refund)
        try:
            listed = deps.stripe.list_refunds(str(refund.payment.payment_intent_id))
        except StripeRefused as error:
            log.warning("refund cannot be followed", refund=refund.public_id, stripe_code=error.code)
            continue
        except StripeUnavailable as error:
            log.warning("refund cannot be followed now", refund=refund.public_id, stripe_code=error.code)
            if _is_away(error):
                break
            continue
        _record(deps, refund, listed)
        asked += 1
    return asked


def _ask_later(deps: Deps, refund: Refund) -> None:
    """Before asking, so that whatever goes wrong it is not asked about without a pause."""
    age = deps.now() - refund.created_at
    pause = min(LONGEST_PAUSE, max(timedelta(minutes=1), age / 4))
    with transaction():
        Refund.update(next_try_at=deps.now() + pause).where(Refund.id == refund.id).execute()


def _record(deps: Deps, refund: Refund, listed: Iterable[RefundSeen]) -> None:
    with transaction():
        lock(Reservation, refund.payment.reservation_id)
        for seen in listed:
            refunds.settle_refund_inside(deps, seen, cause="asked about refunds")
