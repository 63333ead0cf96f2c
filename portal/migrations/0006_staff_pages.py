"""What the staff pages need: words to search by, lists in order, pictures, and passwords that have to be changed."""

from typing import Any

from portal.migrations import drop_tables, run_sql

UP = """
ALTER TABLE staff ADD COLUMN must_change_password {boolean} NOT NULL DEFAULT FALSE;
ALTER TABLE hotel ADD COLUMN retention_days INTEGER;

CREATE TABLE reservation_word (
    id {pk},
    word {blob} NOT NULL,
    reservation_id INTEGER NOT NULL,
    FOREIGN KEY (reservation_id) REFERENCES reservation (id)
);
CREATE UNIQUE INDEX reservation_word_once ON reservation_word (word, reservation_id);
CREATE INDEX reservation_word_reservation_id ON reservation_word (reservation_id);

CREATE TABLE picture (
    name TEXT NOT NULL PRIMARY KEY,
    media_type TEXT NOT NULL,
    content {blob} NOT NULL,
    content_hash TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX reservation_updated_at_id ON reservation (updated_at, id);
CREATE INDEX reservation_status_check_in ON reservation (status, check_in, id);
CREATE INDEX payment_created_at_id ON payment (created_at, id);
CREATE INDEX refund_created_at_id ON refund (created_at, id);
CREATE INDEX webhook_event_received_at ON webhook_event (received_at, event_id);
"""

DOWN = """
DROP INDEX webhook_event_received_at;
DROP INDEX refund_created_at_id;
DROP INDEX payment_created_at_id;
DROP INDEX reservation_status_check_in;
DROP INDEX reservation_updated_at_id;
ALTER TABLE hotel DROP COLUMN retention_days;
ALTER TABLE staff DROP COLUMN must_change_password;
"""


def up(migrator: Any, db: Any) -> None:
    run_sql(db, UP)


def down(migrator: Any, db: Any) -> None:
    drop_tables(db, "picture", "reservation_word")
    run_sql(db, DOWN)
