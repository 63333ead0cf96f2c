"""What is asked of the database and of Stripe meanwhile, by all threads."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from portal.db import db
from portal.gateways import stripe_gateway

BEGIN, COMMIT, ROLLBACK, STRIPE = "begin", "commit", "rollback", "Stripe"
_BEFORE_TABLE = {"SELECT": "FROM", "INSERT": "INTO", "DELETE": "DELETE FROM"}


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The SQL statements. What begins and ends a transaction goes another way and is not among them."""
    statements: list[str] = []
    execute = type(db.obj).execute_sql

    def noting(self: object, sql: str, *args: object, **named: object) -> object:
        statements.append(sql)
        return execute(self, sql, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(type(db.obj), "execute_sql", noting)
        yield statements


@contextmanager
def in_order(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Statements in short ("UPDATE payment"), begins and ends of transactions, and calls to Stripe, as they happen."""
    happened: list[str] = []

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(self: object, *args: object, **named: object) -> object:
            happened.append(name or in_short(str(args[0])))
            return function(self, *args, **named)

        return noted

    database, client = type(db.obj), stripe_gateway._Client
    with monkeypatch.context() as patch:
        patch.setattr(database, "execute_sql", noting("", database.execute_sql))
        for name in (BEGIN, COMMIT, ROLLBACK):
            patch.setattr(database, name, noting(name, getattr(database, name)))
        patch.setattr(client, "request", noting(STRIPE, client.request))
        yield happened


def in_short(sql: str) -> str:
    """What a statement does to which table."""
    verb, outermost = sql.split(maxsplit=1)[0], sql
    while outermost != (outermost := re.sub(r"\([^()]*\)", "", outermost)):  # what is asked on the way to it
        pass
    before = rf'{_BEFORE_TABLE.get(verb, verb)} "(\w+)"'
    table = re.search(before, outermost) or re.search(before, sql)
    return f"{verb} {table[1]}" if table else sql


def outside(happened: list[str]) -> list[str]:
    """What happened while no transaction was open."""
    found, is_open = [], False
    for name in happened:
        if name in (BEGIN, COMMIT, ROLLBACK):
            is_open = name == BEGIN
        elif not is_open:
            found.append(name)
    return found


def statements_of(happened: list[str]) -> list[str]:
    return [name for name in happened if name not in (BEGIN, COMMIT, ROLLBACK, STRIPE)]
