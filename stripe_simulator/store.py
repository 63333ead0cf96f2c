"""Keeps every object as a JSON document in SQLite; what a transaction committed survives `kill -9`."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

Doc = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    created INTEGER NOT NULL, doc TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_by_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_by_status ON object (kind, json_extract(doc, '$.status'));
CREATE INDEX IF NOT EXISTS object_by_payment_intent ON object (kind, json_extract(doc, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS object_by_charge ON object (kind, json_extract(doc, '$.charge'));
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    request_id TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, event_type TEXT NOT NULL, state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, last_status INTEGER, last_error TEXT);
CREATE INDEX IF NOT EXISTS delivery_by_state ON delivery (state, due);
CREATE TABLE IF NOT EXISTS later (
    id INTEGER PRIMARY KEY AUTOINCREMENT, due INTEGER NOT NULL, what TEXT NOT NULL, object_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS request (id INTEGER PRIMARY KEY AUTOINCREMENT, doc TEXT NOT NULL);
"""


def public(doc: Doc) -> Doc:
    """The document without the simulator's own notes, whose names start with an underscore."""
    return {name: value for name, value in doc.items() if not name.startswith("_")}


class StateInUseError(RuntimeError):
    """Another process works on the same state file."""


class Store:
    """One connection behind one lock; nested transactions join the outer one."""

    def __init__(self, path: str | None = None) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._touched = False
        self.on_new_delivery: Callable[[], None] = lambda: None
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=1)
        self._db.row_factory = sqlite3.Row
        try:
            # EXCLUSIVE: two simulators on one file would deliver every webhook twice.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            # NORMAL survives the death of the process, though not of the machine; a simulator needs no more.
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            raise StateInUseError(f"cannot use the state file {path}: {error}") from error

    def close(self) -> None:
        """Close the file; later calls fail."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is kept, or nothing is."""
        with self._lock:
            if self._depth:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            self._touched = False
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            else:
                self._db.execute("COMMIT")
            finally:
                self._depth = 0
            touched = self._touched
        if touched:
            self.on_new_delivery()

    def announce_delivery(self) -> None:
        """Wake the couriers once the running transaction is committed."""
        self._touched = True

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Run one statement and fetch everything."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def put(self, doc: Doc) -> Doc:
        """Insert or replace a document by its id."""
        self.rows(
            "INSERT INTO object (id, kind, created, doc) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
            (doc["id"], doc["object"], doc["created"], json.dumps(doc)),
        )
        return doc

    def find(self, kind: str, object_id: str) -> Doc | None:
        """The document, or None."""
        found = self.rows("SELECT doc FROM object WHERE id = ? AND kind = ?", (object_id, kind))
        return json.loads(found[0]["doc"]) if found else None

    def get(self, kind: str, object_id: str) -> Doc:
        """The document; KeyError when it does not exist."""
        found = self.find(kind, object_id)
        if found is None:
            raise KeyError(object_id)
        return found

    def sequence_of(self, kind: str, object_id: str) -> int | None:
        """The position of an object among all of them, in the order of creation."""
        found = self.rows("SELECT seq FROM object WHERE id = ? AND kind = ?", (object_id, kind))
        return found[0]["seq"] if found else None

    def select(
        self,
        kind: str,
        equal: Mapping[str, Any] | None = None,
        conditions: Sequence[tuple[str, Any]] = (),
        *,
        oldest_first: bool = False,
        limit: int = -1,
    ) -> list[Doc]:
        """Documents of a kind, newest first unless asked otherwise; `conditions` are SQL fragments with a value."""
        where, values = ["kind = ?"], [kind]
        for name, value in (equal or {}).items():
            where.append(f"json_extract(doc, '$.{name}') = ?")
            values.append(value)
        for fragment, value in conditions:
            where.append(fragment)
            values.append(value)
        order = "ASC" if oldest_first else "DESC"
        sql = f"SELECT doc FROM object WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?"
        return [json.loads(row["doc"]) for row in self.rows(sql, (*values, limit))]

    def setting(self, name: str, default: Any = None) -> Any:
        """A small named value."""
        found = self.rows("SELECT value FROM setting WHERE name = ?", (name,))
        return json.loads(found[0]["value"]) if found else default

    def set_setting(self, name: str, value: Any) -> None:
        """Keep a small named value."""
        self.rows(
            "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )

    def forget_everything(self) -> None:
        """Empty every table except the settings."""
        with self.transaction():
            for table in ("object", "idempotency", "delivery", "later", "request"):
                self.rows(f"DELETE FROM {table}")
