"""A machine starts with a clock that is ahead, and the clock is put right: nothing waits for the wrong time to come."""

from dataclasses import replace
from datetime import timedelta

from portal import jobs
from portal.deps import Deps
from portal.models import Lease
from portal.services import leases


def test_jobs_run_again_at_once(deps: Deps) -> None:
    now = deps.now()
    ahead = replace(deps, now=lambda: now + timedelta(days=30))
    assert all(leases.take_lease(ahead, job.name, "worker 1", job.every) for job in jobs.JOBS)
    assert all(leases.take_lease(deps, job.name, "worker 1", job.every) for job in jobs.JOBS)
    assert not any(leases.take_lease(deps, job.name, "worker 2", job.every) for job in jobs.JOBS)
    assert Lease.select().count() == len(jobs.JOBS)


def test_a_sign_of_life_from_the_future_is_none(deps: Deps) -> None:
    now = deps.now()
    leases.take_heartbeat(replace(deps, now=lambda: now + timedelta(days=30)), "worker 1")
    assert not leases.worker_is_alive(deps)
    leases.take_heartbeat(deps, "worker 1")
    assert leases.worker_is_alive(deps)
