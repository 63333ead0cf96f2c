"""What staff write down about a stay, for each other: guests never see it, and nothing is ever decided by it."""

import unicodedata

from portal.db import lock, transaction
from portal.deps import Deps
from portal.domain.card_numbers import hide_card_numbers
from portal.models import Note, Reservation, Staff

LONGEST = 2000
"""Letters of one note; a second one may follow."""


class BadNote(Exception):
    """`why`: empty, or too long. Nothing was written down."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def add_note(deps: Deps, reservation_id: int, staff: Staff, text: str) -> Note:
    """Write down what somebody typed, without letters that cannot be shown and without numbers of cards. BadNote when
    nothing is left of it, or more than LONGEST letters."""
    text = hide_card_numbers(clean(text))
    if not text:
        raise BadNote("empty")
    if len(text) > LONGEST:
        raise BadNote("too long")
    with transaction():
        reservation = lock(Reservation, reservation_id)
        note: Note = Note.create(reservation=reservation, staff=staff, text=text, created_at=deps.now())
    return note


def clean(text: str) -> str:
    """As it is stored: line breaks of one kind, no control characters, nothing around it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("".join(filter(_is_shown, line.replace("\t", " "))).rstrip() for line in lines).strip()


def list_notes(reservation: Reservation, *, most: int) -> list[Note]:
    """The last `most` notes with those who wrote them, the newest last, in one statement."""
    mine = Note.select(Note, Staff).join(Staff).where(Note.reservation == reservation.id)
    return list(mine.order_by(Note.id.desc()).limit(most))[::-1]


def _is_shown(letter: str) -> bool:
    """Also joiners inside of an emoji; not what turns the direction of the text after it."""
    return letter.isprintable() or letter in "\u200c\u200d\ufe0f" or unicodedata.category(letter) == "Zs"
