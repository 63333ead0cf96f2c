"""Parts that all tests share: both databases, a clock, a Stripe that runs here, and stays to tell stories about."""

import os
import shutil
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from peewee import PeeweeException

from portal import cli, create_app, db, migrations
from portal.deps import Deps
from portal.gateways.stripe_gateway import Patience
from portal.models import Reservation
from portal.services import hotels, reservations
from portal.settings import Settings
from portal.web import languages
from portal.web.context import set_deps
from stripe_simulator import Control, Simulator, start
from tests import log_watch, postgres, processes
from tests.actors import Clock, Guest, LivePortal
from tests.mailbox import Mailbox
from tests.statements import counted
from tests.stays import new_stay

WEBHOOK_SECRET = "whsec_of_the_tests"
QUICK = Patience(connect=2, read=4, retries=1, altogether=20)
log_watch.install()


SQL_OF_ITS_OWN = (
    *(
        "tests/staff/test_search",
        "tests/staff/test_money_lists",
        "tests/staff/test_calendar",
        "tests/staff/test_import",
    ),
    *("tests/staff/test_reservations", "tests/staff/test_statements", "tests/staff/test_sign_in"),
    *(
        "tests/api/test_repeating",
        "tests/security/test_forgetting",
        "tests/refunds/test_at_once",
        "tests/web/test_find",
    ),
    *("tests/refunds/test_books.py", "tests/refunds/test_restored_backups", "tests/web/test_webhook_"),
)
"""Files about statements, locks and rows that meet: every test of them runs on both databases."""

SHARE_ON_POSTGRES = {
    **dict.fromkeys(("tests/staff/", "tests/web/", "tests/api/", "tests/security/", "tests/services/test_mails"), 10),
    **dict.fromkeys(("tests/refunds/", "tests/stories/"), 3),
}
"""Of files about pages and answers, `make test` runs each tenth test on PostgreSQL too; of stories, each third."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make test` runs everything on SQLite. On PostgreSQL, where only locks and SQL differ, it runs a share of each file
    (see above), and of files marked `exhaustive` (hundreds of like cases) the first case of each test function and each
    tenth after it; `make deep` runs the others too."""
    seen: Counter[str] = Counter()
    for item in sorted(items, key=lambda item: item.nodeid):
        if "postgres" not in str(item.name):
            continue
        for group, share in _shares(item):
            if seen[group] % share:
                item.add_marker(pytest.mark.deep)
            seen[group] += 1


def _shares(item: pytest.Item) -> Iterator[tuple[str, int]]:
    file = item.nodeid.split("::", maxsplit=1)[0]
    if item.get_closest_marker("exhaustive"):
        yield item.nodeid.split("[", maxsplit=1)[0], 10
    elif not file.startswith(SQL_OF_ITS_OWN):
        yield from ((file, share) for start, share in SHARE_ON_POSTGRES.items() if file.startswith(start))


@pytest.fixture(autouse=True)
def _private_logs() -> Iterator[None]:
    """No line that any test causes tells who anybody is, or a secret."""
    yield
    assert log_watch.look() == []


@pytest.fixture(autouse=True, scope="session")
def _private_logs_of_processes() -> Iterator[None]:
    yield
    assert log_watch.leaks_of_processes() == []


@pytest.fixture
def leaking() -> Iterator[None]:
    """For a test that logs what must not be logged, to see what becomes of it."""
    yield
    log_watch.forget()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given.rstrip("/")
    elif postgres.binaries() is None and not os.environ.get("CI"):
        pytest.skip("no PostgreSQL server on this machine: install postgresql, or set TEST_POSTGRES_URL")
    else:
        with postgres.server() as url:
            yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """A database that is migrated once and then copied for each test."""
    name = f"template_{uuid.uuid4().hex[:10]}"
    postgres.execute(postgres_server, f"CREATE DATABASE {name}")
    _make_schema(f"{postgres_server}/{name}")
    return name


@pytest.fixture(scope="session")
def postgres_reused(postgres_server: str, postgres_template: str) -> Iterator[postgres.Reused]:
    reused = postgres.Reused(postgres_server, postgres_template)
    yield reused
    reused.drop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    _make_schema(f"sqlite:///{file}")
    return file


def _make_schema(url: str) -> None:
    db.initialise(url)
    migrations.migrate()
    with db.connection():
        hotels.ensure_hotel()
    db.disconnect()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of either kind with nothing in it yet: every test that uses one runs twice."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "portal.db")
        yield f"sqlite:///{tmp_path / 'portal.db'}"
        return
    reused = request.getfixturevalue("postgres_reused")
    yield reused.url
    reused.put_back()


@pytest.fixture
def database(database_url: str) -> Iterator[str]:
    """The database, with a connection for the test's own eyes."""
    log_watch.be_quiet()
    db.initialise(database_url, pool=60)
    with db.connection():
        hotels.set_hotel(
            name="Casa do Limoeiro",
            timezone="Europe/Lisbon",
            city="Lisbon",
            phone="+351 21 000 0140",
            email="stay@limoeiro.example",
        )
        hotels.add_rooms(["Garden room", "River room"], capacity=4)
        yield database_url
        with suppress(PeeweeException):  # some tests take the tables away
            log_watch.remember_people()
    db.disconnect()


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    running = start(port=0, webhook_url=None, webhook_secrets=(WEBHOOK_SECRET,))
    yield running
    running.stop()


@pytest.fixture
def stripe(simulator: Simulator) -> Control:
    """A Stripe that knows nothing yet, holds its webhooks back until told, and whose clock stands still."""
    control = Control(simulator.url)
    control.reset()
    control.freeze()
    control.webhooks("hold", duplicate=0, delay=0, shuffle=False, drop=[], only=None)
    return control


@pytest.fixture
def clock(stripe: Control) -> Clock:
    """One clock for the portal and for Stripe; it moves only when a test moves it."""
    return Clock(stripe)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on this machine. A test that names it has mails switched on; for all others they are off."""
    box = Mailbox()
    box.start()
    yield box
    box.stop()


@pytest.fixture
def settings(request: pytest.FixtureRequest, database_url: str, simulator: Simulator) -> Settings:
    mails = request.getfixturevalue("mailbox").settings if "mailbox" in request.fixturenames else {}
    return Settings.from_environ(
        {
            **mails,
            "DATABASE_URL": database_url,
            "SECRET_KEY": "0123456789abcdef0123456789abcdef",
            "PUBLIC_BASE_URL": "http://127.0.0.1:8000",
            "STRIPE_SECRET_KEY": "sk_test_of_the_tests",
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": simulator.url,
            "RETURN_URL_ORIGINS": "https://shop.hotel.example",
        }
    )


@pytest.fixture
def deps(settings: Settings, database: str, clock: Clock) -> Deps:
    return Deps.build(settings, QUICK, clock.now)


@pytest.fixture
def make_reservation(deps: Deps) -> Callable[..., Reservation]:
    """A pending stay in the Garden room, three nights from in 30 days, €1,125.00, unless told otherwise."""

    def make(**changes: object) -> Reservation:
        new = new_stay(reservations.today_at_hotel(deps), **changes)
        return reservations.add_reservation(deps, new, actor="test")

    return make


@pytest.fixture
def count_statements(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """How many SQL statements all threads run meanwhile."""

    def count(work: Callable[[], object]) -> int:
        with counted(monkeypatch) as statements:
            work()
        return len(statements)

    return count


@pytest.fixture
def portal(deps: Deps, simulator: Simulator) -> Iterator[LivePortal]:
    """The portal as a web server on this machine, which Stripe's webhooks reach."""
    with LivePortal.serve(lambda url: _app(deps, url)) as running:
        Control(simulator.url).webhooks(url=f"{running.url}/webhooks/stripe")
        yield running


_apps: dict[object, Flask] = {}


def _app(deps: Deps, url: str) -> Flask:
    """Made once for all tests whose settings differ in nothing that it is made of: its routes take longer to compile than
    most tests to run."""
    settings = replace(deps.settings, public_base_url=url)
    deps = replace(deps, settings=settings)
    alike = (
        replace(settings, database_url="", public_base_url="", smtp=None, mail_from=None, staff_mail_to=()),
        languages.TRANSLATIONS,
    )
    if alike not in _apps:
        _apps[alike] = create_app(settings, deps)
    set_deps(_apps[alike], deps)
    return _apps[alike]


Serve = Callable[..., tuple[processes.Process, str]]


@pytest.fixture
def serve_with_gunicorn(database: str, deps: Deps, tmp_path: Path) -> Iterator[Serve]:
    """The portal as it ships, on a port of its own, with settings given by name; the process and its address, once it
    is up."""
    started: list[processes.Process] = []

    def serve(**more: str) -> tuple[processes.Process, str]:
        port = postgres.free_port()
        url = f"http://127.0.0.1:{port}"
        environment = {
            "DATABASE_URL": database,
            "SECRET_KEY": deps.settings.secret_keys[0],
            "PUBLIC_BASE_URL": url,
            "STRIPE_SECRET_KEY": deps.settings.stripe_secret_key,
            "STRIPE_API_BASE": deps.settings.stripe_api_base,
            "BIND": f"127.0.0.1:{port}",
            "WEB_WORKERS": "2",
            "LOG_FORMAT": "json",
            "TMPDIR": str(tmp_path),
            **more,
        }
        gunicorn = str(Path(sys.executable).with_name("gunicorn"))  # started by its name it can start itself again
        started.append(processes.start("portal", [gunicorn, "wsgi:app"], environment, tmp_path))
        processes.wait_until_up(started[-1], f"{url}/healthz")
        return started[-1], url

    yield serve
    for process in started:
        process.kill()


@pytest.fixture
def guest(portal: LivePortal, deps: Deps) -> Guest:
    """Somebody with a browser that knows no JavaScript."""
    return Guest(portal.url, deps)


@pytest.fixture
def command_environment(settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command reads, as the test's own settings have it."""
    for name, value in {
        "DATABASE_URL": database,
        "SECRET_KEY": settings.secret_keys[0],
        "PUBLIC_BASE_URL": settings.public_base_url,
        "STRIPE_SECRET_KEY": settings.stripe_secret_key,
        "STRIPE_API_BASE": settings.stripe_api_base,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def command(command_environment: None, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`command("link", "X")` → exit status, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = cli.main(words)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run
