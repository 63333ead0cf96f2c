"""Who has which room for which night. The unique index on (room, night) is what prevents a double booking."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from peewee import JOIN, IntegrityError

from portal.db import must_be_in_transaction, savepoint
from portal.domain import hotel_time
from portal.models import Reservation, Room, RoomNight


@dataclass(frozen=True)
class Clash:
    """Nights in a row, `first` to `last`, that somebody has; `reservation` is None when they are blocked."""

    first: date
    last: date
    reservation: Reservation | None


def take_nights(reservation: Reservation) -> bool:
    """Take all nights of the stay, or none: False when somebody has one of them."""
    rows = [
        {"room": reservation.room_id, "night": night, "reservation": reservation.id}
        for night in hotel_time.nights(reservation.check_in, reservation.check_out)
    ]
    try:
        with savepoint():
            RoomNight.insert_many(rows).execute()
    except IntegrityError:
        return False
    return True


def free_nights(reservation: Reservation) -> None:
    """Give the stay's nights back."""
    must_be_in_transaction()
    RoomNight.delete().where(RoomNight.reservation == reservation.id).execute()


def are_free(reservation: Reservation) -> bool:
    """Whether nobody has any night of this stay."""
    return not (
        RoomNight.select()
        .where(
            (RoomNight.room == reservation.room_id)
            & (RoomNight.night >= reservation.check_in)
            & (RoomNight.night < reservation.check_out)
        )
        .exists()
    )


def find_clashes(room: Room, check_in: date, check_out: date, *, but: Reservation | None = None) -> list[Clash]:
    """Who has the room for these nights, the first night first; `but`: not counting what this stay has itself."""
    wanted = (RoomNight.room == room.id) & (RoomNight.night >= check_in) & (RoomNight.night < check_out)
    if but is not None:
        wanted &= RoomNight.reservation.is_null() | (RoomNight.reservation != but.id)
    rows = RoomNight.select(RoomNight, Reservation).join(Reservation, JOIN.LEFT_OUTER).where(wanted)
    return _in_a_row(rows.order_by(RoomNight.night))


def _in_a_row(taken: Iterable[RoomNight]) -> list[Clash]:
    found: list[Clash] = []
    for row in taken:
        owner = row.reservation if row.reservation_id is not None else None
        last = found[-1] if found else None
        if last and last.reservation == owner and last.last == row.night - timedelta(days=1):
            found[-1] = Clash(last.first, row.night, owner)
        else:
            found.append(Clash(row.night, row.night, owner))
    return found
