"""The list that needs a person: one open line per cause, closed only by somebody with a word why."""

from datetime import datetime
from typing import Any

import structlog

from portal.db import must_be_in_transaction, transaction
from portal.models import Alert, Payment, Reservation

log = structlog.get_logger()


def raise_alert(
    kind: str,
    cause: str,
    *,
    now: datetime,
    reservation: Reservation | None = None,
    payment: Payment | None = None,
    due_by: datetime | None = None,
    again: bool = True,
    **details: Any,
) -> None:
    """Add a line unless one of the same kind and cause is open; `again=False`: or was closed, for what is found anew
    each night although a person has dealt with it. Details are ids, codes and sums, no personal data."""
    must_be_in_transaction()
    if not again and Alert.select().where((Alert.kind == kind) & (Alert.cause == cause)).exists():
        return
    added = (
        Alert.insert(
            kind=kind,
            cause=cause,
            reservation=reservation,
            payment=payment,
            details=details,
            due_by=due_by,
            created_at=now,
        )
        .on_conflict_ignore()
        .as_rowcount()
        .execute()
    )
    if added:
        log.warning("alert raised", kind=kind, cause=cause)


def open_alerts() -> list[Alert]:
    """What needs attention, the oldest first."""
    return list(Alert.select().where(Alert.closed_at.is_null()).order_by(Alert.id))


def close_alert(alert_id: int, *, actor: str, why: str, now: datetime) -> Alert:
    """Closed by a person, who says why; LookupError when there is no such open line, ValueError without a word."""
    if not why.strip():
        raise ValueError("say in a word why it is closed")
    with transaction():
        changed = (
            Alert.update(closed_at=now, closed_by=actor, why_closed=why.strip())
            .where((Alert.id == alert_id) & Alert.closed_at.is_null())
            .execute()
        )
    if not changed:
        raise LookupError(f"there is no open alert {alert_id}")
    closed: Alert = Alert.get_by_id(alert_id)
    return closed


def close_alerts(kinds: tuple[str, ...], cause: str, *, actor: str, why: str, now: datetime) -> None:
    """Close what is open of these kinds and this cause, in the transaction that dealt with it."""
    must_be_in_transaction()
    Alert.update(closed_at=now, closed_by=actor, why_closed=why).where(
        (Alert.kind << kinds) & (Alert.cause == cause) & Alert.closed_at.is_null()
    ).execute()
