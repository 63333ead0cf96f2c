"""Long lists a page at a time: by the place in an index and never by counting rows, so that page 1,000 costs what
page 1 costs."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

import peewee

from portal.models.fields import UtcDateTimeField

Row = TypeVar("Row")

PAGE = 50


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """One page of rows. `after` is the place where the next page goes on; None: this is the last."""

    rows: list[Row]
    after: str | None


def read_page(
    query: Any,
    column: peewee.Field,
    key: peewee.Field,
    *,
    after: str | None,
    newest_first: bool,
    size: int = PAGE,
) -> Listing[Any]:
    """The page of `query` in the order of `column`, ties by `key`, that follows the place `after`. A place that cannot
    be read, or is none in this order, is the beginning. There should be an index on (column, key)."""
    place = read_place(after, column, key)
    return to_listing(
        list(select_page(query, column, key, place, newest_first=newest_first, size=size)), column, key, size
    )


def read_place(after: str | None, column: peewee.Field, key: peewee.Field) -> tuple[Any, Any] | None:
    """The values of column and key that a page begins behind; None: at the beginning."""
    place = _read_place(after)
    return place if place is not None and _fits(column, key, place) else None


def select_page(
    query: Any,
    column: peewee.Field,
    key: peewee.Field,
    place: tuple[Any, Any] | None,
    *,
    newest_first: bool,
    size: int = PAGE,
) -> Any:
    """The statement for one page, and one row more if there is another."""
    if place is not None:
        query = query.where(_behind(column, key, place, newest_first))
    order = (column.desc(), key.desc()) if newest_first else (column, key)
    return query.order_by(*order).limit(size + 1)


def to_listing(rows: list[Any], column: peewee.Field, key: peewee.Field, size: int = PAGE) -> Listing[Any]:
    """What such a statement found."""
    if len(rows) <= size:
        return Listing(rows, None)
    last = rows[size - 1]
    return Listing(rows[:size], _write_place(getattr(last, column.name), getattr(last, key.name)))


def _fits(column: peewee.Field, key: peewee.Field, place: tuple[Any, Any]) -> bool:
    """Whether the place is one of this order; an address may carry that of another list, or what somebody made up."""
    return _kind(column) is type(place[0]) and _kind(key) is type(place[1])


def _kind(field: peewee.Field) -> type:
    if isinstance(field, UtcDateTimeField):
        return datetime
    if isinstance(field, peewee.DateField):
        return date
    return int if isinstance(field, peewee.IntegerField | peewee.AutoField) else str


def _behind(column: peewee.Field, key: peewee.Field, place: tuple[Any, Any], newest_first: bool) -> Any:
    here = peewee.Tuple(column, key)
    there = peewee.Tuple(_as_stored(column, place[0]), _as_stored(key, place[1]))
    return here < there if newest_first else here > there


def _as_stored(field: Any, value: Any) -> Any:
    """The builder converts values that are compared with a column, but not with two."""
    return value if isinstance(value, peewee.Node) else peewee.Value(field.db_value(value), converter=False)


def _write_place(value: Any, key: Any) -> str:
    kind = "t" if isinstance(value, datetime) else "d" if isinstance(value, date) else "v"
    plain = value.isoformat() if isinstance(value, date) else value
    return base64.urlsafe_b64encode(json.dumps([kind, plain, key]).encode()).decode().rstrip("=")


def _read_place(text: str | None) -> tuple[Any, Any] | None:
    if not text or len(text) > 400:
        return None
    try:
        kind, value, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return _value(kind, value), _key(key)
    except (binascii.Error, ValueError, TypeError, UnicodeDecodeError, OverflowError):
        return None


def _value(kind: str, value: Any) -> Any:
    if kind == "t":
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("an instant without a time zone")
        return instant.astimezone(UTC)
    if kind == "d":
        return date.fromisoformat(value)
    return _key(value)


def _key(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str) or (isinstance(value, int) and abs(value) >= 2**62):
        raise ValueError("not a place")
    if isinstance(value, str) and ("\x00" in value or not value.isprintable()):
        raise ValueError("not a place")
    return value
