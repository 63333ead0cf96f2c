"""The demo: a seeded hotel, the Stripe simulator, a mailbox, the portal and its worker, all with one command."""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.error import URLError

from portal import db, demo_stays, logs, migrations
from portal.deps import Deps
from portal.gateways.stripe_gateway import FOR_A_WORKER
from portal.services import hotels
from portal.settings import Settings

LOCALLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy between this machine and itself

START_WITHIN = 30.0
STOP_WITHIN = 10.0

TEST_CARDS = (
    ("4242 4242 4242 4242", "is paid"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "is declined: not enough money"),
    ("4000 0000 0000 0069", "is declined: expired card"),
    ("4000 0000 0000 0127", "is declined: wrong security code"),
    ("4000 0000 0000 3220", "asks for 3-D Secure, which you can pass or fail"),
)


class DemoProblem(Exception):
    """Why the demo cannot run, in one sentence."""


@dataclass(frozen=True)
class Ports:
    """Of everything that the demo starts, all on this machine."""

    portal: int
    stripe: int
    mailbox: int
    smtp: int


def run(folder: Path, ports: Ports) -> None:
    """Start everything, print the links, and stop it all on Ctrl-C. Each run begins with fresh data."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "running").open("a+") as lock:
        _only_one(lock)
        _must_be_free(ports)
        _empty(folder)
        environment = _environment(folder, ports)
        processes: dict[str, subprocess.Popen[bytes]] = {}
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            _start_all(folder, environment, ports, processes)
            _print_welcome(folder, environment, ports, *_seed(environment))
            _wait(folder, processes)
        except KeyboardInterrupt:
            print("\nStopping.", flush=True)
        finally:
            _stop(processes)


def _only_one(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise DemoProblem(
            "A demo runs already in this folder. Stop it with Ctrl-C, or give another --folder."
        ) from None


def _must_be_free(ports: Ports) -> None:
    for option, port in (
        ("--port", ports.portal),
        ("--stripe-port", ports.stripe),
        ("--mailbox-port", ports.mailbox),
        ("--smtp-port", ports.smtp),
    ):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                raise DemoProblem(
                    f"Port {port} is in use by another program. Choose another with {option} NUMBER."
                ) from None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != "running":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _environment(folder: Path, ports: Ports) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.endswith("_FILE")},
        "DATABASE_URL": f"sqlite:///{folder.resolve() / 'portal.db'}",
        "SECRET_KEY": secrets.token_hex(32),
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{ports.portal}",
        "STRIPE_SECRET_KEY": "sk_test_demo",
        "STRIPE_PUBLISHABLE_KEY": "",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
        "STRIPE_API_BASE": f"http://127.0.0.1:{ports.stripe}",
        "STRIPE_CHECKOUT_HOSTS": "",
        "SMTP_URL": f"smtp://127.0.0.1:{ports.smtp}",
        "MAIL_FROM": f"{demo_stays.HOTEL_NAME} <stay@limoeiro.example>",
        "STAFF_MAIL_TO": "desk@limoeiro.example",
        "PROXY_COUNT": "0",
        "LOG_FORMAT": "console",
        "BIND": f"127.0.0.1:{ports.portal}",
        "WEB_WORKERS": "1",
    }


def _start_all(
    folder: Path,
    environment: dict[str, str],
    ports: Ports,
    processes: dict[str, subprocess.Popen[bytes]],
) -> None:
    print("Starting the Stripe simulator, a mailbox, the portal and its worker …", flush=True)
    settings = Settings.from_environ(environment)
    db.initialise(settings.database_url)
    migrations.migrate()
    with db.connection():
        hotels.ensure_hotel()
        demo_stays.furnish()
    db.disconnect()
    simulator = [
        *("-m", "stripe_simulator", "--port", str(ports.stripe), "--state", str(folder / "stripe.db")),
        *("--webhook-url", f"http://127.0.0.1:{ports.portal}/webhooks/stripe"),
        *("--webhook-secret", environment["STRIPE_WEBHOOK_SECRET"]),
    ]
    mailbox = ["-m", "demo_mailbox", "--smtp-port", str(ports.smtp), "--port", str(ports.mailbox)]
    for name, arguments in (
        ("stripe simulator", simulator),
        ("mailbox", mailbox),
        ("portal", ["-m", "gunicorn", "--log-level", "warning", "wsgi:app"]),
        ("worker", ["-m", "portal", "worker"]),
    ):
        processes[name] = _start(folder, name, arguments, environment)
    _wait_until_up("Stripe simulator", f"http://127.0.0.1:{ports.stripe}/", processes["stripe simulator"], folder)
    _wait_until_up("mailbox", f"http://127.0.0.1:{ports.mailbox}/", processes["mailbox"], folder)
    _wait_until_up("portal", f"http://127.0.0.1:{ports.portal}/healthz", processes["portal"], folder)


def _start(folder: Path, name: str, arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with _log_file(folder, name).open("wb") as log:
        # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=environment,
            cwd=Path(__file__).parent.parent,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def _log_file(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(' ', '-')}.log"


def _wait_until_up(name: str, url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with LOCALLY.open(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise DemoProblem(f"The {name} did not start; {folder} holds its log.")


def _seed(environment: dict[str, str]) -> tuple[list[demo_stays.SeededStay], list[demo_stays.SeededPerson]]:
    logs.configure("console", only_errors=True)
    deps = Deps.build(Settings.from_environ(environment), FOR_A_WORKER)
    with db.connection():
        return demo_stays.seed(deps), demo_stays.hire(deps)


def _print_welcome(
    folder: Path,
    environment: dict[str, str],
    ports: Ports,
    stays: list[demo_stays.SeededStay],
    people: list[demo_stays.SeededPerson],
) -> None:
    print(f"\nThe guest portal of {demo_stays.HOTEL_NAME} is open.\n\nPrivate links of guests:")
    for stay in stays:
        print(f"  {stay.story}\n    {stay.link}")
    first = stays[0]
    print(f"\nOr find a stay at http://127.0.0.1:{ports.portal}/ with code {first.code} and e-mail {first.email}")
    print(f"\nStaff pages: http://127.0.0.1:{ports.portal}/staff/")
    for person in people:
        print(f"  {person.role}: {person.email}, password {person.password}")
        print(f"    recovery codes, each good once instead of a code: {'  '.join(person.codes)}")
        print(f"    or put this key into an authenticator app: {person.key}")
    print("\nTest cards (any future date, any three digits):")
    for number, what in TEST_CARDS:
        print(f"  {number}  {what}")
    print(f"\nMails to guests and staff: http://127.0.0.1:{ports.mailbox}/")
    print(f"What Stripe would see: {environment['STRIPE_API_BASE']}/")
    print(f"Logs and data: {folder}\n\nCtrl-C stops everything.", flush=True)


def _wait(folder: Path, processes: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        for name, process in processes.items():
            if process.poll() is not None:
                raise DemoProblem(f"The {name} has ended; see {_log_file(folder, name)}. Everything was stopped.")
        time.sleep(0.5)


def _stop(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in processes.values():
        if process.poll() is None:
            process.terminate()
    for process in processes.values():
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
