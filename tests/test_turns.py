"""Requests of one process come one after the other, where that is cheaper; nobody is held up by one that waits, or that
never ends."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from portal import create_app, db, turns
from portal.deps import Deps
from portal.models import Reservation
from portal.services import passwords
from portal.turns import Turns
from portal.web import bodies
from stripe_simulator import Control
from tests.actors import Guest, LivePortal
from tests.staff.desk import EMAILS, PASSWORD, Desk, hire

Make = Callable[..., Reservation]


@contextmanager
def somebody_has_it(line: Turns) -> Iterator[None]:
    """Another thread has the turn, until the end of the block."""
    begun, ends = threading.Event(), threading.Event()

    def work() -> None:
        line.begin()
        begun.set()
        ends.wait(10)
        line.end()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(10)
    try:
        yield
    finally:
        ends.set()
        thread.join()


def is_free(line: Turns) -> bool:
    """Whether another thread could begin now."""

    def try_it() -> bool:
        line.begin()
        had_it = line._own.has_it
        line.end()
        return had_it

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(try_it).result(10)


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 10)
    line, at_work, most = Turns(), 0, 0

    def work() -> None:
        nonlocal at_work, most
        line.begin()
        at_work += 1
        most = max(most, at_work)
        time.sleep(0.001)  # others get the interpreter, and must not begin
        at_work -= 1
        line.end()

    threads = [threading.Thread(target=work) for _ in range(12)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert most == 1


def test_whoever_waited_long_enough_goes_ahead_and_takes_nothing_from_the_other() -> None:
    line = Turns()
    with somebody_has_it(line):
        line.begin()
        line.pause()  # it has none: the other's stays
        line.end()
        assert not is_free(line)
    assert is_free(line)


def test_while_somebody_waits_another_works() -> None:
    line = Turns()
    line.begin()
    assert not is_free(line)
    with line.paused():
        assert is_free(line)
        line.pause()
        assert is_free(line)
    assert not is_free(line)
    line.resume()
    line.end()
    assert is_free(line)


def test_whoever_is_at_work_on_no_request_has_no_turn() -> None:
    line = Turns()
    with line.paused():
        pass
    line.begin()
    line.end()
    line.resume()
    assert is_free(line)


def test_what_goes_wrong_while_waiting_ends_the_waiting() -> None:
    line = Turns()
    line.begin()
    with pytest.raises(ZeroDivisionError), line.paused():
        _ = 1 / 0
    assert not is_free(line)
    line.end()


def test_nobody_waits_where_it_is_not_kept() -> None:
    line = Turns()
    line.is_kept = False
    line.begin()
    line.is_kept = True
    assert is_free(line)


def test_a_forked_process_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns.of_this_process, "is_kept", True)
    with somebody_has_it(turns.of_this_process):
        child = os.fork()
        if child == 0:
            os._exit(7 if is_free(turns.of_this_process) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.usefixtures("database")
def test_turns_are_kept_where_postgresql_is_near(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns.of_this_process, "is_kept", None)
    create_app(deps.settings, deps)
    assert turns.of_this_process.is_kept == db.is_postgres()
    monkeypatch.setattr(db, "NEAR", 0.0)
    create_app(deps.settings, deps)
    assert not turns.of_this_process.is_kept


# At the portal itself ------------------------------------------------------------------------------------------------


@pytest.fixture
def nobody_goes_ahead(portal: LivePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only whoever lets go lets others begin, within the time that a browser waits."""
    monkeypatch.setattr(turns, "PATIENCE", 1_000)
    monkeypatch.setattr(turns.of_this_process, "is_kept", True)


class Gate:
    """Somebody outside who answers only once others have been served."""

    def __init__(self) -> None:
        self._reached, self._opens = threading.Event(), threading.Event()
        self.others_could_read: list[bool] = []

    def wait(self) -> bool:
        self._reached.set()
        self.others_could_read.append(self._opens.wait(10))
        return True

    @contextmanager
    def while_waiting(self, work: Callable[[], object]) -> Iterator[None]:
        """Inside, the work has come to the gate; it is opened at the end of the block."""
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(work)
            assert self._reached.wait(10)
            yield
            self._opens.set()
            done.result(20)
        assert self.others_could_read
        assert all(self.others_could_read)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_others_read_while_a_guest_waits_for_stripe(
    nobody_goes_ahead: None, portal: LivePortal, deps: Deps, guest: Guest, stripe: Control, make_reservation: Make
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
    nobody_goes_ahead: None, portal: LivePortal, deps: Deps, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire(deps, "reception")
    desk = Desk(portal.url, deps, None)
    desk.goes_to("/staff/sign-in")
    monkeypatch.setattr(passwords, "hasher", SimpleNamespace(verify=lambda *_: gate.wait()))
    with gate.while_waiting(lambda: desk.submits("/sign-in", email=EMAILS["reception"], password=PASSWORD)):
        Guest(portal.url, deps).goes_to("/")


def test_others_read_while_the_disk_writes(
    nobody_goes_ahead: None, portal: LivePortal, deps: Deps, guest: Guest, gate: Gate, make_reservation: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    stay = make_reservation()
    guest.opens_link(stay)
    kind: Any = type(db.db.obj)
    commit = kind.commit
    monkeypatch.setattr(kind, "commit", lambda database: gate.wait() and commit(database))
    with gate.while_waiting(guest.presses_pay):
        Guest(portal.url, deps).goes_to("/")


@pytest.mark.parametrize(
    "sent", [b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"], ids=["small", "pieces"]
)
def test_others_read_while_a_body_does_not_come(
    nobody_goes_ahead: None, portal: LivePortal, deps: Deps, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    address, waits = urlsplit(portal.url), threading.Event()

    where: tuple[Any, str] = (bodies.Body, "_wait_for") if b"chunked" in sent else (bodies, "received")
    read = getattr(*where)
    monkeypatch.setattr(*where, lambda *given: waits.set() or read(*given))
    with socket.create_connection((address.hostname or "", address.port or 0), 10) as slow:
        slow.sendall(b"POST /webhooks/stripe HTTP/1.1\r\nHost: 127.0.0.1\r\n" + sent)
        assert waits.wait(10)
        assert Guest(portal.url, deps).goes_to("/").status == 200


READS: list[Callable[[Any], bytes]] = [
    lambda body: body.read(),
    lambda body: body.read(7) + body.read(),
    lambda body: body.readline() + body.readline(3) + body.read(),
    lambda body: b"".join(body),
    lambda body: b"".join(body.readlines()),
]


def sent(body: bytes, length: str, method: str = "POST") -> Any:
    return bodies.received({"wsgi.input": BytesIO(body), "CONTENT_LENGTH": length, "REQUEST_METHOD": method})


@pytest.mark.parametrize("size", [17, bodies.SMALL + 1])
@pytest.mark.parametrize("is_announced", [True, False])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_body_is_read_as_it_was_sent(size: int, is_announced: bool, method: str) -> None:
    lines = b"first\nsecond\nlast".ljust(size, b".")
    for read in READS:
        assert read(sent(lines, str(size) if is_announced else "", method)) == lines


@pytest.mark.parametrize("size", [17, bodies.SMALL + 1])
@pytest.mark.parametrize("came", [0, 1, 16])
def test_a_body_that_breaks_off_is_never_taken_for_whole(size: int, came: int) -> None:
    for read in (READS[0], *READS[3:], lambda body: b"".join(iter(lambda: body.read(5), b""))):
        with pytest.raises(ConnectionResetError):
            read(sent(b"first\nsecond\nlast"[:came], str(size)))


def test_a_visitor_who_is_gone_has_sent_no_empty_body() -> None:
    def gone(_: int) -> bytes:
        raise ConnectionAbortedError

    environ = {"wsgi.input": SimpleNamespace(read=gone), "CONTENT_LENGTH": "100", "REQUEST_METHOD": "POST"}
    with pytest.raises(ConnectionResetError):
        bodies.received(environ).read()
