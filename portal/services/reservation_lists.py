"""The reservations that staff look through, a page at a time."""

from datetime import date
from typing import Any

from portal.domain import guest_match
from portal.models import Reservation, Room
from portal.services.listing import Listing, read_page

VIEWS = ("coming", "unpaid", "changed", "cancelled")


def list_reservations(view: str, *, today: date, after: str | None) -> Listing[Reservation]:
    """One page. `coming`: arrivals from today on, the next first; `unpaid`: those that wait for money, the next arrival
    first; `changed`: all, the last changed first; `cancelled`: the latest arrival first."""
    query: Any = Reservation.select(Reservation, Room).join(Room)
    if view == "changed":
        return read_page(query, Reservation.updated_at, Reservation.id, after=after, newest_first=True)
    if view == "cancelled":
        query = query.where(Reservation.status == "cancelled")
        return read_page(query, Reservation.check_in, Reservation.id, after=after, newest_first=True)
    if view == "unpaid":
        query = query.where(Reservation.status == "pending")
    else:
        query = query.where(Reservation.check_in >= today)
    return read_page(query, Reservation.check_in, Reservation.id, after=after, newest_first=False)


def find_by_code(typed: str) -> Reservation | None:
    """The reservation with this code, dashes and small letters allowed; None for everything else."""
    code = guest_match.normalise_code(typed)
    found: Reservation | None = Reservation.get_or_none(Reservation.code == code) if code else None
    return found
