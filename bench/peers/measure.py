"""The portal's webhook beside dj-stripe's: the same number of new messages about payments, all servers up at once, in
rotating rounds, on SQLite that writes through (synchronous FULL) and on PostgreSQL with fsync.

At the portal each message settles a payment, confirms a stay and queues a mail; afterwards every row is checked."""

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench import hotel, messages, report
from bench.machine import Request, Server, cpu_seconds, described, send
from bench.messages import Names
from bench.peers import RESULTS, environment, figures
from bench.peers.environment import ROOT, NotPrepared
from bench.peers.figures import Round
from bench.peers.stripe_stub import PLACE
from portal import db
from portal.deps import Deps
from portal.gateways.stripe_gateway import FOR_A_WORKER
from portal.settings import Settings
from stripe_simulator import Control, start
from tests import postgres

SITE = Path(__file__).parent / "django_site"
SECRET = "whsec_of_the_bench"
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
WARM_UP = 120
"""Messages before the first round: until each of sixteen threads has its connection and has met every statement, and
dj-stripe has asked for its own account."""


@dataclass
class Subject:
    """One server that takes messages: the portal or dj-stripe, on one database."""

    name: str
    database: str
    server: Server
    path: str
    names: list[Names]
    environment: dict[str, str]
    postgres_database: str = ""
    rounds: list[Round] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Bench:
    """Everything that is up during one run."""

    def __init__(self, asked: argparse.Namespace, python: Path, folder: Path, up: contextlib.ExitStack) -> None:
        self.asked, self.python, self.folder, self.up = asked, python, folder, up
        self.count = WARM_UP + asked.rounds * asked.events
        self.postgres = ""
        simulator = start(port=0)
        up.callback(simulator.stop)
        self.simulator_url = simulator.url
        self.model = messages.make_model(self.deps("sqlite:///unused.db"), Control(simulator.url))
        self.stub_port = self.start_stub()

    def deps(self, url: str) -> Deps:
        return Deps.build(Settings.from_environ(self.portal_environment(url, 80)), FOR_A_WORKER)

    def portal_environment(self, url: str, port: int) -> dict[str, str]:
        return {
            "DATABASE_URL": url,
            "SECRET_KEY": "the bench signs with this and nobody else does",
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
            "STRIPE_SECRET_KEY": "sk_test_of_the_bench",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": self.simulator_url,
            "BIND": f"127.0.0.1:{port}",
            "LOG_FORMAT": "json",
        }

    def serve(self, name: str, port: int, command: list[str], folder: Path, environ: dict[str, str]) -> Server:
        server = Server(port, command, folder, environ, self.folder / f"{name}.log")
        self.up.callback(server.stop)
        server.wait()
        return server

    def start_stub(self) -> int:
        port, session = postgres.free_port(), self.folder / "session.json"
        session.write_text(self.model.session_for_stub(PLACE), encoding="utf-8")
        stub = [sys.executable, str(SITE.parent / "stripe_stub.py"), str(port), str(session)]
        self.serve("stub", port, stub, ROOT, {})
        return port

    def portal(self, database: str) -> Subject:
        """The portal as it ships: its own gunicorn.conf.py, every feature on."""
        name = f"portal_{uuid.uuid4().hex[:8]}"
        if database == POSTGRESQL:
            postgres.execute(self.postgres, f"CREATE DATABASE {name}")
        url = f"sqlite:///{self.folder / name}.db" if database == SQLITE else f"{self.postgres}/{name}"
        deps, port = self.deps(url), postgres.free_port()
        with hotel.opened(url):
            names = hotel.fill(deps, self.model, self.count)
        environ = self.portal_environment(url, port)
        command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        server = self.serve(f"portal-{database}", port, command, ROOT, environ)
        return Subject("portal", database, server, "/webhooks/stripe", names, environ, name)

    def dj_stripe(self, database: str) -> Subject:
        """dj-stripe behind the same gunicorn with the same number of workers."""
        name, endpoint = f"peer_{uuid.uuid4().hex[:8]}", str(uuid.uuid4())
        environ = {"DJANGO_SETTINGS_MODULE": "site_settings", "PYTHONPATH": str(SITE)}
        environ["STRIPE_STUB"] = f"http://127.0.0.1:{self.stub_port}"
        if database == POSTGRESQL:
            postgres.execute(self.postgres, f"CREATE DATABASE {name}")
            environ |= {"POSTGRES_PORT": self.postgres.rpartition(":")[2], "DATABASE": name}
        else:
            environ["DATABASE"] = str(self.folder / f"{name}.db")
        self.in_site(environ, "site_prepare.py", endpoint, SECRET)
        port = postgres.free_port()
        workers = ["--workers", "2", *self.asked.peer_workers.split()]
        command = [str(self.python), "-m", "gunicorn", *workers, "-b", f"127.0.0.1:{port}", "site_wsgi:application"]
        server = self.serve(f"dj-stripe-{database}", port, command, SITE, environ)
        names = [self.model.names_of(number, messages.PORTAL, messages.CODE, messages.PAYMENT)
                 for number in range(self.count)]  # fmt: skip
        return Subject("dj-stripe", database, server, f"/stripe/webhook/{endpoint}/", names, environ, name)

    def in_site(self, environ: dict[str, str], program: str, *words: str) -> str:
        """Run one of the site's own programs; what it prints."""
        everything = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **environ}
        command = [str(self.python), str(SITE / program), *words]
        done = subprocess.run(command, env=everything, cwd=SITE, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program}:\n{done.stderr[-2000:]}")
        return done.stdout

    # Measuring

    def measure(self, subject: Subject, first: int, count: int) -> Round:
        """Send that many messages from `first` on; signed only now, for a signature is good for five minutes."""
        at = int(time.time())
        bodies = [self.model.about(names) for names in subject.names[first : first + count]]
        requests = [Request(subject.path, "POST", body, messages.signed(body, SECRET, at)) for body in bodies]
        engine = self.engine_processes(subject)
        before = subject.server.cpu(), cpu_seconds(engine)
        sent = send(subject.server.port, requests, self.asked.connections)
        after = subject.server.cpu(), cpu_seconds(engine)
        subject.failed += sent.failed
        return Round(count, sent.took, after[0] - before[0], after[1] - before[1], sorted(sent.each))

    def engine_processes(self, subject: Subject) -> list[int]:
        """PostgreSQL's processes that work for this subject alone. SQLite works within the server."""
        if subject.database != POSTGRESQL:
            return []
        return postgres.backends(self.postgres, subject.postgres_database)

    def wrong_in(self, subject: Subject) -> list[str]:
        """What was lost, doubled or refused, after the server has stopped."""
        subject.server.stop()
        wrong = [f"a message was {what}" for what in subject.failed]
        if subject.name == "portal":
            url = subject.environment["DATABASE_URL"]
            with hotel.opened(url):
                return wrong + hotel.wrong_in(self.deps(url), subject.names)
        kept: dict[str, int] = json.loads(self.in_site(subject.environment, "site_count.py"))
        return wrong + [f"{what}: {number} instead of {self.count}" for what, number in kept.items()
                        if number != self.count]  # fmt: skip


def run(asked: argparse.Namespace) -> int:
    hotel.be_quiet()
    if POSTGRESQL in asked.databases and postgres.binaries() is None:
        raise NotPrepared(
            'PostgreSQL is not installed (Debian: apt-get install postgresql). BENCH="--databases SQLite" does without.'
        )
    python = environment.prepare()
    with contextlib.ExitStack() as up:
        folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="portal-peers-")))
        bench = Bench(asked, python, folder, up)
        if POSTGRESQL in asked.databases:
            bench.postgres = up.enter_context(postgres.server(durable=True))
            up.callback(db.disconnect)
        subjects = list(prepared(bench))
        in_turn(bench, subjects)
        print("Checking every row …", flush=True)
        wrong = {f"{subject.name} on {subject.database}": bench.wrong_in(subject) for subject in subjects}
    results = {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": "make bench-peers",
        "machine": described(),
        "python": platform.python_version(),
        "events": asked.events,
        "rounds": asked.rounds,
        "connections": asked.connections,
        "subjects": [figures.summary(s.name, s.database, s.rounds) for s in subjects],
        "ratios": {database: figures.ratios(*pair(subjects, database)) for database in asked.databases},
        "wrong": {name: found for name, found in wrong.items() if found},
    }
    print("\n" + figures.table(results))
    if not asked.no_write:
        report.keep(RESULTS, results)
    return tell(results["wrong"])


def prepared(bench: Bench) -> Iterator[Subject]:
    for database in bench.asked.databases:
        print(f"{database}: {bench.count:,} stays whose guests have paid …", flush=True)
        yield bench.portal(database)
        print(f"{database}: dj-stripe's tables …", flush=True)
        yield bench.dj_stripe(database)


def in_turn(bench: Bench, subjects: list[Subject]) -> None:
    """Each round begins with another server, so that what else the machine does meets all alike."""
    for subject in subjects:
        bench.measure(subject, 0, WARM_UP)
    for number in range(bench.asked.rounds):
        turn = number % len(subjects)
        for subject in subjects[turn:] + subjects[:turn]:
            first = WARM_UP + number * bench.asked.events
            done = bench.measure(subject, first, bench.asked.events)
            subject.rounds.append(done)
            print(
                f"round {number + 1} of {bench.asked.rounds}  {subject.name + ' on ' + subject.database:24}"
                f"{done.cpu / done.count * 1e6:9.0f} µs CPU{done.count / done.took:9.0f} messages/s",
                flush=True,
            )


def pair(subjects: list[Subject], database: str) -> tuple[list[Round], list[Round]]:
    """The rounds of the portal and of dj-stripe on one database."""
    rounds = {subject.name: subject.rounds for subject in subjects if subject.database == database}
    return rounds["portal"], rounds["dj-stripe"]


def tell(wrong: dict[str, list[str]]) -> int:
    """Exit status 1 when a message was lost, doubled or refused; never because of a time."""
    for name, found in wrong.items():
        print(f"\n{name}:")
        for what in sorted(set(found))[:10]:
            print(f"  {what} ({found.count(what)} times)")
    if not wrong:
        print("\nNothing was lost and nothing doubled.")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--events", type=int, default=200, help="new messages for each server in a round (default 200)")
    parser.add_argument("--rounds", type=int, default=5, help="(default 5)")
    parser.add_argument("--connections", type=int, default=8, help="messages on their way at once (default 8)")
    parser.add_argument("--databases", nargs="+", choices=[SQLITE, POSTGRESQL], default=[SQLITE, POSTGRESQL])
    parser.add_argument("--peer-workers", default="--worker-class sync", help="gunicorn's options for dj-stripe")
    parser.add_argument("--no-write", action="store_true", help="only show; leave the results as they are")
    asked = parser.parse_args()
    try:
        return run(asked)
    except NotPrepared as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
