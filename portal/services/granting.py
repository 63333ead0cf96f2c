"""More tries for a guest whose cards were declined three times."""

from portal.db import lock, transaction
from portal.deps import Deps
from portal.models import Reservation
from portal.services import audit


class MayNotGrant(Exception):
    """The stay no longer waits for money, or somebody else has granted an attempt meanwhile. Nothing was done."""


def grant_attempt(deps: Deps, reservation_id: int, *, extra: int, actor: str) -> None:
    """One attempt more than the `extra` that were granted so far. The alert stays open until a person closes it."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        if reservation.status != "pending" or reservation.extra_attempts != extra:
            raise MayNotGrant
        Reservation.update(extra_attempts=extra + 1, updated_at=deps.now()).where(
            Reservation.id == reservation.id
        ).execute()
        audit.note(reservation, actor=actor, cause="attempt granted", now=deps.now())
