"""Which statements the portal runs, taken down while it runs them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import peewee


@dataclass
class Recording:
    """Statements by what they were run for; what begins and ends a transaction is not among them."""

    sql: dict[str, int] = field(default_factory=dict)
    ran_for: dict[str, list[tuple[int, list[Any]]]] = field(default_factory=dict)
    _now: str = ""

    def begin(self, name: str) -> None:
        self._now = name
        self.ran_for[name] = []

    def note(self, sql: str, values: Any) -> None:
        self.ran_for[self._now].append((self.sql.setdefault(sql, len(self.sql)), list(values or ())))

    def write(self, file: Path) -> None:
        """As the floor reads it. Instants and dates become text, which both engines take."""
        found = {"sql": list(self.sql), "messages": self.ran_for}
        file.write_text(json.dumps(found, default=str), encoding="utf-8")


@contextmanager
def recorded(database: peewee.Database) -> Iterator[Recording]:
    recording, kind = Recording(), type(database)
    execute = kind.execute_sql

    def noting(self: Any, sql: str, params: Any = None) -> Any:
        recording.note(sql, params)
        return execute(self, sql, params)

    kind.execute_sql = noting
    try:
        yield recording
    finally:
        kind.execute_sql = execute
