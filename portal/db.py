"""The database handle, connections, transactions and locks: the only place where SQLite and PostgreSQL differ."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import peewee
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase

from portal import turns
from portal.prepared import Prepared
from portal.writer_queue import NoTurn, WriterQueue

db = peewee.DatabaseProxy()
"""What models and queries know of it. What every request asks of it here, it asks of `db.obj`: behind the proxy each
word is looked up anew, and a transaction that is begun there says a dozen."""
_initialised_with = ""
_writers: WriterQueue | None = None
"""None: PostgreSQL, where many write at once."""

SQLITE_WAIT = 5.0
"""Seconds that a write waits for others before it is given up."""

NEAR = 0.0004
"""Seconds for a statement that does nothing: on the same machine it takes less than a quarter of that."""

POSTGRES_OPTIONS = (
    "-c timezone=UTC -c lock_timeout=3000 -c statement_timeout=10000 -c idle_in_transaction_session_timeout=15000"
)
DEFAULT_POOL = 20
"""Connections of one process: more than its threads, so that none waits for another's."""

Row = TypeVar("Row", bound=peewee.Model)


class DatabaseBusy(Exception):
    """The database is locked, full, unreachable or out of connections. This transaction was taken back, unless the
    connection was lost in the very moment of its commit: then rows tell."""


def initialise(url: str, *, pool: int = DEFAULT_POOL) -> None:
    """Point the models at `sqlite:///FILE` or `postgresql://…`. Connections are opened later, by each thread. The same
    address again changes nothing."""
    global _initialised_with, _writers  # noqa: PLW0603  # one process has one database, like the proxy itself
    if url != _initialised_with:
        db.initialize(_sqlite(url) if url.startswith("sqlite:///") else _postgres(url, pool))
        _writers = None if is_postgres() else WriterQueue(db.database)
        _initialised_with = url


def _start_over() -> None:
    if _writers is not None:
        _writers.start_over()


os.register_at_fork(after_in_child=_start_over)


class _Sqlite(peewee.SqliteDatabase):
    """SQLite answers a statement of a page in less time than the library takes to note it for its debug log and its
    hooks. Neither hears of these statements."""

    def execute_sql(self: Any, sql: str, params: Any = None) -> Any:
        connection = self._state.conn
        if connection is None:
            return self._execute_cursor(sql, params)  # says that there is none
        try:
            return connection.execute(sql, params or ())
        except sqlite3.Error:
            with peewee.__exception_wrapper__:  # type: ignore[attr-defined]  # makes the library's own error of it
                raise


def _sqlite(url: str) -> peewee.Database:
    path = Path(url.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseBusy(type(error).__name__) from error
    return _Sqlite(
        str(path),
        # A deferred transaction that reads and then writes dies with "database is locked" at once when another one
        # was faster, whatever the time-out; an immediate one waits for its turn.
        lock_type="IMMEDIATE",
        autoconnect=False,
        returning_clause=True,
        # FULL: a power cut must not take back a payment that Stripe was told is stored.
        pragmas={
            "journal_mode": "wal",
            "foreign_keys": 1,
            "busy_timeout": int(SQLITE_WAIT * 1000),
            "synchronous": "full",
        },
    )


class _Postgres(PooledPostgresqlDatabase):  # type: ignore[misc]  # the library has no types
    """PostgreSQL with the LIMIT of a statement in its text. As a value it could be any number; the plan for any number
    looks dear in a large house, so PostgreSQL would make one for this very number each time."""

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        if params and sql.endswith(" LIMIT %s"):
            sql, params = f"{sql[:-2]}{int(params[-1])}", params[:-1]
        return super().execute_sql(sql, params)


def _postgres(url: str, pool: int) -> peewee.Database:
    database: peewee.Database = _Postgres(
        url,
        prefer_psycopg3=True,
        autoconnect=False,
        max_connections=pool,
        timeout=5,
        stale_timeout=300,
        application_name="portal",
        connect_timeout=5,  # whole seconds; a server that is silent must not hold a page for minutes
        options=POSTGRES_OPTIONS,
    )
    return database


def is_postgres() -> bool:
    """Whether rows can be locked one by one; SQLite locks the whole file for a writer."""
    return bool(db.obj.for_update)


def is_near() -> bool:
    """Whether PostgreSQL answers so fast that waiting for it leaves others no time to work in. SQLite answers within
    the process."""
    if not is_postgres():
        return False
    with connection():
        return min(_round_trip() for _ in range(10)) < NEAR


def _round_trip() -> float:
    begun = time.perf_counter()
    db.execute_sql("SELECT 1").fetchall()
    return time.perf_counter() - begun


@contextmanager
def connection() -> Iterator[None]:
    """A connection for this thread, for a request, a command or a job. May be nested.

    SQLite keeps it for the thread's life (opening costs more than a query); PostgreSQL gives it back to the pool."""
    opened = open_connection()
    try:
        yield
    finally:
        if opened:
            close_connection()


def open_connection() -> bool:
    """Whether this call opened it; DatabaseBusy when none can be had."""
    try:
        return bool(db.obj.is_closed() and db.obj.connect())
    except (peewee.OperationalError, MaxConnectionsExceeded) as error:
        raise DatabaseBusy(_cause(error)) from error


def close_connection() -> None:
    """Give a PostgreSQL connection back to the pool; SQLite's stays with its thread."""
    if is_postgres() and not db.obj.is_closed():
        db.obj.close()


@contextmanager
def transaction() -> Iterator[None]:
    """All or nothing. Begun in services only; they do not nest, and no call to Stripe or a mail server fits inside."""
    if db.obj.in_transaction():
        raise RuntimeError("a transaction is open already: let the caller's do the work")
    try:
        with _turn_to_write(), db.obj.atomic():
            yield
            # The rest is the disk's work. What a request does afterwards is little, and to wait for another turn costs
            # more than it brings.
            turns.pause()
    except NoTurn as error:
        raise DatabaseBusy("writer queue") from error
    except (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError) as error:
        if is_mistake(error):
            raise
        raise DatabaseBusy(_cause(error)) from error


@contextmanager
def _turn_to_write() -> Iterator[None]:
    """In SQLite's queue; what was waited there is no longer waited for SQLite's own lock."""
    if _writers is None:
        yield
        return
    with _writers.turn(SQLITE_WAIT) as left:
        if left > SQLITE_WAIT - 0.1:
            yield
            return
        db.execute_sql(f"PRAGMA busy_timeout = {int(left * 1000)}")
        try:
            yield
        finally:
            db.execute_sql(f"PRAGMA busy_timeout = {int(SQLITE_WAIT * 1000)}")


def is_mistake(error: Exception) -> bool:
    """Whether SQLite means a wrong statement (a fault of ours) and not a database that is busy, full or gone."""
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


@contextmanager
def savepoint() -> Iterator[None]:
    """For a statement that may break a constraint inside a transaction, which would otherwise be lost on PostgreSQL."""
    must_be_in_transaction()
    with db.atomic():
        yield


def lock(model: type[Row], row_id: int | str) -> Row:
    """The row, read anew under its lock until the transaction ends. Order: reservation, payment, refund, night."""
    must_be_in_transaction()
    row: Row | None = _locking(model).first(row_id)
    if row is None:
        raise peewee.DoesNotExist(f"{model.__name__} {row_id}")
    return row


@cache
def _locking(model: Any) -> Prepared[Any]:
    return Prepared(lambda row_id: for_update(model.select().where(model._meta.primary_key == row_id)))


def for_update(query: Any) -> Any:
    """A SELECT that locks the rows of its first table, in the same order as `lock`. SQLite's transaction has locked
    everything already."""
    return query.for_update(of=query.model) if is_postgres() else query


def must_be_in_transaction() -> None:
    if not db.obj.in_transaction():
        raise RuntimeError("this changes rows that belong together: begin a transaction first")


def must_not_be_in_transaction() -> None:
    """Called by every gateway: a lock held while somebody else's server thinks would stop the whole hotel."""
    if db.obj is not None and db.obj.in_transaction():
        raise RuntimeError("a transaction is open: commit it before calling anybody outside")


def _cause(error: Exception) -> str:
    """The engine's own short word for it (a SQLSTATE or a class name), never the statement with its values."""
    original = getattr(error, "orig", None) or error
    return str(getattr(original, "sqlstate", None) or type(original).__name__)


def disconnect() -> None:
    """Close this thread's connection for good: before a fork, and when a test ends."""
    if db.obj is None:
        return
    if not db.is_closed():
        db.close()
    if is_postgres():
        db.obj.close_all()
