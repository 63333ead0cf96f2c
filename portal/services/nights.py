"""Who has which room for which night. The unique index on (room, night) is what prevents a double booking."""

from peewee import IntegrityError

from portal.db import must_be_in_transaction, savepoint
from portal.domain import hotel_time
from portal.models import Reservation, RoomNight


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
