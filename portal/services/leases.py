"""Whose turn a job is, and whether a worker is alive: rows that simply run out when a process dies."""

from datetime import timedelta

from portal.db import transaction
from portal.deps import Deps
from portal.models import Lease
from portal.services.due import is_due

HEARTBEAT = "worker"
ALIVE_FOR = timedelta(minutes=5)


def take_lease(deps: Deps, name: str, owner: str, time: timedelta, *, force: bool = False) -> bool:
    """Whether this owner has the lease now, which then lasts for `time`; nobody gets it before that is over."""
    now = deps.now()
    with transaction():
        Lease.insert(name=name, until=now).on_conflict_ignore().execute()
        free = (Lease.name == name) & (True if force else is_due(Lease.until, now, time))
        return bool(Lease.update(owner=owner, until=now + time).where(free).execute())


def take_heartbeat(deps: Deps, owner: str) -> None:
    """A worker shows itself; each may, whoever was the last."""
    take_lease(deps, HEARTBEAT, owner, ALIVE_FOR, force=True)


def worker_is_alive(deps: Deps) -> bool:
    """Whether any worker has shown itself in the last minutes."""
    now = deps.now()
    return (
        Lease.select()
        .where((Lease.name == HEARTBEAT) & (Lease.until > now) & (Lease.until <= now + ALIVE_FOR))
        .exists()
    )
