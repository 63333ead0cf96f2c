"""Throttles, leases and cursors."""

from typing import Any

from portal.migrations import drop_tables, run_sql

UP = """
CREATE TABLE rate_bucket (
    id {pk},
    key TEXT NOT NULL,
    window_start TIMESTAMPTZ NOT NULL,
    hits INTEGER NOT NULL
);
CREATE UNIQUE INDEX rate_bucket_once ON rate_bucket (key, window_start);

CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    until TIMESTAMPTZ NOT NULL
);

CREATE TABLE cursor (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
"""


def up(migrator: Any, db: Any) -> None:
    run_sql(db, UP)


def down(migrator: Any, db: Any) -> None:
    drop_tables(db, "cursor", "lease", "rate_bucket")
