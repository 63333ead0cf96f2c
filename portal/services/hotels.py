"""The house: its one row, made with sensible defaults, and its rooms."""

from datetime import time
from typing import Any
from zoneinfo import available_timezones

from portal.db import transaction
from portal.domain import money
from portal.domain.cancellation_policy import DEFAULT_POLICY
from portal.models import Hotel, Room
from portal.services import public_ids
from portal.services.new_reservation import text_problem

EDITABLE = (
    *("name", "tagline", "legal_name", "vat_number", "address", "city", "phone", "phone_hours", "email"),
    *("timezone", "currency", "locale", "check_in_from", "check_out_until"),
)


class BadHotel(Exception):
    """A value that the hotel cannot have; the text says which and why."""


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


def get_hotel() -> Hotel:
    hotel: Hotel = Hotel.get_by_id(1)
    return hotel


def set_hotel(**values: Any) -> Hotel:
    """Change some of the hotel's data; BadHotel for a zone or a currency that does not exist."""
    _check(values)
    with transaction():
        if values:
            Hotel.update(**values).where(Hotel.id == 1).execute()
    return get_hotel()


def _check(values: dict[str, Any]) -> None:
    if unknown := set(values) - set(EDITABLE):
        raise BadHotel(f"no such setting: {', '.join(sorted(unknown))}")
    if not values.get("name", "x").strip():
        raise BadHotel("the name must not be empty")
    if "currency" in values and values["currency"] not in money.CURRENCY_EXPONENTS:
        raise BadHotel(f"currency must be one of {', '.join(money.CURRENCY_EXPONENTS)}")
    # "localtime" is whatever the machine is set to.
    if "timezone" in values and values["timezone"] not in available_timezones() - {"localtime"}:
        raise BadHotel("timezone must be a name like Europe/Lisbon")
    for name, value in values.items():
        if isinstance(value, str) and (problem := text_problem(value)):
            raise BadHotel(f"{name} {problem}")


def add_rooms(names: list[str], description: str = "", capacity: int = 2) -> list[Room]:
    """Add rooms by name; a name that exists already stays as it is."""
    with transaction():
        for name in names:
            Room.insert(name=name, description=description, capacity=capacity).on_conflict_ignore().execute()
    return list(Room.select().where(Room.name << names).order_by(Room.id))
