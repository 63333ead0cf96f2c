"""Columns that read the same on SQLite and PostgreSQL."""

import json
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import peewee
from pydantic_core import from_json

from portal.db import db


class UtcDateTimeField(peewee.Field):
    """An instant. Takes aware datetimes only; gives UTC back. On SQLite a text that sorts as time does."""

    field_type = "TIMESTAMPTZ"

    def db_value(self, value: datetime | None) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone")
        return _instant_as_text(value if value.tzinfo is UTC else value.astimezone(UTC))

    def python_value(self, value: Any) -> datetime | None:
        if value is None:
            return None
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return instant if instant.tzinfo is UTC else instant.astimezone(UTC)


read_instant = UtcDateTimeField().python_value
"""Reads an instant that a statement worked out; to the library it is of no column, so it gives what the driver gave."""


@lru_cache(maxsize=256)
def _instant_as_text(value: datetime) -> str:
    """Of an instant in UTC; remembered, because one transaction writes the same "now" into many rows. In other zones
    two instants can look alike, when a clock change repeats an hour."""
    return value.isoformat(" ", "microseconds")


class HotelDateField(peewee.DateField):
    """A date at the hotel. The library tries patterns on SQLite's texts; ours have one form."""

    def python_value(self, value: Any) -> date | None:
        return date.fromisoformat(value) if isinstance(value, str) else value


class HotelTimeField(peewee.TimeField):
    """A time of day at the hotel, read likewise."""

    def python_value(self, value: Any) -> time | None:
        return time.fromisoformat(value) if isinstance(value, str) else value


_as_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
"""Made once: `json.dumps` would make an encoder for every value. It refuses what is no JSON, an instant for example,
which a quicker one would write as a text."""


class FrozenJsonField(peewee.TextField):
    """A value kept as JSON text, byte for byte: parameters that have to be sent again unchanged."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else _as_json(value)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else from_json(value)


def unindexed(column: Any) -> Any:
    """The column's value, in a form that no index is for. SQLite knows no figures about rows and takes any index that
    fits a condition; this says of a condition that most rows meet: do not begin here. PostgreSQL minds it, too."""
    return peewee.fn.COALESCE(column, column)


class Table(peewee.Model):
    """What all tables share."""

    if TYPE_CHECKING:
        id = peewee.AutoField()  # the library adds it by itself, where type checkers do not see it

    class Meta:
        database = db
        legacy_table_names = False


def check(name: str, condition: str) -> peewee.SQL:
    """A named table constraint; names are what an error report shows."""
    return peewee.SQL(f"CONSTRAINT {name} CHECK ({condition})")


def one_of(name: str, column: str, values: tuple[str, ...] | dict[str, Any]) -> peewee.SQL:
    """The column holds one of these words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return check(name, f"{column} IN ({listed})")
