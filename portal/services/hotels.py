"""The house: its one row, made with sensible defaults, and its rooms."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import peewee
from email_validator import EmailNotValidError, validate_email
from peewee import fn

from portal.db import must_be_in_transaction, transaction
from portal.domain import brand_colour, money
from portal.domain.cancellation_policy import DEFAULT_POLICY, Policy
from portal.models import Hotel, Reservation, Room, RoomNight
from portal.prepared import Prepared
from portal.services import audit, public_ids
from portal.services.new_reservation import text_problem

EDITABLE = (
    *("name", "tagline", "legal_name", "vat_number", "address", "city", "phone", "phone_hours", "email"),
    *("timezone", "currency", "locale", "check_in_from", "check_out_until"),
)


LONGEST_RETENTION, SHORTEST_RETENTION = 3650, 30
MOST_GUESTS = 50


class BadHotel(Exception):
    """Values that the hotel or a room cannot have: {field: why not}."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field} {problem}" for field, problem in problems.items()))
        self.problems = problems


@dataclass(frozen=True)
class By:
    """Who changes something, and when: for the audit log."""

    actor: str
    now: datetime


def ensure_hotel() -> Hotel:
    """The hotel's row; in a fresh database one is made."""
    with transaction():
        Hotel.insert(
            id=1,
            name="Our hotel",
            timezone="Europe/Lisbon",
            currency="EUR",
            locale="en_GB",
            check_in_from=time(15),
            check_out_until=time(11),
            policy=DEFAULT_POLICY.as_pairs(),
            installation=public_ids.new_installation(),
        ).on_conflict_ignore().execute()
    return get_hotel()


_THE_HOTEL: Prepared[Hotel] = Prepared(lambda: Hotel.select().where(Hotel.id == 1))


def get_hotel() -> Hotel:
    hotel = _THE_HOTEL.first()
    if hotel is None:
        raise peewee.DoesNotExist("the hotel")
    return hotel


def of(reservation: Reservation) -> Hotel:
    """The hotel as it was read along with a stay, or read now."""
    hotel: Hotel | None = getattr(reservation, "hotel", None)
    return get_hotel() if hotel is None else hotel


def set_hotel(by: By | None = None, /, **values: Any) -> list[str]:
    """Change some of the hotel's data; the names of those that really changed. BadHotel names every field that cannot
    be so. The currency stays as it is once there are reservations: their sums are in it."""
    values = {name: value.strip() if _is_words(name, value) else value for name, value in values.items()}
    _check(values)
    with transaction():
        _check_currency(values)
        return store(by, values)


def set_policy(by: By, policy: Policy) -> list[str]:
    """For reservations made from now on; those there are keep their own."""
    with transaction():
        return store(by, {"policy": policy.as_pairs()})


def set_brand_colour(by: By, colour: str) -> list[str]:
    """#rrggbb, or nothing for the colours that the portal comes with."""
    try:
        colour = brand_colour.normal(colour) if colour.strip() else ""
    except ValueError as problem:
        raise BadHotel({"brand_colour": f"is {problem}"}) from problem
    with transaction():
        return store(by, {"brand_colour": colour})


def set_retention(by: By, days: int | None) -> list[str]:
    """Days after check-out until a guest's data may be forgotten; None: what the installation says."""
    if days is not None and not SHORTEST_RETENTION <= days <= LONGEST_RETENTION:
        raise BadHotel({"retention_days": f"must be from {SHORTEST_RETENTION} to {LONGEST_RETENTION} days"})
    with transaction():
        return store(by, {"retention_days": days})


def store(by: By | None, values: dict[str, Any]) -> list[str]:
    """Write down those values of the hotel that differ, with one audit entry; their names. In a transaction."""
    must_be_in_transaction()
    hotel = get_hotel()
    changed = sorted(name for name, value in values.items() if getattr(hotel, name) != value)
    if changed:
        Hotel.update(**{name: values[name] for name in changed}).where(Hotel.id == 1).execute()
        note(by, "hotel", 1, changed)
    return changed


def note(by: By | None, entity: str, entity_id: int | str, changed: Iterable[str], state: str = "changed") -> None:
    """The audit entry of a change: names of fields, never what is in them. In the transaction that makes the change."""
    must_be_in_transaction()
    if by is not None:
        audit.write(entity, entity_id, to_state=state, actor=by.actor, cause=", ".join(changed), now=by.now)


def has_reservations() -> bool:
    return bool(Reservation.select().exists())


def _is_words(name: str, value: Any) -> bool:
    """What people wrote; a code with a blank in it is no code."""
    return isinstance(value, str) and name not in ("timezone", "currency", "locale")


def _check(values: dict[str, Any]) -> None:
    problems = {name: "is not a known setting" for name in values if name not in EDITABLE}
    for name, value in values.items():
        if isinstance(value, str) and (problem := text_problem(value) or _problem(name, value)):
            problems.setdefault(name, problem)
    if problems:
        raise BadHotel(problems)


def _problem(name: str, value: str) -> str | None:
    if name == "name" and not value:
        return "must not be empty"
    if name == "currency" and value not in money.CURRENCY_EXPONENTS:
        return f"must be one of {', '.join(money.CURRENCY_EXPONENTS)}"
    if name == "timezone" and value not in _timezones():
        return "must be a name like Europe/Lisbon"
    if name == "locale" and not re.fullmatch(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,3}", value):
        return "must be a language like en_GB"
    if name == "email" and value and not _is_email(value):
        return "is not an e-mail address"
    return None


@cache
def _timezones() -> set[str]:
    """Read once: it is a look through hundreds of files. "localtime" is whatever the machine is set to."""
    return available_timezones() - {"localtime"}


def _is_email(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def _check_currency(values: dict[str, Any]) -> None:
    if "currency" in values and values["currency"] != get_hotel().currency and has_reservations():
        raise BadHotel({"currency": "cannot change once there are reservations: their sums are in it"})


def add_rooms(names: list[str], description: str = "", capacity: int = 2) -> list[Room]:
    """Add rooms by name; a name that exists already stays as it is."""
    with transaction():
        for name in names:
            Room.insert(name=name, description=description, capacity=capacity).on_conflict_ignore().execute()
    return list(Room.select().where(Room.name << names).order_by(Room.id))


@dataclass(frozen=True)
class RoomLine:
    """A room as the settings show it; `used`: it has reservations or blocked nights, so it cannot be removed."""

    room: Room
    used: bool


def list_rooms() -> list[RoomLine]:
    """All rooms in the order of their names."""
    stays = Reservation.select(Reservation.id).where(Reservation.room == Room.id)
    nights = RoomNight.select(RoomNight.id).where(RoomNight.room == Room.id)
    query = Room.select(Room, (fn.EXISTS(stays) | fn.EXISTS(nights)).alias("used")).order_by(Room.name, Room.id)
    return [RoomLine(room, bool(vars(room)["used"])) for room in query]


def get_room(room_id: int) -> Room:
    """LookupError when there is none."""
    found: Room | None = Room.get_or_none(Room.id == room_id)
    if found is None:
        raise LookupError(f"there is no room {room_id}")
    return found


def is_used(room: Room) -> bool:
    """Whether it has ever had a reservation, or has blocked nights."""
    has_stay = Reservation.select().where(Reservation.room == room.id).exists()
    return bool(has_stay or RoomNight.select().where(RoomNight.room == room.id).exists())


def add_room(by: By, *, name: str, description: str = "", capacity: int = 2) -> Room:
    """One more room; BadHotel when something is wrong with it, or the name is taken."""
    values = _room_values(name, description, capacity)
    try:
        with transaction():
            room: Room = Room.create(**values)
            note(by, "room", room.id, ["added"])
    except peewee.IntegrityError as error:
        raise _name_taken() from error
    return room


def change_room(by: By, room_id: int, *, name: str, description: str, capacity: int) -> list[str]:
    """The names of what changed. LookupError without such a room, BadHotel when it cannot be so."""
    values = _room_values(name, description, capacity)
    try:
        with transaction():
            room = get_room(room_id)
            changed = [field for field, value in values.items() if getattr(room, field) != value]
            if changed:
                Room.update(**values).where(Room.id == room_id).execute()
                note(by, "room", room_id, changed)
    except peewee.IntegrityError as error:
        raise _name_taken() from error
    return changed


def remove_room(by: By, room_id: int) -> Room:
    """Take away a room that was never used. LookupError without such a room, BadHotel when it was used."""
    try:
        with transaction():
            room = get_room(room_id)
            if is_used(room):
                raise BadHotel({"room": "has reservations or blocked nights and stays"})
            Room.delete().where(Room.id == room_id).execute()
            note(by, "room", room_id, ["removed"], "removed")
    except peewee.IntegrityError as error:  # booked in the same moment
        raise BadHotel({"room": "has just been booked and stays"}) from error
    return room


def stays_above(room_id: int, capacity: int, today: date) -> int:
    """How many stays in the room that wait or are confirmed, and are not over, have more guests than that."""
    return int(
        Reservation.select()
        .where(
            (Reservation.room == room_id)
            & (Reservation.status << ("pending", "confirmed"))
            & (Reservation.check_out >= today)
            & (Reservation.adults + Reservation.children > capacity)
        )
        .count()
    )


def _room_values(name: str, description: str, capacity: int) -> dict[str, Any]:
    values = {"name": name.strip(), "description": description.strip(), "capacity": capacity}
    problems = {field: problem for field in ("name", "description") if (problem := text_problem(values[field]))}
    if not values["name"]:
        problems["name"] = "must not be empty"
    if not 1 <= capacity <= MOST_GUESTS:
        problems["capacity"] = f"must be from 1 to {MOST_GUESTS}"
    if problems:
        raise BadHotel(problems)
    return values


def _name_taken() -> BadHotel:
    return BadHotel({"name": "is the name of another room"})
