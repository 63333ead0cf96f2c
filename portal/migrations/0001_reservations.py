"""The house, its rooms, stays, their price lines and nights."""

from typing import Any

from portal.migrations import drop_tables, run_sql

UP = """
CREATE TABLE hotel (
    id {pk},
    name TEXT NOT NULL,
    tagline TEXT NOT NULL,
    legal_name TEXT NOT NULL,
    vat_number TEXT NOT NULL,
    address TEXT NOT NULL,
    city TEXT NOT NULL,
    phone TEXT NOT NULL,
    phone_hours TEXT NOT NULL,
    email TEXT NOT NULL,
    timezone TEXT NOT NULL,
    currency TEXT NOT NULL,
    check_in_from TIME NOT NULL,
    check_out_until TIME NOT NULL,
    policy TEXT NOT NULL,
    locale TEXT NOT NULL,
    brand_colour TEXT NOT NULL,
    logo TEXT NOT NULL,
    installation TEXT NOT NULL,
    stripe_livemode {boolean},
    CONSTRAINT hotel_one_row CHECK (id = 1)
);
CREATE UNIQUE INDEX hotel_installation ON hotel (installation);

CREATE TABLE room (
    id {pk},
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    capacity INTEGER NOT NULL,
    CONSTRAINT room_capacity_positive CHECK (capacity > 0)
);
CREATE UNIQUE INDEX room_name ON room (name);

CREATE TABLE reservation (
    id {pk},
    code TEXT NOT NULL,
    guest_name TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL,
    locale TEXT NOT NULL,
    room_id INTEGER NOT NULL,
    check_in DATE NOT NULL,
    check_out DATE NOT NULL,
    adults INTEGER NOT NULL,
    children INTEGER NOT NULL,
    total {bigint} NOT NULL,
    paid {bigint} NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    hold_until TIMESTAMPTZ NOT NULL,
    policy TEXT NOT NULL,
    extra_attempts INTEGER NOT NULL,
    link_version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (room_id) REFERENCES room (id),
    CONSTRAINT reservation_paid_within_total CHECK (0 <= paid AND paid <= total),
    CONSTRAINT reservation_dates_in_order CHECK (check_in < check_out),
    CONSTRAINT reservation_guests CHECK (adults >= 1 AND children >= 0),
    CONSTRAINT reservation_extra_attempts CHECK (extra_attempts >= 0),
    CONSTRAINT reservation_status CHECK (status IN ('pending', 'confirmed', 'expired', 'cancelled'))
);
CREATE UNIQUE INDEX reservation_code ON reservation (code);
CREATE INDEX reservation_room_id ON reservation (room_id);
CREATE INDEX reservation_check_in_id ON reservation (check_in, id);
CREATE INDEX reservation_status_hold_until ON reservation (status, hold_until);

CREATE TABLE reservation_line (
    id {pk},
    reservation_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    label TEXT NOT NULL,
    detail TEXT NOT NULL,
    amount {bigint} NOT NULL,
    vat_percent TEXT,
    FOREIGN KEY (reservation_id) REFERENCES reservation (id)
);
CREATE UNIQUE INDEX reservation_line_position ON reservation_line (reservation_id, position);

CREATE TABLE room_night (
    id {pk},
    room_id INTEGER NOT NULL,
    night DATE NOT NULL,
    reservation_id INTEGER,
    FOREIGN KEY (room_id) REFERENCES room (id),
    FOREIGN KEY (reservation_id) REFERENCES reservation (id)
);
CREATE INDEX room_night_reservation_id ON room_night (reservation_id);
CREATE UNIQUE INDEX room_night_once ON room_night (room_id, night);
"""


def up(migrator: Any, db: Any) -> None:
    run_sql(db, UP)


def down(migrator: Any, db: Any) -> None:
    drop_tables(db, "room_night", "reservation_line", "reservation", "room", "hotel")
