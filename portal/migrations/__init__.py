"""The schema, step by step, written by hand: the generator of the library would silently lose every CHECK."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playhouse.migrations import Runner

from portal import db as database

ADVISORY_LOCK = 7_204_311
"""Any fixed number: two hosts that migrate at the same moment wait for each other on it."""


def migrate() -> list[str]:
    """Bring the schema up to date; the names of the steps taken. Safe to run from several hosts at once."""
    with _one_at_a_time():
        applied: list[str] = _runner().up()
        _check_foreign_keys()
    return applied


def roll_back(target: str | None = None) -> list[str]:
    """Undo the newest step, or all back through `target`; the names of the steps undone."""
    with _one_at_a_time():
        undone: list[str] = _runner().down(target)
    return undone


def pending() -> list[str]:
    """Steps that this code has and the database has not."""
    with database.connection():
        return [step.name for step in _runner().status() if step.path and not step.applied]


def unknown() -> list[str]:
    """Steps that the database has and this code has not: it was used by a newer version."""
    with database.connection():
        return [step.name for step in _runner().status() if not step.path]


def _runner() -> Any:
    return Runner(database.db.obj, str(Path(__file__).parent))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """With a connection. SQLite's is opened under the lock: the first one ever changes how the file is kept, and two
    that do it at once do not wait for each other."""
    if not database.is_postgres():
        with _lock_file(f"{database.db.database}.migrate.lock"), database.connection():
            yield
        return
    with database.connection():
        # A step may take longer than any request may.
        database.db.execute_sql("SET statement_timeout = 0; SET lock_timeout = 0")
        database.db.execute_sql("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        try:
            yield
        finally:
            database.db.execute_sql("SELECT pg_advisory_unlock(%s)", (ADVISORY_LOCK,))
            database.db.execute_sql("RESET statement_timeout; RESET lock_timeout")


@contextmanager
def _lock_file(path: str) -> Iterator[None]:
    """No link is followed: what lies at its other end is somebody else's."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check_foreign_keys() -> None:
    """The runner switches SQLite's foreign keys off while it works, so look afterwards."""
    if not database.is_postgres() and database.db.execute_sql("PRAGMA foreign_key_check").fetchall():
        raise RuntimeError("a migration left rows that point to nothing: restore the backup made before it")


# For the steps themselves -------------------------------------------------------------------------------------------


def is_postgres(db: Any) -> bool:
    return bool(db.for_update)


def run_sql(db: Any, text: str, separator: str = ";") -> None:
    """Run each statement, with the names of types that the two engines spell differently filled in."""
    types = (
        {"pk": "SERIAL NOT NULL PRIMARY KEY", "bigint": "BIGINT", "boolean": "BOOLEAN", "blob": "BYTEA"}
        if is_postgres(db)
        else {"pk": "INTEGER NOT NULL PRIMARY KEY", "bigint": "INTEGER", "boolean": "INTEGER", "blob": "BLOB"}
    )
    for name, type_ in types.items():
        text = text.replace("{" + name + "}", type_)
    for statement in filter(None, (part.strip() for part in text.split(separator))):
        db.execute_sql(statement)


def drop_tables(db: Any, *names: str) -> None:
    for name in names:
        db.execute_sql(f"DROP TABLE {name}")
