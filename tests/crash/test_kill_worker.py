"""The worker is killed in the middle of a job; the next one, here or on another machine, finishes it."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from portal import jobs
from portal.db import transaction
from portal.models import Lease, Payment, Reservation, RoomNight
from tests import processes
from tests.actors import session_of
from tests.crash import points
from tests.crash.house import LATER, House
from tests.crash.points import Point, each

pytestmark = pytest.mark.exhaustive

STARTED_AGAIN = LATER + timedelta(minutes=2)
"""When the leases of the dead worker have run out."""


def worker_dies(house: House, death: Point) -> None:
    """A worker that finds everything a quarter of an hour old, and does not survive it."""
    forget_leases()
    house.will_die_at(death)
    with house.later():
        worker = house.start_worker(ahead=LATER)
        try:
            assert worker.wait_over() == -signal.SIGKILL, worker.said()
        finally:
            worker.kill()
    assert not house.is_armed()


def forget_leases() -> None:
    """The cases before this one had workers too."""
    with transaction():
        Lease.delete().execute()


def next_worker_runs_until(house: House, true: Callable[[], bool], what: str) -> None:
    """A worker process as a supervisor would start it: it waits for the dead one's leases, then does its work."""
    with house.later(STARTED_AGAIN):
        worker = house.start_worker(ahead=STARTED_AGAIN)
        try:
            processes.wait_until(true, what)
            assert worker.stop() == 0
        finally:
            worker.kill()


def paid_in_silence(house: House) -> Reservation:
    """A guest paid and closed the browser; Stripe's messages do not come."""
    reservation = house.add_stay()
    assert house.stripe.pay(session_of(house.guest_of(reservation).presses_pay()))["status"] == "paid"
    return reservation


@each(points.WORKER_PAID)
def test_killed_while_asking_about_a_payment(house: House, death: Point) -> None:
    reservation = paid_in_silence(house)
    worker_dies(house, death)
    house.worker_runs(STARTED_AGAIN)
    house.is_confirmed(reservation)
    house.hears_everything()
    house.is_confirmed(reservation)


def test_the_next_worker_process_finishes(house: House) -> None:
    reservation = paid_in_silence(house)
    worker_dies(house, points.BY_NAME["worker: confirmed, not committed"])
    next_worker_runs_until(house, lambda: Reservation.get_by_id(reservation.id).status == "confirmed", "confirmed")
    house.is_confirmed(reservation)


def left_creating(house: House, *, made: bool) -> Reservation:
    """The portal died with the row committed, or only when Stripe had made the session."""
    reservation = house.add_stay()
    guest = house.guest_of(reservation)
    house.will_die_at(points.BY_NAME["pay: session made, we do not know" if made else "pay: row committed"])
    house.dies(guest.presses_pay)
    return reservation


@pytest.mark.parametrize("made", [True, False], ids=["session was made", "session was never made"])
@each(points.WORKER_CREATING)
def test_killed_while_finishing_a_row(house: House, death: Point, made: bool) -> None:
    reservation = left_creating(house, made=made)
    worker_dies(house, death)
    house.worker_runs(STARTED_AGAIN)
    (payment,) = Payment.select().where(Payment.reservation == reservation.id)
    assert payment.status == ("open" if made else "failed")
    house.agrees(reservation)
    house.becomes_paid(reservation)


def overdue(house: House) -> Reservation:
    reservation = house.add_stay()
    with transaction():
        Reservation.update(hold_until=datetime.now(UTC) + timedelta(minutes=1)).where(
            Reservation.id == reservation.id
        ).execute()
    return reservation


@each(points.WORKER_HOLD)
def test_killed_while_releasing_a_hold(house: House, death: Point) -> None:
    reservation = overdue(house)
    worker_dies(house, death)
    status = Reservation.get_by_id(reservation.id).status
    nights = RoomNight.select().where(RoomNight.reservation == reservation.id).count()
    assert (status, nights) in (("pending", 3), ("expired", 0))  # both, or neither
    house.worker_runs(STARTED_AGAIN)
    assert Reservation.get_by_id(reservation.id).status == "expired"
    house.agrees(reservation)


@each(points.WORKER_HOLD[:1])
def test_killed_before_releasing_a_hold_that_is_paid_meanwhile(house: House, death: Point) -> None:
    reservation = overdue(house)
    session = session_of(house.guest_of(reservation).presses_pay())
    worker_dies(house, death)  # asked Stripe, heard that the session is open, and died
    assert house.stripe.pay(session)["status"] == "paid"
    house.worker_runs(STARTED_AGAIN)
    house.is_confirmed(reservation)


def test_a_dead_workers_lease_runs_out(house: House) -> None:
    """Nobody gets the job while the lease lasts, and the next worker gets it afterwards."""
    forget_leases()
    assert jobs.take_lease(house.deps, "a job", "the dead one", timedelta(minutes=1))
    assert not jobs.take_lease(house.deps, "a job", "the next one", timedelta(minutes=1))
    with house.later(timedelta(minutes=1, seconds=1)) as deps:
        assert jobs.take_lease(deps, "a job", "the next one", timedelta(minutes=1))
