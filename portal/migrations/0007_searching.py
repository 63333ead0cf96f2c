"""The list of reservations: words of the stays that there are already, and an index for each order it is shown in."""

from typing import Any

from portal.domain.search_words import words_of
from portal.migrations import is_postgres, run_sql

UP = """
DROP INDEX reservation_word_reservation_id;
CREATE INDEX reservation_word_of_reservation ON reservation_word (reservation_id, word);
CREATE INDEX reservation_status_updated_at ON reservation (status, updated_at, id);
CREATE INDEX reservation_still_on_check_in ON reservation (check_in, id) WHERE (status IN ('pending', 'confirmed'));
"""

DOWN = """
DROP INDEX reservation_still_on_check_in;
DROP INDEX reservation_status_updated_at;
DROP INDEX reservation_word_of_reservation;
CREATE INDEX reservation_word_reservation_id ON reservation_word (reservation_id);
DELETE FROM reservation_word;
"""

BATCH = 500
"""Stays that are read at a time, whatever their number."""


def up(migrator: Any, db: Any) -> None:
    run_sql(db, UP)
    _fill(db)


def down(migrator: Any, db: Any) -> None:
    run_sql(db, DOWN)


def _fill(db: Any) -> None:
    """Under one lock, so that no stay is changed between the reading and the writing of its words."""
    if is_postgres(db):
        db.execute_sql("LOCK TABLE reservation IN SHARE ROW EXCLUSIVE MODE")
    db.execute_sql("DELETE FROM reservation_word")
    mark = "%s" if is_postgres(db) else "?"
    read = f"SELECT id, code, guest_name, email, phone FROM reservation WHERE id > {mark} ORDER BY id LIMIT {BATCH}"  # noqa: S608  # marks only
    last = 0
    while rows := db.execute_sql(read, (last,)).fetchall():
        last = rows[-1][0]
        _write(db, mark, [(word, row[0]) for row in rows for word in words_of(*row[1:])])


def _write(db: Any, mark: str, words: list[tuple[bytes, int]]) -> None:
    for start in range(0, len(words), BATCH):
        some = words[start : start + BATCH]
        places = ", ".join([f"({mark}, {mark})"] * len(some))
        values = [value for pair in some for value in pair]
        db.execute_sql(f"INSERT INTO reservation_word (word, reservation_id) VALUES {places}", values)  # noqa: S608  # marks only
