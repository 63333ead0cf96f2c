"""The log of who changed what: ids, states, names of fields and sums, and never anything about a person."""

from datetime import datetime

from portal import prepared
from portal.db import must_be_in_transaction
from portal.models import AuditLog, Reservation


def write(
    entity: str,
    entity_id: object,
    *,
    to_state: str,
    actor: str,
    cause: str,
    now: datetime,
    from_state: str | None = None,
) -> None:
    """One line, in the transaction of what it is about."""
    must_be_in_transaction()
    prepared.insert(
        AuditLog,
        entity=entity,
        entity_id=str(entity_id),
        from_state=from_state,
        to_state=to_state,
        actor=actor,
        cause=cause,
        at=now,
    )


def note(reservation: Reservation, *, actor: str, cause: str, now: datetime) -> None:
    """What somebody did to a stay that leaves it in its state."""
    state = reservation.status
    write("reservation", reservation.code, from_state=state, to_state=state, actor=actor, cause=cause, now=now)
