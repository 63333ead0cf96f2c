"""A hotel whose portal and worker are real processes that die on command, and whose Stripe runs here."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import requests

from portal import db, jobs
from portal.deps import Deps
from portal.gateways.stripe_gateway import FOR_A_WORKER
from portal.models import Payment, Reservation
from portal.services import hotels, reservations
from portal.settings import Settings
from stripe_simulator import Control
from tests import processes
from tests.actors import Guest
from tests.crash import die_at
from tests.crash.books import books_agree, open_sessions
from tests.crash.points import Point
from tests.postgres import free_port
from tests.processes import Process
from tests.stays import new_stay

WEBHOOK_SECRET = "whsec_of_the_tests"
LATER = timedelta(minutes=15)
"""Past the two minutes of the sweeps and the ten after which a row is given up."""


@dataclass
class House:
    """Everything of one hotel: its database, its Stripe, its portal."""

    database_url: str
    stripe: Control
    folder: Path
    port: int = field(default_factory=free_port)
    portal: Process | None = None
    _stays: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        self.armed = self.folder / f"die_at_{uuid.uuid4().hex[:8]}"
        die_at.arm(self.armed)
        self.environment = {
            "DATABASE_URL": self.database_url,
            "SECRET_KEY": "0123456789abcdef0123456789abcdef",
            "PUBLIC_BASE_URL": self.url,
            "STRIPE_SECRET_KEY": "sk_test_of_the_tests",
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": self.stripe.url,
            "BIND": f"127.0.0.1:{self.port}",
            "WEB_WORKERS": "1",
            "WEB_THREADS": "6",
            "DIE_AT_FILE": str(self.armed),
        }
        self.settings = Settings.from_environ(self.environment)
        self.deps = Deps.build(self.settings, FOR_A_WORKER)

    # Processes

    def start_portal(self) -> None:
        """gunicorn with the repository's configuration; when its worker is killed, it starts the next by itself."""
        serve = ["-m", "tests.crash.die_at", "gunicorn", "--log-level", "warning", "wsgi:app"]
        self.portal = processes.start("portal", serve, self.environment, self.folder)
        processes.wait_until_up(self.portal, f"{self.url}/healthz")

    def end(self) -> None:
        if self.portal:
            self.portal.kill()

    def start_worker(self, *options: str, ahead: timedelta = timedelta()) -> Process:
        """`python -m portal worker`, with its clock moved."""
        environment = {**self.environment, "CLOCK_AHEAD": str(ahead.total_seconds())}
        command = ["-m", "tests.crash.die_at", "portal", "worker", *options]
        return processes.start("worker", command, environment, self.folder)

    @contextmanager
    def eyes(self) -> Iterator[None]:
        """This test's own connection to the hotel's database."""
        db.initialise(self.database_url)
        try:
            with db.connection():
                yield
        finally:
            db.disconnect()

    # Death

    def will_die_at(self, *deaths: Point) -> None:
        die_at.arm(self.armed, *deaths)

    def is_armed(self) -> bool:
        return bool(die_at.still_armed(self.armed))

    def dies(self, act: Callable[[], object]) -> None:
        """The act is answered by nobody, because the process was killed where it should be."""
        waiting = len(die_at.still_armed(self.armed))
        with pytest.raises(requests.ConnectionError):
            act()
        assert len(die_at.still_armed(self.armed)) == waiting - 1

    # People

    def add_stay(self, **changes: object) -> Reservation:
        """A stay in nights that no other one has."""
        new = new_stay(reservations.today_at_hotel(self.deps), in_days=30 + 3 * next(self._stays), **changes)
        return reservations.add_reservation(self.deps, new, actor="test")

    def guest_of(self, reservation: Reservation) -> Guest:
        """With the page of the stay open in a fresh browser."""
        guest = Guest(self.url, self.deps)
        page = guest.opens_link(reservation)
        assert page.status == 200, f"{page.status} {page.text}\n{self.portal.said() if self.portal else ''}"
        return guest

    # Time, and the end

    @contextmanager
    def later(self, ahead: timedelta = LATER) -> Iterator[Deps]:
        """The hotel's worker and Stripe some minutes on; afterwards the clocks go right again."""
        seconds = int(ahead.total_seconds())
        self.stripe.advance(seconds)
        try:
            yield Deps.build(self.settings, FOR_A_WORKER, lambda: datetime.now(UTC) + ahead)
        finally:
            self.stripe.advance(-seconds)

    def worker_runs(self, ahead: timedelta = LATER) -> None:
        with self.later(ahead) as deps:
            jobs.run_once(deps)

    def becomes_paid(self, reservation: Reservation) -> None:
        """Whatever happened before: pressing Pay leads to the one open session, paying it confirms, all books agree."""
        address = self.guest_of(reservation).presses_pay()
        self.pays(reservation, address)
        self.hears_everything()
        self.is_confirmed(reservation)

    def pays(self, reservation: Reservation, address: str) -> None:
        (session,) = open_sessions(self.stripe.truth(), reservation)
        assert f"/{session}" in address
        assert self.stripe.pay(session)["status"] == "paid"

    def hears_everything(self) -> None:
        """Every message that did not arrive yet arrives now."""
        assert set(self.stripe.deliver()) <= {200}

    def hears_of_payment(self, reservation: Reservation) -> list[int | None]:
        """The one message that the stay was paid; how it was answered."""
        for event in self.stripe.events("checkout.session.completed"):
            if event["data"]["object"]["client_reference_id"] == reservation.code:
                return self.stripe.deliver(event["id"])
        raise AssertionError("Stripe has no such message")

    def is_confirmed(self, reservation: Reservation) -> None:
        """Paid by exactly one payment, once, and every row agrees with Stripe's; then late messages change nothing."""
        stay = Reservation.get_by_id(reservation.id)
        assert (stay.status, stay.paid) == ("confirmed", stay.total)
        kept = Payment.select().where((Payment.reservation == stay.id) & (Payment.disposition == "kept"))
        assert kept.count() == 1
        truth = self.stripe.truth()
        assert open_sessions(truth, stay) == []
        books_agree(truth, stay)

    def agrees(self, reservation: Reservation) -> None:
        """The rows of this stay say what Stripe says."""
        books_agree(self.stripe.truth(), Reservation.get_by_id(reservation.id))


def furnish(database_url: str) -> None:
    """A hotel with a room, in a migrated database."""
    db.initialise(database_url)
    with db.connection():
        hotels.set_hotel(name="Casa do Limoeiro", email="stay@limoeiro.example", phone="+351 21 000 0140")
        hotels.add_rooms(["Garden room", "River room"], capacity=4)
    db.disconnect()
