"""Stays: who, when, for how much, and the nights they own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee

from portal.domain import states
from portal.models.fields import FrozenJsonField, HotelDateField, Table, UtcDateTimeField, check, one_of
from portal.models.hotel import Room

STILL_ON = ("pending", "confirmed")
"""The states of a stay that somebody may arrive for."""


class Reservation(Table):
    """Sums are minor units of `currency`; `check_in` and `check_out` are dates at the hotel."""

    if TYPE_CHECKING:  # columns and look-ups that the library adds by itself
        room_id: int
        lines: peewee.ModelSelect[ReservationLine]

    code = peewee.TextField(unique=True)
    guest_name = peewee.TextField()
    email = peewee.TextField()
    phone = peewee.TextField(default="")
    locale = peewee.TextField()
    room = peewee.ForeignKeyField(Room, backref="reservations")
    check_in = HotelDateField()
    check_out = HotelDateField()
    adults = peewee.IntegerField(default=1)
    children = peewee.IntegerField(default=0)
    total = peewee.BigIntegerField()
    paid = peewee.BigIntegerField(default=0)
    currency = peewee.TextField()
    status = peewee.TextField(default="pending")
    hold_until = UtcDateTimeField()
    policy = FrozenJsonField()
    """The policy of the day the stay was booked; later edits never change a deal."""
    extra_attempts = peewee.IntegerField(default=0)
    link_version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        constraints = [
            check("reservation_paid_within_total", "0 <= paid AND paid <= total"),
            check("reservation_dates_in_order", "check_in < check_out"),
            check("reservation_guests", "adults >= 1 AND children >= 0"),
            check("reservation_extra_attempts", "extra_attempts >= 0"),
            one_of("reservation_status", "status", states.RESERVATION),
        ]

    @property
    def amount_due(self) -> int:
        return self.total - self.paid


Reservation.add_index(Reservation.index(Reservation.check_in, Reservation.id, name="reservation_check_in_id"))
Reservation.add_index(Reservation.index(Reservation.check_out, Reservation.email, name="reservation_check_out"))
Reservation.add_index(
    Reservation.index(Reservation.status, Reservation.hold_until, name="reservation_status_hold_until")
)
Reservation.add_index(Reservation.index(Reservation.updated_at, Reservation.id, name="reservation_updated_at_id"))
Reservation.add_index(
    Reservation.index(Reservation.status, Reservation.check_in, Reservation.id, name="reservation_status_check_in")
)
Reservation.add_index(
    Reservation.index(Reservation.status, Reservation.updated_at, Reservation.id, name="reservation_status_updated_at")
)
Reservation.add_index(
    Reservation.index(
        Reservation.check_in, Reservation.id, where=Reservation.status << STILL_ON, name="reservation_still_on_check_in"
    )
)


class ReservationWord(Table):
    """A word that staff find the stay by: of its code, the guest's name or e-mail, in small letters without accents.

    Bytes, because both engines sort those alike, and "begins with" is then a range of the index."""

    word = peewee.BlobField()
    reservation = peewee.ForeignKeyField(Reservation, backref="words", index=False)


ReservationWord.add_index(
    ReservationWord.index(ReservationWord.word, ReservationWord.reservation, unique=True, name="reservation_word_once")
)
ReservationWord.add_index(
    ReservationWord.index(ReservationWord.reservation, ReservationWord.word, name="reservation_word_of_reservation")
)


class ReservationLine(Table):
    """One line of the price, in minor units of the reservation's currency."""

    reservation = peewee.ForeignKeyField(Reservation, backref="lines", index=False)
    position = peewee.IntegerField()
    label = peewee.TextField()
    detail = peewee.TextField(default="")
    amount = peewee.BigIntegerField()
    vat_percent = peewee.TextField(null=True)
    """As the hotel wrote it ("6", "5.5"): shown and summed, never a float."""


ReservationLine.add_index(
    ReservationLine.index(
        ReservationLine.reservation, ReservationLine.position, unique=True, name="reservation_line_position"
    )
)


class RoomNight(Table):
    """Who has a room for a night; no reservation: blocked. One row per room and night, so nothing is booked twice."""

    if TYPE_CHECKING:  # the library adds it by itself
        reservation_id: int | None

    room = peewee.ForeignKeyField(Room, backref="nights", index=False)
    night = HotelDateField()
    reservation = peewee.ForeignKeyField(Reservation, backref="nights", null=True)


RoomNight.add_index(RoomNight.index(RoomNight.room, RoomNight.night, unique=True, name="room_night_once"))
