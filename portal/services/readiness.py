"""Can this process do its work now? A list of checks, each with the sentence that says what to do."""

from collections.abc import Callable

import peewee

from portal import db, migrations
from portal.db import DatabaseBusy
from portal.deps import Deps
from portal.services import leases, restored

AWAY = "The database does not answer."


def answer(deps: Deps) -> dict[str, object]:
    """For /readyz. Always an answer, also without a database, and within the seconds that db.py allows a connection and
    a statement; `reasons` is empty when all is well."""
    try:
        with db.connection():
            reasons = [reason for check in CHECKS if (reason := check(deps))]
            return _answer(reasons, waiting=migrations.pending(), worker=leases.worker_is_alive(deps))
    except (DatabaseBusy, peewee.PeeweeException):
        return _answer([AWAY])


def _answer(reasons: list[str], waiting: list[str] | None = None, worker: bool | None = None) -> dict[str, object]:
    """What could not be found out is null. A worker may be away: pages work without one."""
    status = "not ready" if reasons else "ready"
    return {"status": status, "reasons": reasons, "migrations_waiting": waiting, "worker_alive": worker}


def _schema_is_older(_deps: Deps) -> str:
    return "The database is not up to date. Run: python -m portal migrate" if migrations.pending() else ""


def _schema_is_newer(_deps: Deps) -> str:
    return "The database was used by a newer version. Install that version." if migrations.unknown() else ""


def _is_unreconciled(_deps: Deps) -> str:
    if migrations.pending() or not restored.is_unreconciled():
        return ""
    return "A restored backup was not reconciled with Stripe. Run: python -m portal reconcile --since TIME"


CHECKS: tuple[Callable[[Deps], str], ...] = (
    _schema_is_older,
    _schema_is_newer,
    _is_unreconciled,
)
"""Each gives the reason why nobody should be sent here, or nothing. A further check is a further line."""
