"""The reservations that staff look through: a part of them, in an order, a page at a time; or those that are searched.

Whatever can be chosen is read in the order of an index, so a page costs the same among 1,000 stays and 200,000:

    view        order     index
    all         arrival   reservation_check_in_id            changed   reservation_updated_at_id
    coming      arrival   reservation_still_on_check_in
    the others  arrival   reservation_status_check_in        changed   reservation_status_updated_at

Days of arrival are a range of the same indexes; with them, and for those who come, there is no order by change."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import peewee
from peewee import fn

from portal.domain import guest_match, search_words
from portal.models import Reservation, Room
from portal.services.listing import Listing, read_page
from portal.services.reservation_words import Search

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


@dataclass(frozen=True)
class Found:
    """What a search shows. `more`: there are, or may be, others that match."""

    rows: list[Reservation]
    more: bool
    after: None = None


def list_reservations(wanted: Wanted, *, after: str | None) -> Listing[Reservation]:
    """One page."""
    query = _narrow(Reservation.select(Reservation, Room).join(Room), wanted)
    column, newest_first = _column(wanted)
    return read_page(query, column, Reservation.id, after=after, newest_first=newest_first)


def search(wanted: Wanted) -> Found:
    """The first MOST_FOUND stays with all of the words. `more` also when all words are so common that not every stay
    could be looked at."""
    finding = Search(list(wanted.words))
    if finding.rarest is not None:
        return _found_by_word(wanted, finding)
    return _found_in_list(wanted, finding)


def _found_by_word(wanted: Wanted, finding: Search) -> Found:
    column, newest_first = _column(wanted)
    # A value and no column, so that no engine thinks of walking through all stays in this order.
    order = _order(fn.COALESCE(column, column), newest_first)
    near = _narrow(Reservation.select(Reservation.id).where(finding.matching()), wanted)
    rows = list(_stays_of(near.order_by(*order).limit(MOST_FOUND + 1)).order_by(*order))
    return Found(rows[:MOST_FOUND], more=len(rows) > MOST_FOUND)


def _found_in_list(wanted: Wanted, finding: Search) -> Found:
    order = _order(*_column(wanted))
    walk = _narrow(Reservation.select(Reservation.id), wanted).order_by(*order)
    query = _stays_of(walk.limit(WALK)).where(finding.matching_one_by_one())
    rows = list(query.order_by(*order).limit(MOST_FOUND + 1))
    not_all_seen = len(rows) <= MOST_FOUND and walk.offset(WALK).limit(1).exists()
    return Found(rows[:MOST_FOUND], more=len(rows) > MOST_FOUND or not_all_seen)


def _stays_of(ids: Any) -> Any:
    """With their rooms."""
    near = ids.alias("near")
    return Reservation.select(Reservation, Room).join(Room).join_from(Reservation, near, on=near.c.id == Reservation.id)


def _order(column: Any, newest_first: bool) -> tuple[Any, Any]:
    return (column.desc(), Reservation.id.desc()) if newest_first else (column, Reservation.id)


def _narrow(query: Any, wanted: Wanted) -> Any:
    """The stays of the view and the days."""
    if wanted.view in _STATUS:
        query = query.where(Reservation.status == _STATUS[wanted.view])
    if wanted.view == "coming":
        query = query.where(_STILL_ON & (Reservation.check_in >= wanted.today))
    if wanted.first is not None:
        query = query.where(Reservation.check_in >= wanted.first)
    if wanted.last is not None:
        query = query.where(Reservation.check_in <= wanted.last)
    return query


def _column(wanted: Wanted) -> tuple[Any, bool]:
    """The column of the order, and whether the newest comes first."""
    column = Reservation.updated_at if wanted.order.endswith("changed") else Reservation.check_in
    return column, wanted.order.startswith("-")


def find_by_code(typed: str) -> Reservation | None:
    """The reservation with this code, dashes and small letters allowed; None for everything else."""
    code = guest_match.normalise_code(typed)
    found: Reservation | None = Reservation.get_or_none(Reservation.code == code) if code else None
    return found


def typed_words(text: str) -> tuple[bytes, ...]:
    return tuple(search_words.typed_words(text))
