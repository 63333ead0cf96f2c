"""Requests of one process come one after the other; nobody is held up by one that waits, or that never ends."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from portal import turns
from portal.deps import Deps
from portal.models import Reservation
from portal.services import passwords
from portal.turns import Turns
from stripe_simulator import Control
from tests.actors import Guest, LivePortal
from tests.staff.desk import EMAILS, PASSWORD, Desk, hire


@contextmanager
def somebody_has_it(line: Turns) -> Iterator[None]:
    """Another thread has the turn, until the end of the block."""
    begun, ends = threading.Event(), threading.Event()

    def work() -> None:
        assert line.take()
        begun.set()
        ends.wait(10)
        line.let_go()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(10)
    try:
        yield
    finally:
        ends.set()
        thread.join()


def in_a_thread(work: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(10)


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 10)
    line, at_work, most = Turns(), 0, 0

    def work() -> None:
        nonlocal at_work, most
        assert line.take()
        at_work += 1
        most = max(most, at_work)
        time.sleep(0.001)  # others get the interpreter, and must not begin
        at_work -= 1
        line.let_go()

    threads = [threading.Thread(target=work) for _ in range(12)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert most == 1


def test_whoever_waited_long_enough_goes_ahead_and_takes_nothing_from_the_other() -> None:
    line = Turns()
    with somebody_has_it(line):
        assert not line.take()
        line.let_go()  # it has none: the other's stays
        assert not in_a_thread(line.take)
    assert line.take()


def test_whoever_lets_go_lets_another_begin() -> None:
    line = Turns()
    assert line.take()
    line.let_go()
    with somebody_has_it(line):
        line.let_go()  # the end of the request: it had let go before, to wait for Stripe
        assert not in_a_thread(line.take)


def test_taking_it_twice_is_having_it_once() -> None:
    line = Turns()
    assert line.take()
    assert line.take()
    line.let_go()
    assert in_a_thread(line.take)


def test_nobody_waits_where_it_is_not_kept() -> None:
    line = Turns()
    line.is_kept = False
    assert not line.take()
    line.let_go()
    line.is_kept = True
    assert in_a_thread(line.take)


def test_a_forked_process_begins_anew() -> None:
    with somebody_has_it(turns.of_this_process):
        child = os.fork()
        if child == 0:
            os._exit(7 if turns.take() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


# At the portal itself ------------------------------------------------------------------------------------------------


@pytest.fixture
def nobody_goes_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only whoever lets go lets others begin, within the time that a browser waits."""
    monkeypatch.setattr(turns, "PATIENCE", 60)


def test_others_read_while_a_guest_waits_for_stripe(
    nobody_goes_ahead: None,
    portal: LivePortal,
    deps: Deps,
    guest: Guest,
    stripe: Control,
    make_reservation: Callable[..., Reservation],
) -> None:
    payer, other = make_reservation(), Guest(portal.url, deps)
    guest.opens_link(payer)
    other.opens_link(payer)
    stripe.fault("slow", method="POST", path="/v1/checkout/sessions", seconds=1)
    with ThreadPoolExecutor(1) as pool:
        click = pool.submit(guest.presses_pay)
        while stripe.faults():
            time.sleep(0.01)
        page = other.goes_to(f"/reservations/{payer.code}")
        assert not click.done()
        assert page.status == 200
        assert click.result()


def test_others_read_while_a_password_is_hashed(
    nobody_goes_ahead: None, portal: LivePortal, deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire(deps, "reception")
    begun, ends = threading.Event(), threading.Event()
    others_could_read: list[bool] = []

    class Slow:
        def verify(self, *_: str) -> bool:
            begun.set()
            others_could_read.append(ends.wait(10))
            return True

    desk = Desk(portal.url, deps, None)
    desk.goes_to("/staff/sign-in")
    monkeypatch.setattr(passwords, "hasher", Slow())
    with ThreadPoolExecutor(1) as pool:
        signing_in = pool.submit(desk.submits, "/sign-in", email=EMAILS["reception"], password=PASSWORD)
        begun.wait(10)
        Guest(portal.url, deps).goes_to("/")
        ends.set()
        signing_in.result()
    assert others_could_read == [True]
