"""Figures for /metrics that stand in the database: the same whichever process is asked. Three small statements, each on
an index, so that they stay fast however long the hotel has been open."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee

from portal.db import db
from portal.deps import Deps
from portal.domain import states
from portal.models import Alert, Lease, OutgoingMail, Payment, Refund, WebhookEvent
from portal.models.fields import read_instant
from portal.prepared import Prepared
from portal.services import webhook_events
from portal.services.alert_lines import WORDS
from portal.services.leases import ALIVE_FOR, HEARTBEAT

LATELY = timedelta(hours=24)
OUTCOMES = (*(state for state in states.PAYMENT if state != "succeeded"), "kept", "returned")
"""What became of a payment; money that came was kept or goes back."""

QUEUES = ("refunds", "mails", "webhook events", "creating payments")


@dataclass(frozen=True)
class Figures:
    """Ages in seconds; None: that has never happened."""

    payments: dict[str, int]
    """Payments begun in the last 24 hours by outcome, each of OUTCOMES."""
    oldest_waiting: dict[str, float]
    """Age of the oldest row of each of QUEUES; 0: nothing waits."""
    last_event: float | None
    alerts: dict[str, int]
    """Open ones by kind: each kind there is, and `other`."""
    worker_seen: float | None


def _select_moments() -> list[Any]:
    to_send = (Refund.status << ("todo", "sent")) & (Refund.provider == "stripe")
    unsent = OutgoingMail.sent_at.is_null() & OutgoingMail.given_up_at.is_null()
    moments = (
        Refund.select(peewee.fn.MIN(Refund.created_at)).where(to_send),
        OutgoingMail.select(peewee.fn.MIN(OutgoingMail.created_at)).where(unsent),
        webhook_events.select_oldest_waiting(),
        Payment.select(peewee.fn.MIN(Payment.created_at)).where(Payment.status == "creating"),
        WebhookEvent.select(peewee.fn.MAX(WebhookEvent.received_at)),
        Lease.select(Lease.until).where(Lease.name == HEARTBEAT),
    )
    return [query.alias(f"m{n}") for n, query in enumerate(moments)]


_MOMENTS: Prepared[tuple[Any, ...]] = Prepared(lambda: peewee.Select(columns=_select_moments()).bind(db).tuples())
"""With the states in its text, for the plan that PostgreSQL keeps (see `refund_sending`)."""


def read(deps: Deps) -> Figures:
    now = deps.now()
    *waiting, last_event, worker_until = map(read_instant, _MOMENTS.all()[0])
    return Figures(
        payments=_payments(now),
        oldest_waiting={queue: _age(now, since) or 0.0 for queue, since in zip(QUEUES, waiting, strict=True)},
        last_event=_age(now, last_event),
        alerts=_alerts(),
        worker_seen=_age(now, worker_until - ALIVE_FOR if worker_until else None),
    )


def _age(now: datetime, since: datetime | None) -> float | None:
    return max(0.0, (now - since).total_seconds()) if since else None


def _payments(now: datetime) -> dict[str, int]:
    outcome = peewee.fn.COALESCE(Payment.disposition, Payment.status)
    query: Any = (
        Payment.select(outcome, peewee.fn.COUNT(Payment.id)).where(Payment.created_at > now - LATELY).group_by(outcome)
    )
    return {**dict.fromkeys(OUTCOMES, 0), **dict(query.tuples())}


def _alerts() -> dict[str, int]:
    query: Any = (
        Alert.select(Alert.kind, peewee.fn.COUNT(Alert.id)).where(Alert.closed_at.is_null()).group_by(Alert.kind)
    )
    counted = Counter[str]()
    for kind, number in query.tuples():
        counted[kind if kind in WORDS else "other"] += number
    return {kind: counted[kind] for kind in (*WORDS, "other")}
