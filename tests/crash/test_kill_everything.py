"""The whole server goes at once, or is asked to stop; and a migration that does not come to its end."""

import shutil
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from portal import NotReady, create_app, db, migrations
from portal.services import hotels
from stripe_simulator import Control
from tests import postgres, processes
from tests.actors import Guest
from tests.crash import points
from tests.crash.books import open_sessions
from tests.crash.house import House, furnish
from tests.crash.points import Point


class Click(threading.Thread):
    """A press on Pay that somebody waits for; where it led, or None when nobody answered."""

    def __init__(self, guest: Guest) -> None:
        super().__init__()
        self.guest, self.address = guest, ""
        self.start()

    def run(self) -> None:
        try:
            self.address = self.guest.presses_pay()
        except requests.ConnectionError:
            self.address = ""

    def led_to(self) -> str:
        self.join(20)
        assert not self.is_alive()
        return self.address


def slow_click(house: House, guest: Guest, seconds: float) -> Click:
    """Pay is pressed, and Stripe takes its time to answer."""
    house.stripe.fault("slow", method="POST", path="/v1/checkout/sessions", seconds=seconds)
    click = Click(guest)
    processes.wait_until(lambda: not house.stripe._call("GET", "faults")["faults"], "the call reaches Stripe")
    return click


def test_the_whole_server_is_killed_while_stripe_is_making_the_session(house: House) -> None:
    reservation = house.add_stay()
    click = slow_click(house, house.guest_of(reservation), 0.5)
    house.end()
    assert click.led_to() == ""
    house.start_portal()
    processes.wait_until(lambda: open_sessions(house.stripe.truth(), reservation), "Stripe makes it all the same")
    house.becomes_paid(reservation)


def test_asked_to_stop_it_answers_the_click_that_is_under_way(house: House) -> None:
    reservation = house.add_stay()
    click = slow_click(house, house.guest_of(reservation), 0.5)
    assert house.portal
    assert house.portal.stop() == 0, house.portal.said()
    (session,) = open_sessions(house.stripe.truth(), reservation)
    assert session in click.led_to()
    house.start_portal()
    house.becomes_paid(reservation)


# Migrations


@pytest.fixture(params=["sqlite", "postgres"])
def empty_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A hotel whose database has no tables yet."""
    stripe = Control("http://127.0.0.1:9")  # nobody is asked
    if request.param == "sqlite":
        yield House(f"sqlite:///{tmp_path / 'portal.db'}", stripe, tmp_path)
        shutil.rmtree(tmp_path)
        return
    server, name = request.getfixturevalue("postgres_server"), f"empty_{uuid.uuid4().hex[:10]}"
    postgres.execute(server, f"CREATE DATABASE {name}")
    yield House(f"{server}/{name}", stripe, tmp_path)
    postgres.execute(server, f"DROP DATABASE {name} WITH (FORCE)")


BEFORE, AFTER = points.COMMIT


@pytest.mark.parametrize(
    "death",
    [
        Point(BEFORE.name, BEFORE.target, BEFORE.when, 1),
        Point(BEFORE.name, BEFORE.target, BEFORE.when, 3),
        Point(AFTER.name, AFTER.target, AFTER.when, 4),
    ],
    ids=["before the first step's commit", "before the third step's commit", "after the fourth step's commit"],
)
def test_killed_while_migrating(empty_house: House, death: Point) -> None:
    empty_house.will_die_at(death)
    process = processes.start(
        "migrate", ["-m", "tests.crash.die_at", "portal", "migrate"], empty_house.environment, empty_house.folder
    )
    assert process.wait_over() == -signal.SIGKILL, process.said()
    assert not empty_house.is_armed()
    db.initialise(empty_house.database_url)
    try:
        with pytest.raises(NotReady):
            create_app(empty_house.settings)
        done = death.turn - (death.when == "before")
        assert len(migrations.migrate()) == len(list(Path(migrations.__file__).parent.glob("0*.py"))) - done
        with db.connection():
            hotels.ensure_hotel()
        create_app(empty_house.settings)
    finally:
        db.disconnect()
    furnish(empty_house.database_url)
    with empty_house.eyes():
        assert empty_house.add_stay().status == "pending"
