"""Whether this process can serve guests: a list of checks, each with what to do."""

from dataclasses import dataclass

from portal import migrations
from portal.deps import Deps
from portal.services import leases, restored


@dataclass(frozen=True)
class Unready:
    """`reason` for programs, `do` for people."""

    reason: str
    do: str


@dataclass(frozen=True)
class Readiness:
    """Ready when nothing is wrong. A worker that is not alive stops no page, so it is told and no more."""

    wrong: list[Unready]
    worker_alive: bool


def check(deps: Deps) -> Readiness:
    """Asks the database, so it raises DatabaseBusy when that is away."""
    wrong = [found for found in (_schema(), _restored()) if found]
    return Readiness(wrong, leases.worker_is_alive(deps))


def _schema() -> Unready | None:
    if migrations.pending():
        return Unready("the database is not up to date", "python -m portal migrate")
    if migrations.unknown():
        return Unready("the database was used by a newer version", "install that version")
    return None


def _restored() -> Unready | None:
    if not migrations.pending() and restored.is_unreconciled():
        return Unready("a restored backup has not been reconciled with Stripe", "python -m portal reconcile --since …")
    return None
