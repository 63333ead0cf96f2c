"""The front desk: a manager, a receptionist, somebody who is signed out, and how many statements a page runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from portal.db import db
from portal.deps import Deps
from stripe_simulator import Control
from tests.actors import Clock, LivePortal
from tests.refunds.hotel import Hotelier
from tests.staff.desk import Desk


@pytest.fixture
def manager(portal: LivePortal, deps: Deps) -> Desk:
    return Desk(portal.url, deps, "manager")


@pytest.fixture
def reception(portal: LivePortal, deps: Deps) -> Desk:
    return Desk(portal.url, deps, "reception")


@pytest.fixture
def stranger(portal: LivePortal, deps: Deps) -> Desk:
    return Desk(portal.url, deps, None)


@pytest.fixture
def count_statements(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """How many SQL statements all threads run meanwhile."""

    def count(work: Callable[[], object]) -> int:
        with counted(monkeypatch) as statements:
            work()
        return len(statements)

    return count


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


@pytest.fixture
def hotel(deps: Deps, stripe: Control, clock: Clock) -> Hotelier:
    """What happens at the hotel away from the desk."""
    return Hotelier(deps, stripe, clock)
