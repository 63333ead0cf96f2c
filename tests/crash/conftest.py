"""One hotel for each kind of database, shared by the cases of a file: its portal is killed in each and comes back."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stripe_simulator import Control, start
from tests import log_watch, postgres
from tests.crash import die_at
from tests.crash.books import books_agree
from tests.crash.house import WEBHOOK_SECRET, House, furnish


@pytest.fixture(scope="module")
def sqlite_house(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(sqlite_template, folder / "portal.db")
    with _opened(f"sqlite:///{folder / 'portal.db'}", folder) as house:
        yield house


@pytest.fixture(scope="module")
def postgres_house(
    postgres_server: str, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    name = f"crash_{uuid.uuid4().hex[:10]}"
    postgres.execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    with _opened(f"{postgres_server}/{name}", tmp_path_factory.mktemp("house")) as house:
        yield house
    postgres.execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _opened(database_url: str, folder: Path) -> Iterator[House]:
    """With its portal running; when the last case is over, all books of all cases have to agree."""
    furnish(database_url)
    simulator = start(port=0, webhook_secrets=(WEBHOOK_SECRET,))
    house = House(database_url, Control(simulator.url), folder)
    house.stripe.webhooks("hold", url=f"{house.url}/webhooks/stripe")
    try:
        house.start_portal()
        yield house
        with house.eyes():
            books_agree(house.stripe.truth())
    finally:
        house.end()
        simulator.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """The hotel, with a connection to its database for the test's own eyes."""
    here: House = request.getfixturevalue(f"{request.param}_house")
    log_watch.be_quiet()
    with here.eyes():
        yield here
        die_at.arm(here.armed)
        here.stripe.clear_faults()
        here.hears_everything()  # late messages, too late to change anything
