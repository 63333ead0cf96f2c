"""A database that was restored from a backup does not know what happened since: until it has been reconciled with
Stripe, nobody may be asked for money by it, and its worker sends nothing."""

from datetime import datetime

import structlog

from portal import errors
from portal.db import transaction
from portal.deps import Deps
from portal.errors import Refusal
from portal.models import Cursor
from portal.prepared import Prepared

log = structlog.get_logger()

MARK = "restored from backup"
"""The cursor that a copy carries. Its value is the moment of the backup in UTC, or empty where that is not known."""


_MARKS: Prepared[Cursor] = Prepared(lambda: Cursor.select().where(Cursor.name == MARK))


def is_unreconciled() -> bool:
    return _MARKS.first() is not None


def refuse_payments() -> None:
    """Refusal while a payment that the guest has made may be unknown here."""
    if is_unreconciled():
        log.error("restored backup is not reconciled", do="python -m portal reconcile")
        raise Refusal(errors.PAYMENTS_UNAVAILABLE)


def mark(deps: Deps, at: datetime | None = None) -> None:
    """This database has been restored. `at`: the moment of its backup, if it is known."""
    value = at.isoformat() if at else ""
    with transaction():
        Cursor.insert(name=MARK, value=value, updated_at=deps.now()).on_conflict_ignore().execute()


def clear_inside() -> None:
    """Everything that Stripe knows has been settled; in the caller's transaction."""
    Cursor.delete().where(Cursor.name == MARK).execute()
