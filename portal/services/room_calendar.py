"""Which room is whose on which night, for some days in a row."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import peewee

from portal.domain import hotel_time
from portal.models import Reservation, Room, RoomNight

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Nights in a row that are alike: of one `stay`, or without one and `blocked`, or free. Only those that are shown;
    `began_before` and `goes_on` say that there are more before or after them."""

    nights: list[date]
    stay: Reservation | None
    blocked: bool
    began_before: bool
    goes_on: bool

    @property
    def first(self) -> date:
        return self.nights[0]

    @property
    def last(self) -> date:
        return self.nights[-1]


@dataclass(frozen=True)
class RoomRow:
    room: Room
    spans: list[Span]


@dataclass(frozen=True)
class Calendar:
    days: list[date]
    rooms: list[RoomRow]

    @property
    def first(self) -> date:
        return self.days[0]

    @property
    def last(self) -> date:
        return self.days[-1]

    @property
    def months(self) -> list[tuple[date, int]]:
        """The first shown day of each month, and how many of its days are shown."""
        by_month = [list(days) for _, days in groupby(self.days, key=lambda day: (day.year, day.month))]
        return [(days[0], len(days)) for days in by_month]


def read_calendar(first: date, days: int) -> Calendar:
    """The nights of all rooms from that day on. Two statements, whatever the number of rooms and stays."""
    shown = hotel_time.nights(first, first + timedelta(days=days))
    rooms = list_rooms()
    # One night more on each side, to see what goes on there.
    owners = _owners(rooms, first - ONE_DAY, shown[-1] + ONE_DAY)
    return Calendar(shown, [RoomRow(room, _spans(owners, room.id, shown)) for room in rooms])


def list_rooms() -> list[Room]:
    """As people count: Room 2 before Room 10."""
    return sorted(Room.select(), key=lambda room: _in_order(room.name))


def _in_order(name: str) -> list[int | str]:
    """Words and numbers take turns, so that two names never compare one with the other."""
    return [int(part) if part.isdecimal() else part.casefold() for part in re.split(r"(\d+)", name)]


_FREE = object()
_BLOCKED = object()

Owners = dict[tuple[int, date], Any]
"""(room, night) → the Reservation, or _BLOCKED; a free night is not in it."""


def _owners(rooms: list[Room], first: date, last: date) -> Owners:
    query: Any = (
        RoomNight.select(RoomNight, Reservation)
        .join(Reservation, peewee.JOIN.LEFT_OUTER)
        .where((RoomNight.room << [room.id for room in rooms]) & RoomNight.night.between(first, last))
    )
    return {(row.room_id, row.night): row.reservation if row.reservation_id else _BLOCKED for row in query}


def _spans(owners: Owners, room_id: int, shown: list[date]) -> list[Span]:
    def owner(night: date) -> Any:
        found = owners.get((room_id, night), _FREE)
        return found.id if isinstance(found, Reservation) else found

    spans = []
    for whose, run in groupby(shown, key=owner):
        nights = list(run)
        stay = owners.get((room_id, nights[0]))
        spans.append(
            Span(
                nights,
                stay=stay if isinstance(stay, Reservation) else None,
                blocked=whose is _BLOCKED,
                began_before=nights[0] == shown[0] and owner(nights[0] - ONE_DAY) == whose,
                goes_on=nights[-1] == shown[-1] and owner(nights[-1] + ONE_DAY) == whose,
            )
        )
    return spans
