"""What is wrong at this moment and goes away by itself once it is put right: worker, webhooks, mails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee
import structlog

from portal.db import DatabaseBusy, db, transaction
from portal.deps import Deps
from portal.errors import N_
from portal.models import Alert, Cursor, Lease, OutgoingMail, Payment, WebhookEvent
from portal.models.fields import UtcDateTimeField, read_instant
from portal.prepared import Prepared
from portal.services.leases import ALIVE_FOR, HEARTBEAT

log = structlog.get_logger()

SIGNATURE_FAILED = "webhook signature failed"
"""The cursor that remembers when a message last came with a wrong signature."""

NOTED_EVERY = timedelta(minutes=1)
SILENT_AFTER = timedelta(hours=1)
"""Stripe's messages come within seconds; a payment that none has told of by now shows that they do not arrive."""

MAILS_STUCK_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Condition:
    """`name` for programs; the rest for people. `since` is the last or first moment that shows it, None: never seen."""

    name: str
    title: str
    what: str
    do: str
    since: datetime | None


@dataclass(frozen=True)
class Signs:
    """Moments that tell how things are; None where nothing has happened yet."""

    last_event: datetime | None
    signature_failed: datetime | None
    worker_seen: datetime | None
    oldest_mail: datetime | None
    unheard_payment: datetime | None
    """When the first card payment was completed that was begun after Stripe's last message; None too while there is no
    secret, so that none can arrive."""
    open_alerts: int
    """Lines that need a person."""


def count_attention(deps: Deps, row: Any) -> int:
    """How much asks for a person: open lines, and what is wrong now. `row` was read with `select_signs`."""
    signs = _signs(deps, [getattr(row, name) for name in _NAMES])
    return signs.open_alerts + len(_wrong(deps, signs))


def conditions(deps: Deps) -> list[Condition]:
    """Everything that is wrong now, worst first."""
    return _wrong(deps, read_signs(deps))


def _wrong(deps: Deps, signs: Signs) -> list[Condition]:
    found = (_worker(deps, signs), _signatures(signs), _silence(deps, signs), _mails(deps, signs))
    return [condition for condition in found if condition]


_LONG_AGO = UtcDateTimeField().db_value(datetime(1970, 1, 1, tzinfo=UTC))


def select_signs() -> list[Any]:
    """Columns for the statement that every page of the staff begins with; each looks at one or two rows, whatever their
    number."""
    last_event = WebhookEvent.select(peewee.fn.MAX(WebhookEvent.received_at))
    waiting = OutgoingMail.sent_at.is_null() & OutgoingMail.given_up_at.is_null()
    begun_since = Payment.created_at > peewee.fn.COALESCE(last_event, _LONG_AGO)
    by_card = (Payment.provider == "stripe") & Payment.completed_at.is_null(False)
    signs: dict[str, Any] = {
        "last_event": last_event,
        "signature_failed": Cursor.select(Cursor.updated_at).where(Cursor.name == SIGNATURE_FAILED),
        "worker_until": Lease.select(Lease.until).where(Lease.name == HEARTBEAT),
        "oldest_mail": OutgoingMail.select(peewee.fn.MIN(OutgoingMail.created_at)).where(waiting),
        "unheard_payment": Payment.select(Payment.completed_at)
        .where((Payment.status == "succeeded") & begun_since & by_card)
        .order_by(Payment.created_at)
        .limit(1),
        "open_alerts": Alert.select(peewee.fn.COUNT(Alert.id)).where(Alert.closed_at.is_null()),
    }
    return [query.alias(name) for name, query in signs.items()]


_NAMES = ("last_event", "signature_failed", "worker_until", "oldest_mail", "unheard_payment", "open_alerts")
_SIGNS: Prepared[tuple[Any, ...]] = Prepared(lambda: peewee.Select(columns=select_signs()).bind(db).tuples())


def read_signs(deps: Deps) -> Signs:
    return _signs(deps, _SIGNS.all()[0])


def _signs(deps: Deps, values: Sequence[Any]) -> Signs:
    *moments, open_alerts = values
    last, failure, until, oldest, unheard = map(read_instant, moments)
    return Signs(
        last_event=last,
        signature_failed=failure,
        worker_seen=until - ALIVE_FOR if until else None,
        oldest_mail=oldest,
        unheard_payment=unheard if deps.webhook_secrets() else None,
        open_alerts=int(open_alerts),
    )


def _worker(deps: Deps, signs: Signs) -> Condition | None:
    if signs.worker_seen and signs.worker_seen + ALIVE_FOR > deps.now():
        return None
    return Condition(
        "worker not alive",
        N_("The worker is not running"),
        N_("Refunds, mails and holds that run out wait until it is back. Guests can still pay."),
        N_("Start it: python -m portal worker. Whoever runs the portal should see to it that it always runs."),
        signs.worker_seen,
    )


def _signatures(signs: Signs) -> Condition | None:
    """Only while no good message has come since."""
    if signs.signature_failed is None or (signs.last_event and signs.last_event >= signs.signature_failed):
        return None
    return Condition(
        "webhook signatures fail",
        N_("Messages to the webhook carry a wrong signature"),
        N_("They were refused, and no good one has come since. Payments are still found, but later."),
        N_("Compare STRIPE_WEBHOOK_SECRET with the signing secret in Stripe's dashboard, and check the clock."),
        signs.signature_failed,
    )


def _silence(deps: Deps, signs: Signs) -> Condition | None:
    if signs.unheard_payment is None or signs.unheard_payment > deps.now() - SILENT_AFTER:
        return None
    return Condition(
        "webhooks silent",
        N_("Stripe's messages do not arrive"),
        N_("Guests paid by card, and Stripe sent no message about it. Payments are still found, but later."),
        N_("In Stripe's dashboard, Developers, Webhooks: check the endpoint's address and its failed deliveries."),
        signs.last_event,
    )


def _mails(deps: Deps, signs: Signs) -> Condition | None:
    if not deps.mail.is_on or signs.oldest_mail is None or signs.oldest_mail > deps.now() - MAILS_STUCK_AFTER:
        return None
    return Condition(
        "mails stuck",
        N_("Mails to guests are waiting"),
        N_("The oldest unsent mail is more than an hour old."),
        N_("Check that the worker runs and that SMTP_URL is right. They are sent by themselves then."),
        signs.oldest_mail,
    )


def note_bad_signature(deps: Deps) -> None:
    """Remember the time, at most once a minute, so that a flood of forged messages writes next to nothing. Never fails:
    the answer to whoever sent it must not depend on it."""
    now = deps.now()
    try:
        lately = Cursor.select().where((Cursor.name == SIGNATURE_FAILED) & (Cursor.updated_at > now - NOTED_EVERY))
        if lately.exists():
            return
        with transaction():
            Cursor.insert(name=SIGNATURE_FAILED, value="", updated_at=now).on_conflict_ignore().execute()
            Cursor.update(updated_at=now).where(Cursor.name == SIGNATURE_FAILED).execute()
    except (DatabaseBusy, peewee.PeeweeException) as error:
        log.warning("wrong signature could not be noted", error=type(error).__name__)
