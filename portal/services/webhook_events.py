"""Messages from Stripe: each is stored and has its effect in one transaction, once, whatever the number of copies."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from peewee import fn

from portal import logs, metrics, prepared
from portal.db import DatabaseBusy, lock, transaction
from portal.deps import Deps
from portal.gateways import stripe_gateway
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.gateways.stripe_seen import (
    CHARGE_REFUNDED,
    DISPUTE_EVENTS,
    INTENT_EVENTS,
    REFUND_EVENTS,
    SESSION_EVENTS,
    ChargeSeen,
    DisputeSeen,
    EventSeen,
    PaymentSeen,
    RefundSeen,
)
from portal.models import Alert, Payment, Reservation, WebhookEvent
from portal.models.fields import read_instant
from portal.prepared import Blank, Prepared
from portal.services import disputes, money_back, refunds, settlement
from portal.services.alerts import raise_alert
from portal.services.due import is_due
from portal.services.settlement import SKIPPED

log = structlog.get_logger()

KEPT = timedelta(days=90)
MANY_TRIES = 8
"""After this many a person is told."""

LONGEST_PAUSE = timedelta(hours=1)
WAITING_ALERTS = ("webhook event still waits", "webhook event keeps failing")


def _write_outcome(code: Blank, public_id: Blank, intent: Blank, *rest: Blank) -> Any:
    """What came of an event, and whose it was: our names for stay and payment, or Stripe's for the payment."""
    event_id, result, error, processed_at, payload, tries, next_try_at = rest
    payment_by_intent = Payment.payment_intent_id == intent
    return WebhookEvent.update(
        {
            WebhookEvent.reservation: fn.COALESCE(
                Reservation.select(Reservation.id).where(Reservation.code == code),
                Payment.select(Payment.reservation).where(payment_by_intent),
            ),
            WebhookEvent.payment: fn.COALESCE(
                Payment.select(Payment.id).where(Payment.public_id == public_id),
                Payment.select(Payment.id).where(payment_by_intent),
            ),
            WebhookEvent.result: result,
            WebhookEvent.error_message: error,
            WebhookEvent.processed_at: processed_at.of(WebhookEvent.processed_at),
            WebhookEvent.payload: payload,
            WebhookEvent.tries: tries,
            WebhookEvent.next_try_at: next_try_at.of(WebhookEvent.next_try_at),
        }
    ).where(WebhookEvent.event_id == event_id)


_OUTCOME: Prepared[Any] = Prepared(_write_outcome, blanks=10)


class WrongMode(Exception):
    """A live event at a test portal or the reverse: the endpoint is set up at the wrong place."""


def receive(deps: Deps, event: EventSeen) -> str:
    """Store the event and apply its effect; the answer: success, duplicate, skipped or pending.

    WrongMode for the other mode's event. Any other exception: nothing was kept but a note of the try, and Stripe has
    to send the event again."""
    if event.livemode != deps.settings.livemode:
        _refuse_mode(deps, event)
    try:
        result = _store_and_apply(deps, event)
    except Exception as error:
        _note_error(deps, event, error)
        _count(event, "error")
        raise
    _count(event, result)
    return result


def _count(event: EventSeen, result: str) -> None:
    """Types that have no effect here share a label: whoever signs may name what they like."""
    metrics.count_webhook(event.type if event.type in HANDLERS else "other", result)


def _store_and_apply(deps: Deps, event: EventSeen) -> str:
    with transaction():
        tries = _begin(deps, event)
        if tries is None:
            return "duplicate"
        result = _apply(deps, event)
        _finish(deps, tries, event, result)
    return result


def _begin(deps: Deps, event: EventSeen) -> int | None:
    """How often it was tried before, its row now being ours; None: it has had its effect."""
    if _insert(deps, event):
        return 0
    row = lock(WebhookEvent, event.id)
    return None if row.processed_at else int(row.tries)


def _apply(deps: Deps, event: EventSeen) -> str:
    handler = HANDLERS.get(event.type)
    return handler(deps, event) if handler else SKIPPED


def _settle_payment(deps: Deps, event: EventSeen) -> str:
    seen = event.about
    return settlement.settle_inside(deps, seen, cause=event.type) if isinstance(seen, PaymentSeen) else SKIPPED


def _settle_refund(deps: Deps, event: EventSeen) -> str:
    seen = event.about
    if not isinstance(seen, RefundSeen) or not seen.payment_intent_id:
        return SKIPPED  # of a charge without a payment intent: never one of ours
    return refunds.settle_refund_inside(deps, seen, cause=event.type)


def _settle_dispute(deps: Deps, event: EventSeen) -> str:
    seen = event.about
    if not isinstance(seen, DisputeSeen) or not seen.payment_intent_id:
        return SKIPPED
    return disputes.settle_dispute_inside(deps, seen)


def _compare_refunds(_: Deps, event: EventSeen) -> str:
    """A charge tells only how much went back. Unless our books say the same, its refunds have to be asked for."""
    seen = event.about
    if not isinstance(seen, ChargeSeen) or not seen.payment_intent_id:
        return SKIPPED
    payment = Payment.get_or_none(Payment.payment_intent_id == seen.payment_intent_id)
    return settlement.SUCCESS if payment and money_back.on_its_way(payment) >= seen.refunded else settlement.PENDING


HANDLERS: dict[str, Callable[[Deps, EventSeen], str]] = {
    **dict.fromkeys((*SESSION_EVENTS, *INTENT_EVENTS), _settle_payment),
    **dict.fromkeys(REFUND_EVENTS, _settle_refund),
    **dict.fromkeys(DISPUTE_EVENTS, _settle_dispute),
    CHARGE_REFUNDED: _compare_refunds,
}
"""What each kind of message does. A kind that is not listed is answered with 200 and skipped."""


def _insert(deps: Deps, event: EventSeen) -> bool:
    """Insert first: a second copy at the same moment waits for this transaction and then finds its work done. False:
    the row was there. Its payload is only written with an outcome that needs it."""
    now = deps.now()
    added = prepared.insert(
        WebhookEvent,
        unless_there=True,
        event_id=event.id,
        type=event.type,
        object_id=event.object_id,
        created=event.created,
        livemode=event.livemode,
        payload_hash=stripe_gateway.payload_hash(event.raw),
        received_at=now,
        result="pending",
        next_try_at=now,
    )
    return bool(added)


def _finish(deps: Deps, tries: int, event: EventSeen, result: str, *, error: str | None = None) -> None:
    """Note what came of it, after so many tries before. The payload holds personal data, so it is kept only while the
    event has not had its effect."""
    done, now = result in (settlement.SUCCESS, SKIPPED), deps.now()
    _OUTCOME.run(
        *_whose(event.about),
        event.id,
        result,
        error,
        now if done else None,
        None if done else event.raw,
        tries + 1,
        None if done else now + _back_off(tries),
    )
    if not done and tries + 1 == MANY_TRIES:
        still_waits, keeps_failing = WAITING_ALERTS
        raise_alert(keeps_failing if error else still_waits, event.id, now=now, type=event.type)


def _whose(seen: object) -> tuple[str, str, str]:
    """The reservation's code, the payment's public id, Stripe's id of its intent; "" for what does not count."""
    if isinstance(seen, RefundSeen | DisputeSeen | ChargeSeen):
        return "", "", seen.payment_intent_id
    return (seen.names.reservation, seen.names.payment, "") if isinstance(seen, PaymentSeen) else ("", "", "")


def _note_error(deps: Deps, event: EventSeen, error: Exception) -> None:
    """In a second transaction: the first was taken back with everything in it."""
    log.error("webhook failed", event_id=event.id, type=event.type, error=type(error).__name__)
    try:
        with transaction():
            tries = _begin(deps, event)
            if tries is not None:
                _finish(deps, tries, event, "error", error=type(error).__name__)
    except DatabaseBusy:
        log.error("webhook failure could not be noted", event_id=event.id)


def _refuse_mode(deps: Deps, event: EventSeen) -> None:
    with transaction():
        raise_alert("webhook of the other mode", f"livemode={event.livemode}", now=deps.now(), event=event.id)
    raise WrongMode(event.id)


def _back_off(tries: int) -> timedelta:
    return min(LONGEST_PAUSE, timedelta(seconds=5 * 2 ** min(tries, 12)))


# For the worker -----------------------------------------------------------------------------------------------------


def retry_waiting(deps: Deps) -> int:
    """Apply stored events that failed or had to wait; how many were done. One that fails does not stop the others, and
    none is ever given up: the pauses grow to an hour, and a person is told."""
    waiting = WebhookEvent.processed_at.is_null() & is_due(WebhookEvent.next_try_at, deps.now(), LONGEST_PAUSE)
    due = WebhookEvent.select().where(waiting)
    return sum(_retry(deps, row) for row in list(due.order_by(WebhookEvent.next_try_at).limit(100)))


def _retry(deps: Deps, row: WebhookEvent) -> bool:
    with logs.about(event_id=row.event_id):
        return _apply_stored(deps, row)


def _apply_stored(deps: Deps, row: WebhookEvent) -> bool:
    event = stripe_gateway.parse_stored_event(str(row.payload))
    try:
        return _ask_first(deps, event) and _store_and_apply(deps, event) != settlement.PENDING
    except DatabaseBusy:
        raise
    except StripeUnavailable as error:
        log.warning("event waits for Stripe", event_id=event.id, stripe_code=error.code)
        _postpone(deps, row)
    except Exception as error:
        _note_error(deps, event, error)
    return False


def count_waiting() -> dict[str, int]:
    """How many events wait (`pending`) or failed (`error`) and are tried again."""
    result, count = WebhookEvent.result, fn.COUNT(WebhookEvent.event_id)
    query: Any = WebhookEvent.select(result, count).where(WebhookEvent.processed_at.is_null()).group_by(result)
    return {str(name): int(number) for name, number in query.tuples()}


def oldest_waiting() -> datetime | None:
    """When the oldest event arrived that has not had its effect."""
    return read_instant(select_oldest_waiting().scalar())


def select_oldest_waiting() -> Any:
    """Not MIN of the column itself: for that, engines walk through all events in the order of their arrival, instead of
    looking at the few that wait."""
    arrived = fn.COALESCE(WebhookEvent.received_at, WebhookEvent.created)
    return WebhookEvent.select(fn.MIN(arrived)).where(WebhookEvent.processed_at.is_null())


def process_again(deps: Deps, event_id: str) -> str:
    """Apply a stored event now because a person asks; the answer: done before, done, pending or error. LookupError when
    there is no such event."""
    row = WebhookEvent.get_or_none(WebhookEvent.event_id == event_id)
    if row is None:
        raise LookupError(event_id)
    if row.processed_at:
        return "done before"  # its payload is gone
    _retry(deps.for_one_request(), row)
    after = WebhookEvent.get_by_id(event_id)
    return "done" if after.processed_at else str(after.result)


def _postpone(deps: Deps, row: WebhookEvent) -> None:
    """An outage of Stripe's is no fault of the event: it costs no try."""
    age = deps.now() - row.received_at
    with transaction():
        WebhookEvent.update(next_try_at=deps.now() + min(LONGEST_PAUSE, max(timedelta(seconds=10), age / 4))).where(
            WebhookEvent.event_id == row.event_id
        ).execute()


def _ask_first(deps: Deps, event: EventSeen) -> bool:
    """What an event about a refund or a dispute needs to be applied: its payment, known and settled. False: all is done
    already, or the object is another program's. StripeUnavailable when Stripe cannot be asked."""
    seen = event.about
    if not isinstance(seen, RefundSeen | DisputeSeen | ChargeSeen):
        return True
    try:
        ours = settlement.settle(deps, deps.stripe.get_intent(seen.payment_intent_id), cause="asked for an event")
        if ours == settlement.SUCCESS and isinstance(seen, ChargeSeen):
            _settle_all_refunds(deps, seen.payment_intent_id)
    except StripeRefused as error:
        log.warning("Stripe knows no such payment", event_id=event.id, stripe_code=error.code)
        ours = SKIPPED
    if ours == SKIPPED or isinstance(seen, ChargeSeen):
        _close(deps, event, settlement.SUCCESS if ours == settlement.SUCCESS else SKIPPED)
        return False
    return True


def _settle_all_refunds(deps: Deps, payment_intent_id: str) -> None:
    listed = deps.stripe.list_refunds(payment_intent_id)
    with transaction():
        for refund in listed:
            refunds.settle_refund_inside(deps, refund, cause="asked for an event")


def _close(deps: Deps, event: EventSeen, result: str) -> None:
    with transaction():
        _finish(deps, lock(WebhookEvent, event.id).tries, event, result)


def forget_old(deps: Deps) -> int:
    """Delete events of 90 days ago; how many. One that still waits keeps its payload only while its line in "needs
    attention" is open: Stripe's own objects were compared every night since."""
    named = Alert.select(Alert.cause).where((Alert.kind << WAITING_ALERTS) & Alert.closed_at.is_null())
    nobody_works_on_it = WebhookEvent.processed_at.is_null(False) | WebhookEvent.event_id.not_in(named)
    with transaction():
        old = nobody_works_on_it & (WebhookEvent.received_at < deps.now() - KEPT)
        return int(WebhookEvent.delete().where(old).execute())
