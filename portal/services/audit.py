"""What people did to a stay that changes no state, in the same log as the changes of state."""

from datetime import datetime

from portal.db import must_be_in_transaction
from portal.models import AuditLog, Reservation


def note(reservation: Reservation, *, actor: str, cause: str, now: datetime) -> None:
    """Add a line that leaves the stay in its state, in the transaction of what was done. No personal data."""
    must_be_in_transaction()
    AuditLog.insert(
        entity="reservation",
        entity_id=reservation.code,
        from_state=reservation.status,
        to_state=reservation.status,
        actor=actor,
        cause=cause,
        at=now,
    ).execute()
