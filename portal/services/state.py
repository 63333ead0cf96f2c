"""The one door for a change of state: the table of allowed changes, a guarded update, and the audit entry with it."""

from datetime import datetime
from typing import Any

from portal import prepared
from portal.db import must_be_in_transaction
from portal.domain import states
from portal.models import Payment, Refund, Reservation
from portal.services import audit

_EDGES: dict[type, states.Edges] = {
    Reservation: states.RESERVATION,
    Payment: states.PAYMENT,
    Refund: states.REFUND,
}

Stateful = Reservation | Payment | Refund


class ForbiddenChange(Exception):
    """The change is not in the table: a mistake of ours, and the whole transaction is taken back."""


class StaleRow(Exception):
    """The row changed under us, which its lock should have prevented: the whole transaction is taken back."""


def begin(row: Stateful, *, actor: str, cause: str, now: datetime) -> None:
    """Write down that a new row came into being in its first state. In the transaction that inserted it."""
    _audit(row, None, actor, cause, now)


def move(
    row: Stateful, new: str, *, actor: str, cause: str, now: datetime, unchanged: tuple[str, ...] = (), **also: Any
) -> None:
    """Change the state of a locked row and any columns that belong to the change, and write the audit entry.
    `unchanged`: columns that have to be, like the state, still as they were read; StaleRow otherwise."""
    must_be_in_transaction()
    model, old = type(row), row.status
    if not states.may_move(_EDGES[model], old, new):
        raise ForbiddenChange(f"{_name(row)}: {old} -> {new} ({cause})")
    changes = {"status": new, **also}
    if hasattr(model, "updated_at"):
        changes["updated_at"] = now
    as_read = {column: getattr(row, column) for column in unchanged}
    if prepared.update(model, changes, id=row.id, status=old, **as_read) != 1:
        raise StaleRow(f"{_name(row)}: no longer {old}, or changed otherwise")
    for column, value in changes.items():
        setattr(row, column, value)
    _audit(row, old, actor, cause, now)


def _audit(row: Stateful, old: str | None, actor: str, cause: str, now: datetime) -> None:
    entity = type(row).__name__.lower()
    audit.write(entity, _name(row), from_state=old, to_state=row.status, actor=actor, cause=cause, now=now)


def _name(row: Stateful) -> str:
    return row.code if isinstance(row, Reservation) else row.public_id
