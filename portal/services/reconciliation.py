"""Reconcile: list Stripe's own objects and settle each, because messages about them can be lost for good.

Sessions first, the oldest first, then payment intents, refunds, disputes. Safe to stop at any point and to run
again: what was settled stays settled, and the next run begins where the last complete one began."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from portal import logs
from portal.db import DatabaseBusy, transaction
from portal.deps import Deps
from portal.domain import states
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.gateways.stripe_seen import DisputeSeen, PaymentSeen, RefundSeen
from portal.models import Cursor, Dispute, Payment, Reservation
from portal.services import disputes, hotels, payments, refunds, restored, settlement
from portal.services.alerts import raise_alert

log = structlog.get_logger()

Seen = TypeVar("Seen")

CURSOR = "reconcile"
OVERLAP = timedelta(hours=1)
FIRST_TIME = timedelta(days=35)
Progress = Callable[[str, int], None]


def _silently(kind: str, number: int) -> None:  # what a caller without a terminal passes
    pass


@dataclass
class Report:
    """How many of Stripe's objects were looked at, how many sessions were closed, how many objects need a person."""

    looked_at: dict[str, int] = field(default_factory=dict)
    sessions_closed: int = 0
    failed: int = 0


def reconcile(deps: Deps, since: datetime, progress: Progress = _silently) -> Report:
    """Settle everything that Stripe made since then, and every dispute that is not closed, however old.

    StripeUnavailable when Stripe cannot be reached: what was settled until then stays settled."""
    started, report = deps.now(), Report()
    covers_all = since <= since_last_time(deps)  # otherwise the next run has to look at the gap
    for kind, objects, settle_one in _work(deps, since, report):
        for number, seen in enumerate(objects, 1):
            report.failed += not _settled(deps, kind, seen, settle_one)
            report.looked_at[kind] = number
            progress(kind, number)
    if covers_all:
        _remember(deps, started, all_settled=report.failed == 0)
    log.info("reconciled", **{kind.replace(" ", "_"): count for kind, count in report.looked_at.items()})
    return report


def _settled(deps: Deps, kind: str, seen: Any, settle_one: Callable[..., object]) -> bool:
    """One object that cannot be applied must not hide those after it: a person is told, and the list goes on."""
    try:
        settle_one(seen)
    except (DatabaseBusy, StripeUnavailable):
        raise
    except Exception as error:
        log.error("object cannot be settled", kind=kind, **logs.describe(error))
        name = getattr(seen, "stripe_id", None) or seen.session_id or seen.payment_intent_id
        with transaction():
            raise_alert("cannot be settled", str(name), now=deps.now(), kind_of_object=kind, error=type(error).__name__)
        return False
    return True


def since_last_time(deps: Deps) -> datetime:
    """Where the last complete run began, less an hour for clocks; at the first time, 35 days ago."""
    last = Cursor.get_or_none(Cursor.name == CURSOR)
    return datetime.fromisoformat(last.value) - OVERLAP if last else deps.now() - FIRST_TIME


def reconcile_new(deps: Deps) -> int:
    """For the worker, every hour: what is new since the last complete run."""
    return sum(reconcile(deps, since_last_time(deps)).looked_at.values())


def reconcile_35_days(deps: Deps) -> int:
    """For the worker, every night: everything of the last 35 days."""
    return sum(reconcile(deps, deps.now() - FIRST_TIME).looked_at.values())


def _work(deps: Deps, since: datetime, report: Report) -> Iterator[tuple[str, Iterable[object], Callable[..., object]]]:
    """Each list is asked for when its turn comes: by then the one before it is settled."""
    yield "sessions", _oldest_first(deps.stripe.sessions_since(since)), lambda seen: _settle_session(deps, seen, report)
    yield "payment intents", _oldest_first(deps.stripe.intents_since(since)), lambda seen: _settle_payment(deps, seen)
    yield "refunds", _oldest_first(deps.stripe.refunds_since(since)), lambda seen: _settle_refund(deps, seen)
    yield "disputes", _disputes(deps, since), lambda seen: _settle_dispute(deps, seen)


def _oldest_first(seen: Iterable[Seen]) -> list[Seen]:
    return list(seen)[::-1]


def _settle_session(deps: Deps, seen: PaymentSeen, report: Report) -> None:
    """A session that is open at Stripe but is not the live payment of a waiting reservation must not stay payable."""
    if seen.status == "open" and _is_stray(seen):
        seen = deps.stripe.close_session(str(seen.session_id))
        report.sessions_closed += 1
    _settle_payment(deps, seen)


def _is_stray(seen: PaymentSeen) -> bool:
    if seen.names.portal != hotels.get_hotel().installation:
        return False  # another program's
    reservation = Reservation.get_or_none(Reservation.code == seen.names.reservation)
    payment = payments.find(payments.of_stay(reservation), seen) if reservation else None
    if reservation is None or payment is None or reservation.status != "pending" or not payment.is_live:
        return True
    return payment.session_id not in (None, seen.session_id)


def _settle_payment(deps: Deps, seen: PaymentSeen) -> None:
    settlement.settle(deps, seen, cause="reconciled")


def _settle_refund(deps: Deps, seen: RefundSeen) -> None:
    if not Payment.get_or_none(Payment.payment_intent_id == seen.payment_intent_id):
        _ask_for_intent(deps, seen.payment_intent_id)
    with transaction():
        refunds.settle_refund_inside(deps, seen, cause="reconciled")


def _settle_dispute(deps: Deps, seen: DisputeSeen) -> None:
    if not Payment.get_or_none(Payment.payment_intent_id == seen.payment_intent_id):
        _ask_for_intent(deps, seen.payment_intent_id)
    with transaction():
        disputes.settle_dispute_inside(deps, seen)


def _ask_for_intent(deps: Deps, payment_intent_id: str) -> None:
    """A refund or a dispute may be newer than the time we look at, and its payment older."""
    if not payment_intent_id:
        return
    try:
        settlement.settle(deps, deps.stripe.get_intent(payment_intent_id), cause="reconciled")
    except StripeRefused as error:
        log.warning("payment intent is not to be had", stripe_code=error.code)


def _disputes(deps: Deps, since: datetime) -> Iterator[DisputeSeen]:
    new = list(deps.stripe.disputes_since(since))
    yield from new[::-1]
    seen = {dispute.stripe_id for dispute in new}
    for row in Dispute.select(Dispute.stripe_id).where(Dispute.status.not_in(states.ENDED_DISPUTE)):
        if row.stripe_id not in seen:
            yield deps.stripe.get_dispute(row.stripe_id)


def _remember(deps: Deps, started: datetime, *, all_settled: bool) -> None:
    with transaction():
        if all_settled:
            restored.clear_inside()
        Cursor.insert(name=CURSOR, value=started.isoformat(), updated_at=deps.now()).on_conflict(
            conflict_target=[Cursor.name],
            update={Cursor.value: started.isoformat(), Cursor.updated_at: deps.now()},
        ).execute()
