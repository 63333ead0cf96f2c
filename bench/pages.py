"""What a page, a click on Pay and a message from Stripe cost the portal, beside what the same work costs without it: a
word from Flask, a page of the same size that knows nothing, the same statements by the bare driver.

All servers are up at once and take turns; what counts is CPU by the operating system's account, and ratios of turns in
the same round. Nothing here fails because of a time: the exit status is 1 when an answer was wrong or money was."""

import argparse
import contextlib
import gzip
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench import hotel, messages, recording, report, visitors
from bench.goals import Goal
from bench.machine import Request, Server, described, percentile, send
from bench.messages import Model
from portal import create_app, db
from portal.deps import Deps
from portal.gateways import stripe_gateway
from portal.gateways.stripe_gateway import FOR_A_WORKER
from portal.models import Reservation
from portal.services import reservations, webhook_events
from portal.settings import Settings
from stripe_simulator import Control, start
from tests import postgres

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "pages.json"
SECRET = "whsec_of_the_bench"
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
STRIPE_TAKES = 0.5
"""Seconds for each call, while clicks on Pay are measured."""
PAYS = 8
"""Clicks on Pay in a round, all at once."""
WARM_UP = 40
SETTLE_IN, MESSAGES_TO_SETTLE_IN = 50, 24
"""Pages and messages at the beginning of each turn that are not counted: what the other servers did meanwhile has
emptied the processor's caches, and who does more would pay more for it."""
GUEST_PAGE, STAFF_LIST = "guest page", "staff list of 50"
AFTER = 200
"""Pages that a server has made when its memory is measured."""


@dataclass(frozen=True)
class Turn:
    """What one server did in one round: seconds of CPU and of waiting."""

    count: int
    cpu: float
    each: list[float]


@dataclass
class Subject:
    """One thing that is asked for in each round."""

    name: str
    server: Server
    requests: Any
    """From the round's number to what is asked."""
    settle_in: Any = lambda _: []
    """From the round's number to what is asked, but not counted, before that."""
    warm_up: list[Request] = field(default_factory=list)
    connections: int = 8
    keep: bool = True
    """Whether a connection serves for more than one request."""
    turns: list[Turn] = field(default_factory=list)

    @property
    def cpu(self) -> list[float]:
        """Seconds a request, round by round."""
        return [turn.cpu / turn.count for turn in self.turns]


class House:
    """One hotel's portal on one database, and beside it a copy of the database for the floor."""

    def __init__(self, bench: "Bench", database: str) -> None:
        self.bench, self.database = bench, database
        self.port = postgres.free_port()
        self.url = bench.new_database(database)
        self.deps = bench.deps(self.url, self.port)
        with hotel.opened(self.url):
            self.names = hotel.fill(self.deps, bench.model, bench.messages_each)
            self.to_pay = [self._add_stay(number) for number in range(bench.pays_each)]
            self.staff = visitors.manager_cookie(self.deps)
        self.floor_url, scratch = bench.copy(database, self.url), bench.copy(database, self.url)
        self.statements = bench.folder / f"statements-{database}.json"
        self.ran_for_one = self._record(scratch)
        db.disconnect()
        self.server = bench.serve_portal(database, self.url, self.port)
        self.floor = bench.serve_floor(self.floor_url, self.statements)
        self.paths: dict[str, tuple[str, str]] = {}
        self.ran: dict[str, int] = {}
        """Statements by what they were run for."""

    def _add_stay(self, number: int) -> Reservation:
        stay = hotel.stay_of(self.deps.now().date(), self.bench.messages_each + number)
        return reservations.add_reservation(self.deps, stay, actor="bench")

    def _record(self, url: str) -> list[str]:
        """What the portal runs for each message, on a copy; in short, for one of them."""
        deps = self.bench.deps(url, self.port)
        with hotel.opened(url), recording.recorded(db.db.obj) as recorded:
            for names in self.names:
                recorded.begin(names.event)
                body = self.bench.model.about(names)
                signature = messages.signed(body, SECRET, int(time.time()))["Stripe-Signature"]
                event = stripe_gateway.parse_event(body, signature, [SECRET], deps.now())
                webhook_events.receive(deps, event)
            recorded.write(self.statements)
            every = list(recorded.sql)
            return [every[number] for number, _ in recorded.ran_for[self.names[0].event]]

    def messages_of(self, first: int, count: int) -> list[Request]:
        """Signed only now, for a signature is good for five minutes."""
        at = int(time.time())
        bodies = [self.bench.model.about(names) for names in self.names[first : first + count]]
        return [Request("/webhooks/stripe", "POST", b, messages.signed(b, SECRET, at)) for b in bodies]


class Bench:
    """Everything that is up during one run."""

    def __init__(self, asked: argparse.Namespace, folder: Path, up: contextlib.ExitStack) -> None:
        self.asked, self.folder, self.up = asked, folder, up
        self.messages_a_round = MESSAGES_TO_SETTLE_IN + asked.messages
        self.messages_each = WARM_UP + asked.rounds * self.messages_a_round + 1
        self.pays_each = PAYS * asked.rounds
        self.simulator = start(port=0)
        up.callback(self.simulator.stop)
        self.model: Model = messages.make_model(self.deps("sqlite:///unused.db", 80), Control(self.simulator.url))
        self.postgres = ""

    def environment(self, url: str, port: int) -> dict[str, str]:
        return {
            "DATABASE_URL": url,
            "SECRET_KEY": "the bench signs with this and nobody else does",
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
            "STRIPE_SECRET_KEY": "sk_test_of_the_bench",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": self.simulator.url,
            "BIND": f"127.0.0.1:{port}",
            "LOG_FORMAT": "json",
        }

    def settings(self, url: str, port: int) -> Settings:
        return Settings.from_environ(self.environment(url, port))

    def deps(self, url: str, port: int) -> Deps:
        return Deps.build(self.settings(url, port), FOR_A_WORKER)

    def new_database(self, database: str) -> str:
        if database == SQLITE:
            return f"sqlite:///{self.folder / 'portal.db'}"
        postgres.execute(self.postgres, "CREATE DATABASE bench")
        return f"{self.postgres}/bench"

    def copy(self, database: str, url: str) -> str:
        """Another database with the same rows; nobody may be connected to the first."""
        db.disconnect()
        name = f"copy_{time.monotonic_ns()}"
        if database == SQLITE:
            shutil.copy(url.removeprefix("sqlite:///"), self.folder / f"{name}.db")
            return f"sqlite:///{self.folder / name}.db"
        postgres.execute(self.postgres, f"CREATE DATABASE {name} TEMPLATE bench")
        return f"{self.postgres}/{name}"

    # Servers

    def serve(self, name: str, port: int, words: list[str], environ: dict[str, str] | None = None) -> Server:
        command = [sys.executable, "-m", "gunicorn", *words]
        server = Server(port, command, ROOT, environ or {}, self.folder / f"{name}.log")
        self.up.callback(server.stop)
        server.wait()
        return server

    def serve_portal(self, database: str, url: str, port: int) -> Server:
        """As it ships: its own gunicorn.conf.py, every feature on."""
        return self.serve(f"portal-{database}", port, ["wsgi:app"], self.environment(url, port))

    def serve_forgetful(self, url: str) -> Server:
        """The same, but each line of a list is made as for the first time."""
        port = postgres.free_port()
        return self.serve("forgetful", port, ["bench.reference.forgetful:app"], self.environment(url, port))

    def serve_reference(self, name: str, environ: dict[str, str] | None = None) -> Server:
        port = postgres.free_port()
        return self.serve(f"{name}-{port}", port, _reference(name, port), environ)

    def serve_floor(self, url: str, statements: Path) -> Server:
        environ = {"DATABASE_URL": url, "STRIPE_WEBHOOK_SECRET": SECRET, "FLOOR_STATEMENTS": str(statements)}
        return self.serve_reference("webhook_floor", environ)


def _reference(name: str, port: int) -> list[str]:
    return ["-c", "python:bench.reference", "-b", f"127.0.0.1:{port}", f"bench.reference.{name}:app"]


# Measuring -----------------------------------------------------------------------------------------------------------


def run(asked: argparse.Namespace) -> int:
    hotel.be_quiet()
    with contextlib.ExitStack() as up:
        folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="portal-bench-")))
        bench = Bench(asked, folder, up)
        databases = [SQLITE, *([POSTGRESQL] if postgres.binaries() else [])]
        if POSTGRESQL in databases:
            bench.postgres = up.enter_context(postgres.server(durable=True))
            up.callback(db.disconnect)
        else:
            print("No PostgreSQL is installed here: SQLite alone.")
        houses = list(_houses(bench, databases))
        begins = _beginnings(bench, houses[0])
        idle = houses[0].server.memory()
        hello, page = bench.serve_reference("hello"), bench.serve_reference("page")
        libraries = bench.serve_reference("libraries")
        subjects, sizes = _subjects(bench, houses, hello, page)
        memory = {"hello": _memory_of(subjects, "hello"), "portal": _memory_of(subjects, GUEST_PAGE)}
        wrong = _take_turns(bench, subjects)
        memory |= {"libraries": libraries.memory(), "portal idle": idle, "portal after all": houses[0].server.memory()}
        statements = houses[0].ran
        wrong += [what for house in houses for what in _wrong_in(bench, house)]
    results = {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": "make bench",
        "machine": described(),
        "python": platform.python_version(),
        "rounds": asked.rounds,
        "subjects": {subject.name: _summary(subject) for subject in subjects},
        "ratios": _ratios(subjects),
        "start": begins,
        "memory": memory | {"ratio": memory["portal"] / memory["hello"]},
        "weight": sizes,
        "statements": statements,
        "wrong": sorted(set(wrong)),
    }
    print("\n" + markdown(results))
    if not asked.no_write:
        report.keep(RESULTS, results)
    return report.tell(results["wrong"])


def _houses(bench: Bench, databases: list[str]) -> Iterator[House]:
    for database in databases:
        print(f"{database}: {bench.messages_each + bench.pays_each:,} stays, most of them paid at Stripe …", flush=True)
        yield House(bench, database)


def _memory_of(subjects: list[Subject], name: str) -> float:
    """Megabytes of the server of that subject, once it has made some pages."""
    subject = next(one for one in subjects if one.name == name)
    send(subject.server.port, subject.warm_up * (AFTER // len(subject.warm_up)), subject.connections)
    return subject.server.memory()


def _beginnings(bench: Bench, house: House) -> dict[str, float]:
    """Seconds from the start of the program to the first answer, in turns; the medians and the median ratio."""
    print("Starting and stopping …", flush=True)
    took: dict[str, list[float]] = {"hello": [], "libraries": [], "portal": []}
    for number in range(4):
        for name, seconds in took.items():
            answer = _first_answer(bench, house, name)
            if number:  # the first reads the programs from the disk
                seconds.append(answer)
    ratios = [ours / theirs for ours, theirs in zip(took["portal"], took["hello"], strict=True)]
    return {name: statistics.median(each) for name, each in took.items()} | {"ratio": statistics.median(ratios)}


def _first_answer(bench: Bench, house: House, name: str) -> float:
    port = postgres.free_port()
    words = ["wsgi:app"] if name == "portal" else _reference(name, port)
    environ = bench.environment(house.url, port) if name == "portal" else {}
    command = [sys.executable, "-m", "gunicorn", *words]
    server = Server(port, command, ROOT, environ, bench.folder / "start.log")
    try:
        return server.first_answer("/healthz" if name == "portal" else "/")
    finally:
        server.stop()


def _subjects(bench: Bench, houses: list[House], hello: Server, page: Server) -> tuple[list[Subject], dict[str, Any]]:
    """What is measured, and what the pages weigh."""
    house = houses[0]
    send(house.port, house.messages_of(0, WARM_UP), 4)
    with hotel.opened(house.url):
        paid, waits = (Reservation.get(Reservation.code == house.names[number].code) for number in (0, -1))
    guest, payer = (visitors.guest_cookie(house.port, house.deps, stay) for stay in (waits, paid))
    house.staff = visitors.after_first_page(house.port, "/staff/reservations", house.staff)
    paths = {
        GUEST_PAGE: (f"/reservations/{waits.code}", guest),
        "payment history": (f"/reservations/{paid.code}/payments", payer),
        STAFF_LIST: ("/staff/reservations", house.staff),
        "staff search": ("/staff/reservations?q=guest1", house.staff),
    }
    house.paths = paths
    weights = {name: visitors.page_of(house.port, path, cookie) for name, (path, cookie) in paths.items()}
    floor, forgetful = _page_floor(bench, house), bench.serve_forgetful(house.url)
    subjects = [_page_subject(bench, "hello", hello, "/")]
    for name, (path, cookie) in paths.items():
        subjects.append(_page_subject(bench, name, house.server, path, cookie))
        same = f"/{len(weights[name])}"
        subjects.append(_page_subject(bench, f"{name}: same bytes", page, same))
        if name == STAFF_LIST:
            subjects.append(_page_subject(bench, f"{name}, read for the first time", forgetful, path, cookie))
        if name == GUEST_PAGE:
            subjects.append(_page_subject(bench, f"{name}: floor", floor, same, cookie))
    subjects.append(Subject("click on Pay", house.server, partial(_clicks, bench, house), connections=PAYS))
    for one in houses:
        subjects += _message_subjects(bench, one)
    return subjects, _weigh(weights)


def _page_subject(bench: Bench, name: str, server: Server, path: str, cookie: str = "") -> Subject:
    """Over a connection of its own, as people come: one page, and the next when that connection is long gone. So were
    the goals set, with servers that keep none."""
    one = Request(path, headers={"Cookie": cookie} if cookie else {})
    asked = bench.asked.requests
    return Subject(name, server, lambda _: [one] * asked, lambda _: [one] * SETTLE_IN, [one] * 100, keep=False)


def _clicks(bench: Bench, house: House, number: int) -> list[Request]:
    """Each guest clicks once; their pages are opened before the clicks are measured."""
    control = Control(bench.simulator.url)
    control.fault("slow", method="POST", path="/v1/checkout/sessions", times=PAYS, seconds=STRIPE_TAKES)
    return [visitors.pays(house.port, house.deps, stay) for stay in house.to_pay[number * PAYS : (number + 1) * PAYS]]


def _message_subjects(bench: Bench, house: House) -> list[Subject]:
    def settle_in(number: int) -> list[Request]:
        return house.messages_of(WARM_UP + number * bench.messages_a_round, MESSAGES_TO_SETTLE_IN)

    def new(number: int) -> list[Request]:
        first = WARM_UP + number * bench.messages_a_round + MESSAGES_TO_SETTLE_IN
        return house.messages_of(first, bench.asked.messages)

    def again(_: int) -> list[Request]:
        return house.messages_of(WARM_UP, bench.asked.messages)

    first = house.messages_of(0, WARM_UP)
    return [
        Subject(f"new message on {house.database}", house.server, new, settle_in, first),
        Subject(f"floor on {house.database}", house.floor, new, settle_in, first),
        Subject(f"message again on {house.database}", house.server, again, lambda _: again(0)[:MESSAGES_TO_SETTLE_IN]),
    ]


def _take_turns(bench: Bench, subjects: list[Subject]) -> list[str]:
    """Each round begins with another subject, so that what else the machine does meets all alike; what went wrong."""
    wrong: list[str] = []
    for subject in subjects:
        sent = send(subject.server.port, subject.warm_up, subject.connections)
        wrong += [f"{subject.name}: {what}" for what in sent.failed]
    for number in range(bench.asked.rounds):
        turn = number * 3 % len(subjects)
        for subject in subjects[turn:] + subjects[:turn]:
            requests = subject.requests(number)
            settled = send(subject.server.port, subject.settle_in(number), subject.connections, keep=subject.keep)
            before = subject.server.cpu()
            sent = send(subject.server.port, requests, subject.connections, keep=subject.keep)
            subject.turns.append(Turn(len(requests), subject.server.cpu() - before, sorted(sent.each)))
            wrong += [f"{subject.name}: {what}" for what in settled.failed + sent.failed]
        hello = subjects[0].cpu[-1]
        shown = ", ".join(f"{s.name} {s.cpu[-1] / hello:.1f}" for s in subjects if ": " not in s.name)
        print(f"round {number + 1} of {bench.asked.rounds}, in hellos: {shown}", flush=True)
    return wrong


def _wrong_in(bench: Bench, house: House) -> list[str]:
    """What was lost or doubled, once the server has stopped."""
    house.server.stop()
    sent = house.names[: WARM_UP + bench.asked.rounds * bench.messages_a_round]
    with hotel.opened(house.url):
        return [f"{house.database}: {what}" for what in hotel.wrong_in(house.deps, sent)]


def _page_floor(bench: Bench, house: House) -> Server:
    """With the statements that the pages run, which are counted by the way, in this process."""
    app = create_app(bench.settings(house.url, house.port))
    hotel.be_quiet()
    house.ran = {"new message": len(house.ran_for_one)}
    with hotel.opened(house.url), recording.recorded(db.db.obj) as recorded:
        for name, (path, cookie) in house.paths.items():
            recorded.begin(name)
            key, _, value = cookie.partition("=")
            client = app.test_client()
            client.set_cookie(key, value, domain="127.0.0.1")
            client.get(path, base_url=f"http://127.0.0.1:{house.port}")
            house.ran[name] = len(recorded.ran_for[name])
        recorded.write(file := bench.folder / "statements-pages.json")
    environ = {**bench.environment(house.url, house.port), "FLOOR_STATEMENTS": str(file), "FLOOR_PAGE": GUEST_PAGE}
    return bench.serve_reference("page_floor", environ)


def _weigh(pages: dict[str, bytes]) -> dict[str, Any]:
    """Bytes, as they are and as a web server in front would compress them."""
    files = [(ROOT / "static" / name).read_bytes() for name in ("portal.css", "enhance.js")]
    return {
        "pages": {name: {"bytes": len(page), "compressed": len(gzip.compress(page))} for name, page in pages.items()},
        "css_and_js": {"bytes": sum(map(len, files)), "compressed": sum(len(gzip.compress(file)) for file in files)},
    }


# Telling -------------------------------------------------------------------------------------------------------------

PAIRS = {
    "guest page to same bytes": ("guest page", "guest page: same bytes"),
    "guest page to floor": ("guest page", "guest page: floor"),
    "floor of the guest page to same bytes": ("guest page: floor", "guest page: same bytes"),
    "guest page to hello": ("guest page", "hello"),
    "payment history to same bytes": ("payment history", "payment history: same bytes"),
    "staff list to hello": (STAFF_LIST, "hello"),
    "staff list, read for the first time, to hello": (f"{STAFF_LIST}, read for the first time", "hello"),
    "staff list to same bytes": (STAFF_LIST, f"{STAFF_LIST}: same bytes"),
    "staff search to hello": ("staff search", "hello"),
    "click on Pay to hello": ("click on Pay", "hello"),
    **{f"new message to floor on {d}": (f"new message on {d}", f"floor on {d}") for d in (SQLITE, POSTGRESQL)},
    **{f"new message to hello on {d}": (f"new message on {d}", "hello") for d in (SQLITE, POSTGRESQL)},
    **{f"message again to hello on {d}": (f"message again on {d}", "hello") for d in (SQLITE, POSTGRESQL)},
}


def paired_ratio(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """The median of the ratios of turns in the same round, and the least and the most of them."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}


def _ratios(subjects: list[Subject]) -> dict[str, dict[str, float]]:
    cpu = {subject.name: subject.cpu for subject in subjects}
    return {name: paired_ratio(cpu[a], cpu[b]) for name, (a, b) in PAIRS.items() if a in cpu}


def _summary(subject: Subject) -> dict[str, float]:
    waited = sorted(seconds for turn in subject.turns for seconds in turn.each)
    return {
        "cpu_us": round(statistics.median(subject.cpu) * 1e6),
        "p50_ms": round(percentile(waited, 0.5) * 1e3, 1),
        "p99_ms": round(percentile(waited, 0.99) * 1e3, 1),
        "count": sum(turn.count for turn in subject.turns),
    }


def markdown(results: dict[str, Any]) -> str:
    """The section of docs/performance.md."""
    lines = [
        "## Pages, a click on Pay, messages from Stripe",
        "",
        f"`{results['command']}` on {results['when']}: {results['machine']}, Python {results['python']}; "
        f"{results['rounds']} rounds, all servers up at once.",
        "",
        "| | CPU a request | p50 | p99 | requests |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, one in results["subjects"].items():
        lines.append(f"| {name} | {one['cpu_us']:,} µs | {one['p50_ms']} ms | {one['p99_ms']} ms | {one['count']:,} |")
    lines += ["", "| ratio of CPU in the same round | median | least–most |", "|---|---:|---:|"]
    for name, ratio in results["ratios"].items():
        lines.append(f"| {name} | {ratio['median']:.2f} | {ratio['least']:.2f}–{ratio['most']:.2f} |")
    start, memory, weight = results["start"], results["memory"], results["weight"]
    lines += [
        "",
        f"From start to first answer: hello {start['hello']:.2f} s, hello with the portal's libraries loaded "
        f"{start['libraries']:.2f} s, portal {start['portal']:.2f} s. Memory of two workers and their master: "
        f"hello {memory['hello']:.0f} MB and portal {memory['portal']:.0f} MB when each has made {AFTER} pages, hello "
        f"with the libraries {memory['libraries']:.0f} MB and not one page made, portal "
        f"{memory['portal after all']:.0f} MB after all of the above.",
        "",
        "| | bytes | compressed | SQL statements |",
        "|---|---:|---:|---:|",
    ]
    for name, page in weight["pages"].items():
        count = results["statements"].get(name, "")
        lines.append(f"| {name} | {page['bytes']:,} | {page['compressed']:,} | {count} |")
    files = weight["css_and_js"]
    lines.append(f"| style sheet and script | {files['bytes']:,} | {files['compressed']:,} | |")
    lines.append(f"| new message from Stripe | | | {results['statements']['new message']} |")
    lines += [
        "",
        "*hello* is one word from Flask. *Same bytes* is a page of that size from Jinja alone: no database, session or "
        "log. The *floor* of the guest page is that page with what it cannot do without: a signed session, a form's "
        "token, the portal's own statements by the bare driver, headers and a line in the log, and nothing else. The "
        "*floor* of a message checks the signature and runs the very statements that the portal runs for it, by the "
        "bare driver, in one durable transaction. Lines of the staff list that say what they said before are not "
        "made anew (1,024 of a process, whoever reads them); *read for the first time* is the same list with nothing "
        "remembered. All have two processes with eight threads. Each page comes over "
        "a connection of its own, as people come and as the goals were set; Stripe's messages keep theirs. The portal "
        "runs as it ships. Clicks on Pay come eight at a time, to a Stripe that takes half a second; their waiting "
        "holds that.",
    ]
    return "\n".join(lines)


def goals(results: dict[str, Any]) -> list[Goal]:
    def ratio(number: str, text: str, name: str, most: float, why: str) -> Iterator[Goal]:
        if name in results["ratios"]:
            figure = results["ratios"][name]["median"]
            yield Goal(number, text, f"≤ {most:g}×", f"{figure:.2f}×", figure <= most, results["command"], why)

    def count(text: str, figure: int, most: int) -> Goal:
        return Goal("P10", text, f"≤ {most}", str(figure), figure <= most, results["command"])

    ran, files = results["statements"], results["weight"]["css_and_js"]["compressed"]
    page, why = results["weight"]["pages"]["guest page"]["compressed"], _reasons(results)
    return [
        *ratio("P1", "guest page beside a page of the same bytes: CPU", "guest page to same bytes", 1.75, why["P1"]),
        *ratio("P2", "guest page beside hello: CPU", "guest page to hello", 3.6, why["P2"]),
        *ratio("P3", "staff list of 50 beside hello: CPU", "staff list to hello", 5, why["P3"]),
        *ratio("P3", "staff list of 50 beside a page of the same bytes: CPU", "staff list to same bytes", 1.6,
               why["P3"]),
        *ratio("P6", "new message beside its floor on SQLite: CPU", "new message to floor on SQLite", 1.5, why["P6"]),
        *ratio("P6", "new message beside its floor on PostgreSQL: CPU", "new message to floor on PostgreSQL", 1.5,
               why["P6"]),
        count("statements of the guest page", ran["guest page"], 4),
        count("statements of the staff list", ran[STAFF_LIST], 3),
        Goal("P11", "from start to first answer beside hello", "≤ 2.2×", f"{results['start']['ratio']:.1f}×",
             results["start"]["ratio"] <= 2.2, results["command"], why["P11"]),
        Goal("P12", "memory of two workers beside hello", "≤ 1.8×", f"{results['memory']['ratio']:.2f}×",
             results["memory"]["ratio"] <= 1.8, results["command"], why["P12"]),
        Goal("P13", "style sheet and script, compressed", "≤ 12 kB", f"{files / 1000:.1f} kB", files <= 12_000,
             results["command"]),
        Goal("P13", "guest page, compressed", "≤ 2.2 kB", f"{page / 1000:.1f} kB", page <= 2_200, results["command"]),
        *ratio("P14", "guest page beside hello (pretix's order page took 430)", "guest page to hello", 7, ""),
    ]  # fmt: skip


def _reasons(results: dict[str, Any]) -> dict[str, str]:
    """What stands in the way of a goal, in figures of the same run."""
    cpu = {name: one["cpu_us"] for name, one in results["subjects"].items()}
    start, memory = results["start"], results["memory"]

    def times(ours: str, theirs: str) -> str:
        return f"{cpu[ours] / cpu[theirs]:.2f}×"

    floor, same, own = f"{GUEST_PAGE}: floor", f"{GUEST_PAGE}: same bytes", STAFF_LIST
    return {
        "P1": "What the page cannot do without (a signed session, a form's token, its statements by the bare driver, "
        f"headers and a line in the log: its floor) is {times(floor, same)} the page of the same bytes by itself, "
        f"about all that the goal allows. The portal is {times(GUEST_PAGE, floor)} that floor: rules, words of the "
        "guest's language, models, figures for the monitoring.",
        "P2": f"The floor of the same page is {times(floor, 'hello')} hello.",
        "P3": f"The bytes of this list alone, made by Jinja of words that are known, are "
        f"{times(f'{own}: same bytes', 'hello')} hello; its own statements, sums and dates come on top.",
        "P6": "The floor runs the same statements in the same transaction, so what remains is reading the message, the "
        "rules about the money, two lines in the log and the figures for the monitoring.",
        "P11": f"The libraries alone (Flask, forms, languages, models, Stripe's, the API's) take "
        f"{start['libraries']:.2f} s to hello's {start['hello']:.2f} s, {start['libraries'] / start['hello']:.1f}×, "
        "before a line of the portal is read.",
        "P12": f"Loaded libraries alone take {memory['libraries']:.0f} MB to hello's {memory['hello']:.0f} MB, and the "
        f"portal that has not made a page {memory['portal idle']:.0f} MB, "
        f"{memory['portal idle'] / memory['hello']:.1f}×. Of what is loaded before the fork each process copies what "
        "Python counts references in; compiled templates, and for each thread a connection with its statements, are "
        "the rest.",
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="(default 9)")
    parser.add_argument("--requests", type=int, default=150, help="for each page in a round (default 150)")
    parser.add_argument("--messages", type=int, default=100, help="for each database in a round (default 100)")
    parser.add_argument("--no-write", action="store_true", help="only show; leave docs/performance.md as it is")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
