"""Nights that the hotel keeps to itself: a leaking roof, the owner's cousin, the winter. No stay can have them.

The unique index on (room, night) decides between a block and a stay that want the same night at the same moment."""

from datetime import date, timedelta
from typing import Any

from portal.db import transaction
from portal.deps import Deps
from portal.domain import hotel_time
from portal.errors import N_
from portal.models import AuditLog, Reservation, Room, RoomNight
from portal.services import reservations
from portal.services.new_reservation import LONGEST_AHEAD

MOST = 366
"""Nights in one go; more is a slip in the year."""

NO_SUCH_ROOM = N_("There is no room with this name.")
IS_OVER = N_("This night is over. Block nights from today on.")
TOO_FAR = N_("This is more than five years away.")
BEFORE_FIRST = N_("The last night must not be before the first.")
TOO_MANY = N_("This is more than a year. Take at most 366 nights at a time.")


class BadNights(Exception):
    """Nights that nobody can mean: {field: why not}."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in problems.items()))
        self.problems = problems


class StaysInTheWay(Exception):
    """Nothing was blocked, because these stays have some of the nights; the earliest first."""

    def __init__(self, stays: list[Reservation]) -> None:
        super().__init__(f"{len(stays)} stays are in the way")
        self.stays = stays


def block(deps: Deps, room_name: str, first: date, last: date, *, actor: str) -> int:
    """Keep the room free of guests from the first night to the last, both included; how many nights were not blocked
    before. All or nothing: StaysInTheWay when a stay has one of them; BadNights."""
    today = reservations.today_at_hotel(deps)
    _check(first, last, today)
    if first < today:
        raise BadNights({"first": IS_OVER})
    with transaction():
        room = _room(room_name)
        # In the order of dates, as stays take theirs: two that want the same nights wait for each other in turn.
        nights = [{"room": room.id, "night": night} for night in hotel_time.nights(first, last + timedelta(days=1))]
        added = int(RoomNight.insert_many(nights).on_conflict_ignore().as_rowcount().execute())
        # Read after the insert, which has waited for whoever was taking one of these nights.
        stays = _stays(room, first, last)
        if stays:
            raise StaysInTheWay(stays)
        if added:
            _note(deps, room, "free", "blocked", f"{added} nights blocked from {first} to {last}", actor)
    return added


def unblock(deps: Deps, room_name: str, first: date, last: date, *, actor: str) -> int:
    """Let guests have the nights again that were blocked from the first to the last, both included; how many those
    were. The nights of stays stay theirs. BadNights."""
    _check(first, last, reservations.today_at_hotel(deps))
    with transaction():
        room = _room(room_name)
        blocked = _between(room, first, last) & RoomNight.reservation.is_null()
        freed = int(RoomNight.delete().where(blocked).execute())
        if freed:
            _note(deps, room, "blocked", "free", f"{freed} nights unblocked from {first} to {last}", actor)
    return freed


def _check(first: date, last: date, today: date) -> None:
    if abs(first - today) > LONGEST_AHEAD:
        raise BadNights({"first": TOO_FAR})
    if abs(last - today) > LONGEST_AHEAD:
        raise BadNights({"last": TOO_FAR})
    if last < first:
        raise BadNights({"last": BEFORE_FIRST})
    if (last - first).days >= MOST:
        raise BadNights({"last": TOO_MANY})


def _room(name: str) -> Room:
    room: Room | None = Room.get_or_none(Room.name == name)
    if room is None:
        raise BadNights({"room": NO_SUCH_ROOM})
    return room


def _between(room: Room, first: date, last: date) -> Any:
    return (RoomNight.room == room.id) & RoomNight.night.between(first, last)


def _stays(room: Room, first: date, last: date) -> list[Reservation]:
    taken = RoomNight.select(RoomNight.reservation).where(
        _between(room, first, last) & RoomNight.reservation.is_null(False)
    )
    return list(Reservation.select().where(Reservation.id << taken).order_by(Reservation.check_in, Reservation.id))


def _note(deps: Deps, room: Room, old: str, new: str, cause: str, actor: str) -> None:
    """By the room's number; in the transaction of what was done."""
    AuditLog.insert(
        entity="room",
        entity_id=str(room.id),
        from_state=old,
        to_state=new,
        actor=actor,
        cause=cause,
        at=deps.now(),
    ).execute()
