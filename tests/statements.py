"""Which SQL statements are run meanwhile, by all threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from portal.db import db


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    statements: list[str] = []
    execute = type(db.obj).execute_sql

    def noting(self: object, sql: str, *args: object, **named: object) -> object:
        statements.append(sql)
        return execute(self, sql, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(type(db.obj), "execute_sql", noting)
        yield statements
