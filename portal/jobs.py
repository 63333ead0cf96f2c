"""Which sweep runs how often, and the worker that runs them. Any number of workers may run: a lease gives each job to
one at a time, and every job may be repeated."""

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

import structlog

from portal import db, logs, mail_texts
from portal.db import DatabaseBusy
from portal.deps import Deps
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.services import (
    anonymise,
    books,
    forgetting,
    holds,
    mail_sending,
    mails,
    reconciliation,
    refund_sending,
    restored,
    staff_sessions,
    sweeps,
    throttle,
    webhook_events,
)
from portal.services.leases import take_heartbeat, take_lease

log = structlog.get_logger()

TICK = 2.0


@dataclass(frozen=True)
class Job:
    """One call of a service, at most every `every`."""

    name: str
    every: timedelta
    run: Callable[[Deps], int]


def send_mails(deps: Deps) -> int:
    """What is queued, in the words of the templates."""
    return mail_sending.send_due(deps, mail_texts.write)


JOBS = (
    Job("send refunds", timedelta(seconds=5), refund_sending.send_due),
    Job("retry webhook events", timedelta(seconds=5), webhook_events.retry_waiting),
    Job("close unwanted sessions", timedelta(seconds=5), sweeps.close_unwanted_sessions),
    Job("learn cards", timedelta(seconds=10), sweeps.learn_cards),
    Job("ask about live payments", timedelta(minutes=1), sweeps.ask_live_payments),
    Job("finish creating payments", timedelta(minutes=1), sweeps.finish_creating),
    Job("release overdue holds", timedelta(minutes=1), holds.release_overdue_holds),
    Job("warn before holds end", timedelta(minutes=1), mails.queue_hold_warnings),
    Job("tell staff what needs attention", timedelta(minutes=1), mails.queue_staff_alerts),
    Job("send mails", timedelta(seconds=5), send_mails),
    Job("follow refunds", timedelta(minutes=1), refund_sending.follow),
    Job("reconcile what is new", timedelta(hours=1), reconciliation.reconcile_new),
    Job("reconcile 35 days", timedelta(days=1), reconciliation.reconcile_35_days),
    Job("check the books", timedelta(days=1), books.audit_for_worker),
    Job("forget old webhook events", timedelta(days=1), webhook_events.forget_old),
    Job("forget old sign-ins", timedelta(days=1), staff_sessions.forget_old),
    Job("forget guests of long ago", timedelta(days=1), anonymise.forget_old_guests),
    Job("forget addresses of mails", timedelta(days=1), forgetting.forget_addresses_of_mails),
    Job("forget old answers", timedelta(days=1), forgetting.forget_old_answers),
    Job("forget old rate buckets", timedelta(days=1), throttle.forget_old),
)


def run_once(deps: Deps) -> dict[str, int]:
    """Every job now, whether it is due or not; what each did. For `worker --once`, for tests and after a restart.
    One that fails is logged, and the others go on."""
    with db.connection():
        if _must_wait():
            return {job.name: 0 for job in JOBS}
        return {job.name: _run(deps, job) for job in JOBS}


def run_forever(deps: Deps, stop: Event) -> None:
    """Run due jobs until told to stop. A job that fails is logged and has its next turn like the others."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    while not stop.is_set():
        _tick(deps, owner)
        stop.wait(TICK)


def run_due(deps: Deps, owner: str) -> None:
    """The jobs whose time has come, unless another worker has them."""
    with db.connection():
        take_heartbeat(deps, owner)
        if _must_wait():
            return
        for job in JOBS:
            if take_lease(deps, job.name, owner, job.every):
                _run(deps, job)


def _must_wait() -> bool:
    """What a restored backup believes to be still to do may have been done long ago."""
    if not restored.is_unreconciled():
        return False
    log.error("restored backup is not reconciled: the worker waits", do="python -m portal reconcile --since TIME")
    return True


def _tick(deps: Deps, owner: str) -> None:
    try:
        run_due(deps, owner)
    except DatabaseBusy as error:
        log.warning("worker waits for the database", cause=str(error))
    except Exception as error:  # whatever it is, a worker that has ended helps nobody
        log.error("worker failed", **logs.describe(error))


def _run(deps: Deps, job: Job) -> int:
    """Every line that it causes has the job's name and the id of this run."""
    with logs.about(job=job.name, run=f"w{secrets.token_hex(8)}"):
        return _run_and_tell(deps, job)


def _run_and_tell(deps: Deps, job: Job) -> int:
    try:
        done = job.run(deps)
    except DatabaseBusy:
        raise
    except (StripeUnavailable, StripeRefused) as error:
        log.warning("job waits for Stripe", job=job.name, stripe_code=error.code)
        return 0
    except Exception as error:
        log.error("job failed", job=job.name, **logs.describe(error))
        return 0
    if done:
        log.info("job", job=job.name, done=done)
    return done
