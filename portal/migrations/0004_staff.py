"""People who work at the hotel, their sign-ins, tokens and notes."""

from typing import Any

from portal.migrations import drop_tables, run_sql

UP = """
CREATE TABLE staff (
    id {pk},
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    password_changed_at TIMESTAMPTZ NOT NULL,
    totp_secret TEXT,
    totp_last_step {bigint},
    created_at TIMESTAMPTZ NOT NULL,
    disabled_at TIMESTAMPTZ,
    CONSTRAINT staff_role CHECK (role IN ('manager', 'reception'))
);
CREATE UNIQUE INDEX staff_email ON staff (email);

CREATE TABLE staff_session (
    id {pk},
    staff_id INTEGER NOT NULL,
    token_hash TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    password_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    device TEXT NOT NULL,
    FOREIGN KEY (staff_id) REFERENCES staff (id)
);
CREATE INDEX staff_session_staff_id ON staff_session (staff_id);
CREATE UNIQUE INDEX staff_session_token_hash ON staff_session (token_hash);

CREATE TABLE recovery_code (
    id {pk},
    staff_id INTEGER NOT NULL,
    code_hash TEXT NOT NULL,
    used_at TIMESTAMPTZ,
    FOREIGN KEY (staff_id) REFERENCES staff (id)
);
CREATE INDEX recovery_code_staff_id ON recovery_code (staff_id);
CREATE UNIQUE INDEX recovery_code_code_hash ON recovery_code (code_hash);

CREATE TABLE password_reset (
    id {pk},
    staff_id INTEGER NOT NULL,
    token_hash TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    FOREIGN KEY (staff_id) REFERENCES staff (id)
);
CREATE INDEX password_reset_staff_id ON password_reset (staff_id);
CREATE UNIQUE INDEX password_reset_token_hash ON password_reset (token_hash);

CREATE TABLE api_token (
    id {pk},
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX api_token_name ON api_token (name);
CREATE UNIQUE INDEX api_token_token_hash ON api_token (token_hash);

CREATE TABLE api_answer (
    id {pk},
    token TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    status INTEGER,
    body TEXT,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX api_answer_once ON api_answer (token, key);

CREATE TABLE note (
    id {pk},
    reservation_id INTEGER NOT NULL,
    staff_id INTEGER NOT NULL,
    text TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (reservation_id) REFERENCES reservation (id),
    FOREIGN KEY (staff_id) REFERENCES staff (id)
);
CREATE INDEX note_reservation_id ON note (reservation_id);
CREATE INDEX note_staff_id ON note (staff_id);
"""


def up(migrator: Any, db: Any) -> None:
    run_sql(db, UP)


def down(migrator: Any, db: Any) -> None:
    drop_tables(db, "note", "api_answer", "api_token", "password_reset", "recovery_code", "staff_session", "staff")
