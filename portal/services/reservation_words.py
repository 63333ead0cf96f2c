"""Finding stays by words: of the code, the guest's name, e-mail and phone number."""

from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import Any

import peewee
from peewee import fn

from portal import db
from portal.db import must_be_in_transaction
from portal.domain import search_words
from portal.models import Reservation, ReservationWord
from portal.prepared import Prepared

PROBE = 1_500
"""Entries of the rarest word that lead straight to their stays, each of which is then asked for the other words."""
MEET = 8_000
"""Entries of two words together that are laid beside each other to see which stays have both."""
ALONE = 1_000
"""Stays of a word that is looked for alone; of more, a page is soon found in the list itself."""


def store(reservation: Reservation) -> None:
    """Make its words those that it has now, in the caller's transaction."""
    must_be_in_transaction()
    ReservationWord.delete().where(ReservationWord.reservation == reservation.id).execute()
    words = search_words.words_of(reservation.code, reservation.guest_name, reservation.email, reservation.phone)
    rows = [{"word": word, "reservation": reservation.id} for word in words]
    ReservationWord.insert_many(rows).execute()


class Way(Enum):
    """How stays that have all of some words are found, each word by its beginning."""

    PROBE = "the stays of the rarest word, asked for the others"
    MEET = "the stays that the two rarest words share, asked for the others"
    WALK = "every word is a common one: the stays of a list in its own order, as many as can be asked quickly"


def find_way(words: tuple[bytes, ...]) -> tuple[Way, tuple[bytes, ...]]:
    """The way for these words, and the words in the order in which it takes them. One short look at the index."""
    counts = _counting(len(words)).first(*ends_of(words))
    assert counts is not None
    by_count = sorted(zip(counts, words, strict=True))
    ordered = tuple(word for _, word in by_count)
    if by_count[0][0] <= (ALONE if len(words) == 1 else PROBE):
        return Way.PROBE, ordered
    if len(words) > 1 and by_count[0][0] + by_count[1][0] <= MEET:
        return Way.MEET, ordered
    return Way.WALK, ordered


def ends_of(words: tuple[bytes, ...]) -> Iterator[bytes]:
    """Where the range of each word begins and where it ends, as the statements here want them."""
    for word in words:
        yield word
        yield search_words.after_all_that_begin(word)


@cache
def _counting(words: int) -> Prepared[tuple[int, ...]]:
    """How many entries each of so many words begins, as far as it matters."""

    def write(*ends: Any) -> Any:
        entry = ReservationWord
        found = [
            entry.select(entry.reservation).where(_begins(entry, range_)).limit(MEET + 1) for range_ in pairs(ends)
        ]
        counts = [peewee.Select((one.alias("found"),), (fn.COUNT(1),)) for one in found]
        return peewee.Select(columns=[one.alias(f"w{n}") for n, one in enumerate(counts)]).bind(db.db).tuples()

    return Prepared(write, blanks=2 * words)


def pairs(ends: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    return list(zip(ends[::2], ends[1::2], strict=True))


def having(way: Way, ends: tuple[Any, ...]) -> Any:
    """The ids of the stays with all of the words, for a statement: `ends` are blanks in the order of `ends_of`."""
    ranges = pairs(ends)
    first, others = _stays_with(ranges[0]), ranges[1:]
    if way is Way.MEET:
        first, others = first.intersect(_stays_with(ranges[1])), ranges[2:]
    else:
        first = first.distinct()  # a word is often in the name and in the address, and each stay is asked once
    if not others:
        return first
    found = first.alias("found")
    stay = found.c.reservation_id
    asked = peewee.Select((found,), (stay,))
    for range_ in others:
        asked = asked.where(has(stay, range_))
    return asked


def _stays_with(range_: tuple[Any, Any]) -> Any:
    entry = ReservationWord.alias()
    return entry.select(entry.reservation).where(_begins(entry, range_))


def _begins(entry: Any, range_: tuple[Any, Any]) -> Any:
    return (entry.word >= range_[0]) & (entry.word < range_[1])


def has(stay: Any, range_: tuple[Any, Any]) -> Any:
    """A look into the index of the stay's own words. Not EXISTS, which PostgreSQL may turn around and answer by reading
    every entry of a common word."""
    entry = ReservationWord.alias()
    mine = entry.select(entry.reservation).where((entry.reservation == stay) & _begins(entry, range_)).limit(1)
    return fn.COALESCE(mine, 0) > 0
