"""Finding stays by words: of the code, the guest's name, e-mail and phone number."""

from typing import Any

from peewee import fn

from portal.db import must_be_in_transaction
from portal.domain import search_words
from portal.models import Reservation, ReservationWord

SCAN = 1_000
"""Entries of one word that are looked through; a word that begins more of them is a common one."""
SCAN_TOGETHER = 2_500
"""The same where a second word leaves most of them out before their stays are read."""


def store(reservation: Reservation) -> None:
    """Make its words those that it has now, in the caller's transaction."""
    must_be_in_transaction()
    ReservationWord.delete().where(ReservationWord.reservation == reservation.id).execute()
    words = search_words.words_of(reservation.code, reservation.guest_name, reservation.email, reservation.phone)
    rows = [{"word": word, "reservation": reservation.id} for word in words]
    ReservationWord.insert_many(rows).execute()


class Search:
    """The stays that have all of the typed words, each found by its beginning.

    A rare word leads straight to its stays. When every word is a common one, the stays of a list are looked through in
    its own order instead, as many as can be looked at quickly: with so many that match, a page of them comes soon."""

    def __init__(self, words: list[bytes]) -> None:
        self.words = words
        self.rarest = self._find_rarest()

    def _find_rarest(self) -> bytes | None:
        """The word with the fewest entries; None when all are common. One short look at the index for each."""
        most = SCAN if len(self.words) == 1 else SCAN_TOGETHER
        counts = {word: _count(word, most + 1) for word in self.words}
        rarest = min(counts, key=lambda word: counts[word])
        return rarest if counts[rarest] <= most else None

    def matching(self) -> Any:
        """The condition for a query of reservations. Needs `rarest`."""
        assert self.rarest is not None
        entry = ReservationWord.alias()
        most = SCAN if len(self.words) == 1 else SCAN_TOGETHER
        ids = entry.select(entry.reservation).where(_begins(entry, self.rarest))
        for word in self.words:
            if word != self.rarest:
                ids = ids.where(_has(entry.reservation, word))
        return Reservation.id << ids.limit(most + 1)

    def matching_one_by_one(self) -> Any:
        """The same, as a question to each row of a short list."""
        condition = _has(Reservation.id, self.words[0])
        for word in self.words[1:]:
            condition &= _has(Reservation.id, word)
        return condition


def _begins(entry: Any, word: bytes) -> Any:
    return (entry.word >= word) & (entry.word < search_words.after_all_that_begin(word))


def _count(word: bytes, most: int) -> int:
    entry = ReservationWord.alias()
    found = entry.select(entry.reservation).where(_begins(entry, word)).limit(most)
    return int(ReservationWord.select(fn.COUNT(1)).from_(found).scalar())


def _has(reservation: Any, word: bytes) -> Any:
    """A look into the index of the stay's own words. Not EXISTS, which PostgreSQL may turn around and answer by reading
    every entry of a common word."""
    entry = ReservationWord.alias()
    mine = entry.select(entry.reservation).where((entry.reservation == reservation) & _begins(entry, word)).limit(1)
    return fn.COALESCE(mine, 0) > 0
