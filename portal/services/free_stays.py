"""Stays that cost nothing: there is nothing to pay, so a person confirms them."""

from portal.db import lock, transaction
from portal.deps import Deps
from portal.models import Reservation
from portal.services import state


class NotFree(Exception):
    """The stay costs something or is not pending. Nothing was done."""


def confirm_free(deps: Deps, reservation_id: int, *, actor: str) -> None:
    """Confirm a pending stay whose total is 0."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        if reservation.status != "pending" or reservation.total != 0:
            raise NotFree
        state.move(reservation, "confirmed", actor=actor, cause="nothing to pay", now=deps.now())
