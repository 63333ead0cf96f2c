"""The reservations that staff look through: a part of them, in an order, a page at a time; or those that are searched.

Whatever can be chosen is read in the order of an index, so a page costs the same among 1,000 stays and 200,000:

    view        order     index
    all         arrival   reservation_check_in_id            changed   reservation_updated_at_id
    coming      arrival   reservation_still_on_check_in
    the others  arrival   reservation_status_check_in        changed   reservation_status_updated_at

Days of arrival are a range of the same indexes; with them, and for those who come, there is no order by change."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any, NamedTuple

import peewee

from portal.domain import guest_match, search_words
from portal.models import Reservation, Room, unindexed
from portal.prepared import Prepared, steady
from portal.services import reservation_words
from portal.services.listing import PAGE, Listing, read_place, select_page, to_listing
from portal.services.reservation_words import Way

VIEWS = ("all", "coming", "unpaid", "confirmed", "cancelled", "expired")
_STATUS = {"unpaid": "pending", "confirmed": "confirmed", "cancelled": "cancelled", "expired": "expired"}
MOST_FOUND = 100
"""Stays that a search shows; then it asks for another word."""
WALK = 400
"""Stays of a list that a search for common words looks at."""

_STILL_ON = peewee.SQL("status IN ('pending', 'confirmed')")
"""Spelled out as in the index: SQLite uses one that holds a part of the rows only when it reads the same words."""


@dataclass(frozen=True)
class Wanted:
    """What to show: stays of a view that arrive from `first` to `last` (both included; None: whenever), with all of
    `words`. `sort`: arrival, -arrival, changed or -changed (minus: the newest first); others are the view's own."""

    view: str
    today: date
    first: date | None = None
    last: date | None = None
    words: tuple[bytes, ...] = ()
    sort: str = ""

    @cached_property
    def order(self) -> str:
        """The sort that is used: the one asked for, if there is an index for it."""
        return self.sort if self.sort in self.orders else self._own_order()

    @property
    def orders(self) -> tuple[str, ...]:
        by_arrival = ("arrival", "-arrival")
        return by_arrival if self._by_days else (*by_arrival, "changed", "-changed")

    @property
    def _by_days(self) -> bool:
        return self.view == "coming" or self.first is not None or self.last is not None

    def _own_order(self) -> str:
        if self.words:
            return "-arrival"
        if self.view in ("coming", "unpaid") or self._by_days:
            return "arrival"
        return "-changed" if self.view == "all" else "-arrival"


class ListedStay(NamedTuple):
    """What a list shows of a stay, and no more is read. Sums in minor units of `currency`; `room` is its name."""

    id: int
    code: str
    guest_name: str
    room: str
    check_in: date
    check_out: date
    total: int
    paid: int
    currency: str
    status: str
    updated_at: datetime


_LISTED = (
    Reservation.id,
    Reservation.code,
    Reservation.guest_name,
    Room.name,
    Reservation.check_in,
    Reservation.check_out,
    Reservation.total,
    Reservation.paid,
    Reservation.currency,
    Reservation.status,
    Reservation.updated_at,
)


_REMEMBERED = 512
"""Lines of each list: some pages of it."""


@dataclass(frozen=True)
class Found:
    """What a search shows. `more`: there are, or may be, others that match."""

    rows: list[ListedStay]
    more: bool
    after: None = None


def list_reservations(wanted: Wanted, *, after: str | None) -> Listing[ListedStay]:
    """One page."""
    column, _ = _column(wanted.order)
    place = read_place(after, column, Reservation.id)
    statement = _list(_shape(wanted), has_place=place is not None)
    return to_listing(statement.all(*_days(wanted), *(place or ())), column, Reservation.id, PAGE)


def search(wanted: Wanted) -> Found:
    """The first MOST_FOUND stays with all of the words. `more` also when all words are so common that not every stay
    could be looked at."""
    way, words = reservation_words.find_way(wanted.words)
    shape, values = _shape(wanted), (*_days(wanted), *reservation_words.ends_of(words))
    rows = _search(shape, way, len(words)).all(*values)
    more = len(rows) > MOST_FOUND
    if way is Way.WALK and not more:
        more = bool(_beyond_walk(shape).all(*_days(wanted)))
    return Found(rows[:MOST_FOUND], more)


# The statements: one for each shape of what can be wanted, worked out when it is first needed -------------------------


@dataclass(frozen=True)
class _Shape:
    """What is asked, without the values: `days` are today, the first and the last day, as far as they are asked for."""

    view: str
    order: str
    has_first: bool
    has_last: bool

    @property
    def days(self) -> int:
        return (self.view == "coming") + self.has_first + self.has_last


def _shape(wanted: Wanted) -> _Shape:
    return _Shape(wanted.view, wanted.order, wanted.first is not None, wanted.last is not None)


def _days(wanted: Wanted) -> tuple[date, ...]:
    """The values for a shape's days."""
    today = wanted.today if wanted.view == "coming" else None
    return tuple(day for day in (today, wanted.first, wanted.last) if day is not None)


@cache
def _list(shape: _Shape, *, has_place: bool) -> Prepared[ListedStay]:
    def write(*blanks: Any) -> Any:
        days, place = blanks[: shape.days], blanks[shape.days :]
        query = _narrow(Reservation.select(*_LISTED).join(Room).tuples(), shape, days)
        column, newest_first = _column(shape.order)
        behind = (steady(place[0], column), steady(place[1], Reservation.id)) if has_place else None
        return select_page(query, column, Reservation.id, behind, newest_first=newest_first, size=PAGE)

    return Prepared(write, blanks=shape.days + 2 * has_place, make=ListedStay._make, remembers=_REMEMBERED)


@cache
def _search(shape: _Shape, way: Way, words: int) -> Prepared[ListedStay]:
    """First the ids, then what is shown of them."""

    def write(*blanks: Any) -> Any:
        days, ends = blanks[: shape.days], blanks[shape.days :]
        column, newest_first = _column(shape.order)
        near = _asked_in_order(shape, days, ends) if way is Way.WALK else _put_in_order(shape, days, way, ends)
        near = near.limit(MOST_FOUND + 1).alias("near")
        stays = Reservation.select(*_LISTED).join(Room).tuples()
        stays = stays.join_from(Reservation, near, on=near.c.id == Reservation.id)
        return stays.order_by(*_order(unindexed(column), newest_first))

    return Prepared(write, blanks=shape.days + 2 * words, make=ListedStay._make, remembers=_REMEMBERED)


def _put_in_order(shape: _Shape, days: tuple[Any, ...], way: Way, ends: tuple[Any, ...]) -> Any:
    """The stays that the words lead to, as far as they are in the list. Each is looked up for its place in it; joined
    with the stays, engines that expect more of them than there are would read them all."""
    ids = reservation_words.having(way, ends).alias("ids")
    column, newest_first = _column(shape.order)
    place = _narrow(Reservation.select(column).where(Reservation.id == ids.c.reservation_id), shape, days)
    placed = peewee.Select((ids,), (ids.c.reservation_id.alias("id"), place.alias("place"))).alias("placed")
    order = (placed.c.place.desc(), placed.c.id.desc()) if newest_first else (placed.c.place, placed.c.id)
    return peewee.Select((placed,), (placed.c.id,)).where(placed.c.place.is_null(False)).order_by(*order)


def _asked_in_order(shape: _Shape, days: tuple[Any, ...], ends: tuple[Any, ...]) -> Any:
    """Of the first stays of the list, those that have all the words."""
    walk = _walk(shape, days).limit(WALK).alias("walk")
    asked = peewee.Select((walk,), (walk.c.id,))
    for range_ in reservation_words.pairs(ends):
        asked = asked.where(reservation_words.has(walk.c.id, range_))
    return asked


@cache
def _beyond_walk(shape: _Shape) -> Prepared[tuple[int]]:
    """Whether the list goes on where a search stopped."""
    return Prepared(lambda *days: _walk(shape, days).offset(WALK).limit(1).tuples(), blanks=shape.days)


def _walk(shape: _Shape, days: tuple[Any, ...]) -> Any:
    return _narrow(Reservation.select(Reservation.id), shape, days).order_by(*_order(*_column(shape.order)))


def _order(column: Any, newest_first: bool) -> tuple[Any, Any]:
    return (column.desc(), Reservation.id.desc()) if newest_first else (column, Reservation.id)


def _narrow(query: Any, shape: _Shape, days: tuple[Any, ...]) -> Any:
    """The stays of the view and the days."""
    values = iter(days)
    if shape.view in _STATUS:
        query = query.where(Reservation.status == _STATUS[shape.view])
    if shape.view == "coming":
        query = query.where(_STILL_ON & (Reservation.check_in >= steady(next(values), Reservation.check_in)))
    if shape.has_first:
        query = query.where(Reservation.check_in >= steady(next(values), Reservation.check_in))
    if shape.has_last:
        query = query.where(Reservation.check_in <= steady(next(values), Reservation.check_in))
    return query


def _column(order: str) -> tuple[Any, bool]:
    """The column of the order, and whether the newest comes first."""
    column = Reservation.updated_at if order.endswith("changed") else Reservation.check_in
    return column, order.startswith("-")


def find_by_code(typed: str) -> Reservation | None:
    """The reservation with this code, dashes and small letters allowed; None for everything else."""
    code = guest_match.normalise_code(typed)
    found: Reservation | None = Reservation.get_or_none(Reservation.code == code) if code else None
    return found


def typed_words(text: str) -> tuple[bytes, ...]:
    return tuple(search_words.typed_words(text))
