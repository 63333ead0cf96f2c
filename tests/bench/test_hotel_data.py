"""The hotels that speed is measured with are such as the portal itself would have made, and the same at every run."""

import hashlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench import hotel_data
from portal import db
from portal.domain.search_words import words_of
from portal.models import OutgoingMail, Payment, Refund, Reservation, ReservationWord, RoomNight, WebhookEvent
from portal.services import books, money_lists


def fill(file: Path, size: int) -> str:
    hotel_data.fill(f"sqlite:///{file}", size)
    connection = sqlite3.connect(file)
    text = "\n".join(line for line in connection.iterdump() if "migration" not in line.lower())
    connection.close()
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_thousand_stays_are_in_order_and_each_is_what_the_portal_would_have_written(
    tmp_path: Path, count_statements: Callable[[Callable[[], object]], int]
) -> None:
    fill(tmp_path / "hotel.db", 1_000)
    db.initialise(f"sqlite:///{tmp_path}/hotel.db")
    with db.connection():
        assert Reservation.select().count() == 1_000
        findings: list[object] = []
        deps: Any = SimpleNamespace(now=lambda: hotel_data.NOW)
        # The nightly check adds up in the database, and asks of no stay by itself.
        assert count_statements(lambda: findings.extend(books.audit(deps))) < 25
        assert findings == []
        assert db.db.execute_sql("PRAGMA foreign_key_check").fetchall() == []
        assert db.db.execute_sql("PRAGMA integrity_check").fetchone() == ("ok",)
        stored: dict[int, set[bytes]] = {}
        for row in ReservationWord.select().tuples():
            stored.setdefault(row[2], set()).add(bytes(row[1]))
        for stay in Reservation.select():
            assert stored[stay.id] == set(words_of(stay.code, stay.guest_name, stay.email, stay.phone)), stay.email
        assert {stay.status for stay in Reservation.select()} == {"confirmed", "pending", "cancelled", "expired"}
        assert {money_lists.payment_word(row) for row in Payment.select()} >= {"paid", "declined", "expired", "open"}
        assert Refund.select().count() > 50
        assert RoomNight.select().count() > 2_000
        waits = WebhookEvent.processed_at.is_null()
        assert not WebhookEvent.select().where(waits).exists()
        assert not OutgoingMail.select().where(OutgoingMail.sent_at.is_null()).exists()
        assert Reservation.select().where(Reservation.created_at > hotel_data.NOW).count() == 0
        assert Reservation.get_by_id(1).created_at > datetime(2026, 1, 1, tzinfo=UTC)
    db.disconnect()


def test_the_same_hotel_at_every_run(tmp_path: Path) -> None:
    assert fill(tmp_path / "one.db", 150) == fill(tmp_path / "two.db", 150)
