"""How the portal's work behaves as a hotel grows: hotels with 1,000 and 200,000 reservations (bench/hotel_data.py) are
asked the same questions in turn, on SQLite and on PostgreSQL. What counts is the ratio of their times.

In one process, past the web server: SQL, services and what the services make of the rows. Each question is put to the
small hotel, then to the large one, and so on, so that whatever else the machine does meets both. What counts is
the shortest time of each, because others only ever add to it; what still looks as if it grew is asked again, longer.
Lists are compared where both hotels have as many rows to show."""

import argparse
import contextlib
import os
import platform
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import peewee

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench import drawing, hotel_data, report
from bench.goals import Goal
from portal import db, jobs
from portal.deps import Deps
from portal.domain.guest_match import show_code
from portal.gateways.stripe_gateway import FOR_A_WORKER
from portal.models import Hotel, Payment, Refund, Reservation, WebhookEvent
from portal.services import (
    books,
    figures,
    guest_pages,
    health,
    listing,
    mails,
    money_lists,
    money_states,
    reports,
    reservation_lists,
    reservations,
    room_calendar,
    today,
)
from portal.services.money_lists import Filters, House
from portal.services.reservation_lists import Wanted, typed_words
from portal.settings import Settings
from tests import postgres

RESULTS = ROOT / "bench" / "results" / "scale.json"
PICTURES = ROOT / "docs" / "img"
SMALL, LARGE, HUGE = 1_000, 200_000, 1_000_000
AT_ONCE = 20
"""Stays that a look-up is repeated with, so that none profits from the one before."""
SEARCH_WITHIN = 5.0
"""Milliseconds."""
TOO_SHORT = 0.2
"""Milliseconds, of an answer that is not compared."""
WARM_UP, LONG = 11, 0.5
"""Runs of a question that are not counted, or one that takes so many seconds: five times until the driver prepares a
statement, and five more until PostgreSQL keeps one plan for it, that plan is made anew."""
ROUNDS, AT_LEAST, AT_MOST = 20, 100, 4_000
"""Rounds of a question, and for how many milliseconds it is asked at least, or at most while it looks as if it grew: to
PostgreSQL and back takes now 0.05 ms and now 0.13, whatever the size of the house."""
ZONE = "Europe/Lisbon"
DAY = hotel_data.NOW.date()

Work = Callable[[], Any]
ASK_STRIPE = ("reconcile what is new", "reconcile 35 days")
MEASURED_APART = ("check the books",)


@dataclass(frozen=True)
class Question:
    """`group` is its line in the document. `goal`: flat, search, or none, with the reason in WHY."""

    name: str
    group: str
    goal: str
    work: Work
    per: int = 1


GROUPS = {
    "look up": ("A stay by its code, by code and e-mail", "flat"),
    "guest": ("The guest's page: all that is read for it", "flat"),
    "lists": ("Lists of reservations, first page", "flat"),
    "lists deep": ("Lists of reservations, 90 % down", "flat"),
    "money": ("Lists of payments, refunds and Stripe's messages, first page", "flat"),
    "money deep": ("The same, 90 % down", "flat"),
    "search": ("Search by words", "search"),
    "desk": ("Today, calendar, needs attention", "flat"),
    "month": ("Report of two weeks", "flat"),
    "year": ("Reports of a year", "none"),
    "health": ("Health and metrics", "flat"),
    "sweeps": ("The worker's sweeps, nothing to do", "flat"),
    "nightly": ("The worker's daily clearing, nothing to do", "flat"),
    "audit": ("The nightly check of the books", "none"),
}


# What is asked ------------------------------------------------------------------------------------------------------


def build_deps(url: str) -> Deps:
    """The real parts. Mails are on, so that their sweeps look; nothing waits, so that nothing is sent."""
    settings = Settings.from_environ(
        {
            "DATABASE_URL": url,
            "SECRET_KEY": "0123456789abcdef0123456789abcdef",
            "PUBLIC_BASE_URL": "http://127.0.0.1:8000",
            "STRIPE_SECRET_KEY": "sk_test_of_the_bench",
            "STRIPE_WEBHOOK_SECRET": "whsec_of_the_bench",
            "SMTP_URL": "smtp://127.0.0.1:9",
            "MAIL_FROM": "stay@limoeiro.example",
            "STAFF_MAIL_TO": "desk@limoeiro.example",
        }
    )
    return Deps.build(settings, FOR_A_WORKER, lambda: hotel_data.NOW)


def questions(deps: Deps) -> list[Question]:
    """About the hotel that is connected now. Their names are the same for every hotel."""
    return [
        *_look_ups(deps),
        *_lists(),
        *_money_lists(),
        *_searches(),
        *_desk(deps),
        *_reports(),
        Question("health conditions", "health", "flat", lambda: health.conditions(deps)),
        Question("figures for /metrics", "health", "flat", lambda: figures.read(deps)),
        *_worker(deps),
        Question("audit of the books", "audit", "none", lambda: _no_findings(deps)),
    ]


def _look_ups(deps: Deps) -> Iterator[Question]:
    some = _spread(Reservation.select(Reservation.code, Reservation.email), Reservation.id)
    codes, shown = [code for code, _ in some], [(show_code(code), email) for code, email in some]

    def pages() -> None:
        for code in codes:
            stay = reservations.get_by_code(code)
            guest_pages.read_stay(deps, stay)

    def find() -> None:
        for code, email in shown:
            reservations.find_for_guest(deps, code, email)

    yield Question("by code", "look up", "flat", lambda: [reservations.get_by_code(c) for c in codes], AT_ONCE)
    yield Question("by code and e-mail", "look up", "flat", find, AT_ONCE)
    link = some[-1][1]
    yield Question("all stays of an address", "look up", "flat", lambda: mails._stays_of(deps, link))
    yield Question("guest page", "guest", "flat", pages, AT_ONCE)


def _spread(query: Any, key: Any) -> list[Any]:
    """Rows from everywhere between the first and the last."""
    most = key.model.select(peewee.fn.MAX(key)).scalar()
    return [query.where(key == 1 + (most - 1) * n // AT_ONCE).tuples().get() for n in range(1, AT_ONCE + 1)]


def _lists() -> Iterator[Question]:
    for view in reservation_lists.VIEWS:
        for sort in Wanted(view, DAY).orders:
            wanted = Wanted(view, DAY, sort=sort)
            yield Question(f"{view} by {sort}", "lists", "flat", _page(wanted, None))
            column, newest_first = reservation_lists._column(wanted.order)
            shape, days = reservation_lists._shape(wanted), reservation_lists._days(wanted)
            query = reservation_lists._narrow(Reservation.select(), shape, days)
            place = _place_at_90(query, column, Reservation.id, newest_first)
            yield Question(f"{view} by {sort}, 90 %", "lists deep", "flat", _page(wanted, place))
    week = Wanted("all", DAY, first=DAY, last=DAY + timedelta(days=7))
    yield Question("arrivals of a week", "lists", "flat", _page(week, None))


def _page(wanted: Wanted, after: str | None) -> Work:
    def read() -> Any:
        found = reservation_lists.list_reservations(wanted, after=after)
        return list(money_states.money_words(found.rows))

    return read


def _place_at_90(query: Any, column: Any, key: Any, newest_first: bool) -> str | None:
    order = (column.desc(), key.desc()) if newest_first else (column, key)
    count = query.count()
    # A full page is left, so that hotels of any size show as many rows.
    row = query.order_by(*order).offset(max(0, min(int(count * 0.9), count - listing.PAGE - 2))).first()
    return row and listing._write_place(getattr(row, column.name), getattr(row, key.name))


def _money_lists() -> Iterator[Question]:
    house = House(ZONE, DAY)
    lists: tuple[tuple[str, Any, Any, Any], ...] = (
        ("payments", Payment, money_lists.read_payments, (None, *money_lists.PAYMENT_WORDS)),
        ("refunds", Refund, money_lists.read_refunds, (None, *money_lists.REFUND_WORDS)),
    )
    for name, model, read, words in lists:
        for word in words:
            filters = Filters(status=word)
            first = _money_page(read, filters, house, None)
            yield Question(f"{name} {word or ''}".strip(), "money", "flat", first)
        place = _place_at_90(model.select(), model.created_at, model.id, True)
        yield Question(f"{name}, 90 %", "money deep", "flat", _money_page(read, Filters(), house, place))
    events = WebhookEvent.select()
    place = _place_at_90(events, WebhookEvent.received_at, WebhookEvent.event_id, True)
    for title, group, after in (("messages", "money", None), ("messages, 90 %", "money deep", place)):
        yield Question(title, group, "flat", _events(after))


def _money_page(read: Any, filters: Filters, house: House, after: str | None) -> Work:
    return lambda: read(filters, house, after).rows


def _events(after: str | None) -> Work:
    query = WebhookEvent.select(WebhookEvent, Reservation).left_outer_join(Reservation)
    column, key = WebhookEvent.received_at, WebhookEvent.event_id
    return lambda: listing.read_page(query, column, key, after=after, newest_first=True).rows


def _searches() -> Iterator[Question]:
    half = Reservation.select(peewee.fn.MAX(Reservation.id)).scalar() // 2
    stay = Reservation.get_by_id(half)
    texts: tuple[tuple[str, str, str], ...] = (
        ("one e-mail", stay.email, "all"),
        ("a code, its beginning", stay.code[:5], "all"),
        ("a phone number", stay.phone, "all"),
        ("a rare surname", "leutheusser", "all"),
        ("name and surname", "ines carvalho", "all"),
        ("a common name", "maria", "all"),
        ("two common words", "maria silva", "all"),
        ("two common beginnings", "mar sil", "all"),
        ("two letters", "ma", "all"),
        ("what all have", "example", "all"),
        ("common, coming", "maria", "coming"),
        ("common, cancelled", "maria silva", "cancelled"),
        ("nothing found", "xylophon", "all"),
        ("common words that never meet", "maria gmail joao", "all"),
        ("common and rare", "maria leutheusser", "all"),
    )
    for name, text, view in texts:
        yield Question(name, "search", "search", _search(Wanted(view, DAY, words=typed_words(text))))


def _search(wanted: Wanted) -> Work:
    def read() -> Any:
        found = reservation_lists.search(wanted)
        return found.rows, found.more

    return read


def _desk(deps: Deps) -> Iterator[Question]:
    hotel = Hotel.get_by_id(1)
    yield Question("today", "desk", "flat", lambda: today.read_today(deps, hotel))
    yield Question("calendar of two weeks", "desk", "flat", lambda: room_calendar.read_calendar(DAY, 14))
    yield Question("calendar of a month", "desk", "flat", lambda: room_calendar.read_calendar(DAY, 31))


def _reports() -> Iterator[Question]:
    # The small hotel has been open for six weeks: of these days both have as much to add up.
    days = reports.days_of(DAY - timedelta(days=13), DAY)
    months = reports.months_until(DAY, 12)
    for name, group, goal, starts in (("two weeks", "month", "flat", days), ("a year", "year", "none", months)):
        yield Question(f"sums of {name}", group, goal, _report(reports.read_totals, starts, ZONE, "EUR"))
        yield Question(f"attempts of {name}", group, goal, _report(reports.read_attempts, starts, ZONE))
        yield Question(f"declines of {name}", group, goal, _report(reports.read_declines, starts, ZONE))


def _report(read: Any, *arguments: Any) -> Work:
    return lambda: read(*arguments)


def _worker(deps: Deps) -> Iterator[Question]:
    for job in jobs.JOBS:
        if job.name not in (*ASK_STRIPE, *MEASURED_APART):
            group = "nightly" if job.every >= timedelta(days=1) else "sweeps"
            yield Question(job.name, group, "flat", _idle(job, deps))


def _idle(job: jobs.Job, deps: Deps) -> Work:
    def run() -> None:
        done = job.run(deps)
        if done:
            raise RuntimeError(f"{job.name} found {done} rows to work on: the data are to leave it nothing")

    return run


def _no_findings(deps: Deps) -> None:
    found = books.audit(deps)
    if found:
        raise RuntimeError(f"the books differ: {found[:3]}")


# Asking -------------------------------------------------------------------------------------------------------------


@dataclass
class SizedHotel:
    """A hotel of one size: its database, which takes the place of the portal's while it is asked."""

    size: int
    url: str
    database: Any = None
    asked: list[Question] = field(default_factory=list)

    def open(self) -> None:
        db.initialise(self.url)
        self.database = db.db.obj
        db.db.connect(reuse_if_open=True)
        self.asked = questions(build_deps(self.url))

    def enter(self) -> None:
        db.db.initialize(self.database)

    def close(self) -> None:
        self.enter()
        db.disconnect()


def measure(houses: list[SizedHotel], times: int, only: str) -> dict[str, Any]:
    """{question: {"group", "goal", size: {"min", "median", "ratio"}}}, in milliseconds; `ratio` to the smallest hotel
    is None where one has more rows to show, or both take no time to speak of."""
    found: dict[str, Any] = {}
    for number, question in enumerate(houses[0].asked):
        title = f"{question.group}: {question.name}"
        if only not in title:
            continue
        took: dict[int, list[float]] = {house.size: [] for house in houses}
        rows: dict[int, int] = {}
        _warm_up(houses, number)
        for turn in range(1, ROUNDS * times + 1):
            if turn > times and (turn - 1) % times == 0 and not _is_worth_another_round(question, took, rows):
                break
            for house in houses:
                house.enter()
                mine = house.asked[number]
                begun = time.perf_counter()
                answer = mine.work()
                spent = (time.perf_counter() - begun) * 1_000 / mine.per
                rows[house.size] = len(answer) if isinstance(answer, list) else 0
                took[house.size].append(spent)
            if _spent(took) > 12_000:
                break  # seconds each time: once will do
        least = houses[0].size
        found[title] = {"group": question.group, "goal": question.goal} | {
            str(size): {
                "min": min(spent),
                "median": statistics.median(spent),
                "ratio": _ratio(spent, took[least]) if rows[size] <= rows[least] * 1.1 else None,
            }
            for size, spent in took.items()
        }
        _print_line(title, found[title])
    return found


def _warm_up(houses: list[SizedHotel], number: int) -> None:
    """Until a statement is answered as it will be from then on; once will do for what takes long."""
    for _ in range(WARM_UP):
        begun = time.perf_counter()
        for house in houses:
            house.enter()
            house.asked[number].work()
        if time.perf_counter() - begun > LONG:
            return


def _ratio(spent: list[float], least: list[float]) -> float | None:
    """None where both are so short that it would tell of the way to the database and not of its size."""
    return min(spent) / min(least) if max(min(spent), min(least)) >= TOO_SHORT else None


def _print_line(title: str, line: dict[str, Any]) -> None:
    sizes = [key for key in line if key.isdigit()]
    shown = "".join(f"{line[size]['min']:10.3f}{line[size]['median']:10.3f}" for size in sizes)
    ratios = (line[size]["ratio"] for size in sizes[1:])
    print(f"  {title:48}{shown}" + "".join(f"{ratio:8.2f}" if ratio else f"{'-':>8}" for ratio in ratios), flush=True)


def _is_worth_another_round(question: Question, took: dict[int, list[float]], rows: dict[int, int]) -> bool:
    spent = _spent(took)
    return spent < AT_LEAST or (spent < AT_MOST and _looks_as_if_it_grew(question, took, rows))


def _spent(took: dict[int, list[float]]) -> float:
    return sum(map(sum, took.values()))


def _looks_as_if_it_grew(question: Question, took: dict[int, list[float]], rows: dict[int, int]) -> bool:
    first, *others = sorted(took)
    limits = {"flat": 1.2 * min(took[first]), "search": SEARCH_WITHIN}
    alike = [size for size in others if question.goal == "search" or rows[size] <= rows[first] * 1.1]
    return question.goal in limits and any(min(took[size]) > limits[question.goal] for size in alike)


@contextlib.contextmanager
def sqlite_urls(folder: str) -> Iterator[Callable[[int], str]]:
    with tempfile.TemporaryDirectory(dir=folder, prefix="bench-scale-") as inside:
        yield lambda size: f"sqlite:///{inside}/of_{size}.db"


@contextlib.contextmanager
def postgres_urls(server: str) -> Iterator[Callable[[int], str]]:
    """Databases of our own on that server, gone afterwards."""
    made: list[str] = []

    def make(size: int) -> str:
        made.append(f"bench_{size}_{uuid.uuid4().hex[:8]}")
        postgres.execute(server, f"CREATE DATABASE {made[-1]}")
        return f"{server}/{made[-1]}"

    try:
        yield make
    finally:
        db.disconnect()
        for name in made:
            postgres.execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def compare(engine: str, make: Callable[[int], str], asked: argparse.Namespace) -> dict[str, Any]:
    houses = []
    for size in asked.sizes:
        house = SizedHotel(size, make(size))
        print(f"\n{engine}, {size:,} reservations", flush=True)
        hotel_data.fill(house.url, size, progress=lambda line: print(f"  {line}", flush=True))
        houses.append(house)
    for house in houses:
        house.open()
    columns = "".join(f"{f'{size:,}':>10}{'median':>10}" for size in asked.sizes)
    print(f"\n{engine}: milliseconds, least and median{'':9}{columns}{'ratio':>8}", flush=True)
    found = measure(houses, asked.times, asked.only)
    if asked.explain:
        houses[-1].enter()
        explain(houses[-1].asked, asked.only)
    for house in houses:
        house.close()
    return found


def explain(asked: list[Question], only: str) -> None:
    """How the database goes about each question."""
    execute = peewee.Database.execute_sql
    prefix = "EXPLAIN " if db.is_postgres() else "EXPLAIN QUERY PLAN "
    seen: list[tuple[str, Any]] = []
    kind = type(db.db.obj)
    own = kind.execute_sql

    def note(self: Any, sql: str, params: Any = None) -> Any:
        seen.append((sql, params))
        return execute(self, sql, params)

    kind.execute_sql = note
    for question in asked:
        if only not in f"{question.group}: {question.name}":
            continue
        seen.clear()
        question.work()
        print(f"\n{question.group}: {question.name}")
        for sql, params in [entry for entry in seen if entry[0].startswith("SELECT")][:12]:
            print("   ", sql[:600])
            for row in execute(db.db.obj, prefix + sql, params).fetchall():
                print("        ", row[-1])
    kind.execute_sql = own


# What is told of it -------------------------------------------------------------------------------------------------


def summary(found: dict[str, Any], size: str) -> list[tuple[str, str, float, float, float]]:
    """Of each group: its words, its goal, the slowest question at the smallest hotel and at `size`, the worst ratio."""
    lines = []
    smallest = min((key for key in next(iter(found.values())) if key.isdigit()), key=int)
    for group, (words, goal) in GROUPS.items():
        mine = [line for line in found.values() if line["group"] == group]
        if mine:
            least, most = (max(line[key]["min"] for line in mine) for key in (smallest, size))
            lines.append((words, goal, least, most, max(line[size]["ratio"] or 0 for line in mine)))
    return lines


def markdown(results: dict[str, Any]) -> str:
    """The section of docs/performance.md."""
    sizes = results["sizes"]
    parts = [
        "## A hotel that grows\n",
        "`make bench-scale` fills a database with a hotel's past (`bench/hotel_data.py`: a house of 60 rooms with 20 "
        "bookings a day, with payments, declines, refunds, nights, mails, the log and Stripe's messages) and puts the "
        f"same questions to hotels of {' and '.join(f'{size:,}' for size in sizes)} reservations, in turn, in one "
        "process, past the web server. Times are milliseconds, the shortest of the slowest question of each line; "
        "ratios of such times are the worst of the line. Both hotels have as much going on today: what grows is the "
        "past. A list is compared where both have as many rows to show, and what takes less than "
        f"{TOO_SHORT:g} ms in both is not compared.\n",
    ]
    for engine, found in results["engines"].items():
        parts.append(f"![{engine}: milliseconds by size of hotel](img/scale-{engine.lower()}.svg)\n")
        parts += [_markdown_table(engine, sizes[0], size, found) for size in sizes[1:]]
    return "\n".join([*parts, NOT_FLAT])


NOT_QUITE_FLAT = (
    "No question here reads more rows in the large house; those that miss the goal take a millisecond or two, and what "
    "differs are a few tenths of one: PostgreSQL answers a statement in a small house by the plan that fits any value, "
    "and looks at the values each time in a large one. What pages and messages ask all the time is written so that it "
    "has one plan for good."
)
SEARCH_IS_SLOW = (
    "The slowest search is for two words that thousands of guests have; it looks at the newest stays that have both "
    "and stops. In a quiet minute it stays within the goal."
)

NOT_FLAT = """Two lines grow, and why: a **report of a year** reads the payments of that year, and the small hotel has
been open for six weeks; of the same days both take the same time. **The nightly check of the books** reads every row
once, because it is the one place that believes nothing; it runs in the worker, in the night, and holds no lock.
"""


def _markdown_table(engine: str, small: int, size: int, found: dict[str, Any]) -> str:
    lines = [
        f"| {engine} | {small:,} | {size:,} | worst ratio | goal |",
        "|---|---:|---:|---:|---|",
    ]
    for words, goal, least, most, worst in summary(found, str(size)):
        wanted = {"flat": "≤ 1.3×", "search": "≤ 5 ms", "none": "—"}[goal]
        lines.append(f"| {words} | {_ms(least)} | {_ms(most)} | {worst:.2f}× | {wanted} |")
    return "\n".join(lines) + "\n"


def _ms(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def goals(results: dict[str, Any]) -> list[Goal]:
    """P9: flat to 200,000 reservations, and search there within 5 ms."""
    made = []
    for engine, found in results["engines"].items():
        if str(LARGE) not in next(iter(found.values())):
            continue
        lines = summary(found, str(LARGE))
        worst, which = max((ratio_, words) for words, goal, _, _, ratio_ in lines if goal == "flat")
        slowest = max(most for _, goal, _, most, _ in lines if goal == "search")
        flat, quick = f"flat to {LARGE:,} reservations on {engine}", f"search at {LARGE:,} on {engine}"
        figure = f"{worst:.2f}× ({which.lower()})"
        made.append(Goal("P9", flat, "≤ 1.3×", figure, worst <= 1.3, "make bench-scale", NOT_QUITE_FLAT))
        made.append(Goal("P9", quick, "≤ 5 ms", f"{slowest:.1f} ms", slowest <= SEARCH_WITHIN, "make bench-scale",
                         SEARCH_IS_SLOW))  # fmt: skip
    return made


def draw(results: dict[str, Any]) -> None:
    """A picture for each engine: where each group's slowest question stands at each size."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    sizes = [str(size) for size in results["sizes"]]
    for engine, found in results["engines"].items():
        rows = []
        for group, (words, _) in GROUPS.items():
            mine = [line for line in found.values() if line["group"] == group]
            if mine:
                rows.append((words, [max(line[size]["min"] for line in mine) for size in sizes]))
        title = f"{engine}: slowest question of each kind, milliseconds"
        names = [f"{int(size):,} reservations" for size in sizes]
        (PICTURES / f"scale-{engine.lower()}.svg").write_text(drawing.dots(title, names, rows), encoding="utf-8")


# From the command line ----------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[SMALL, LARGE], metavar="RESERVATIONS")
    parser.add_argument("--million", action="store_true", help=f"a hotel of {HUGE:,} reservations as well (minutes)")
    parser.add_argument("--times", type=int, default=15, help="how often each question is put to each hotel")
    parser.add_argument("--postgres", metavar="URL", help="a server to make databases on; otherwise one is started")
    parser.add_argument("--engine", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--folder", default=None, help="where the SQLite files go for the time being")
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="questions whose line contains this; writes nothing"
    )
    parser.add_argument("--explain", action="store_true", help="also how the largest hotel's database answers")
    asked = parser.parse_args()
    if asked.million:
        asked.sizes.append(HUGE)
    asked.sizes = sorted(set(asked.sizes))
    started, engines = time.monotonic(), {}
    if asked.engine != "postgres":
        with sqlite_urls(asked.folder) as make:
            engines["SQLite"] = compare("SQLite", make, asked)
    if asked.engine != "sqlite":
        with contextlib.ExitStack() as stack:
            server = _server(stack, asked.postgres)
            if server:
                make = stack.enter_context(postgres_urls(server))
                engines["PostgreSQL"] = compare("PostgreSQL", make, asked)
    results = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "command": "make bench-scale",
        "sizes": asked.sizes,
        "engines": engines,
    }
    for engine, found in engines.items():
        print(f"\n{_markdown_table(engine, asked.sizes[0], asked.sizes[-1], found)}" if found else "")
    if not asked.only and asked.engine == "both" and len(asked.sizes) > 1:
        draw(results)
        report.keep(RESULTS, _rounded(results))
    print(f"{time.monotonic() - started:.0f} s altogether.")


def _server(stack: contextlib.ExitStack, given: str | None) -> str | None:
    if given:
        return given.rstrip("/")
    if postgres.binaries() is None:
        print("\nPostgreSQL is left out: no server is installed here. Give one's address: BENCH='--postgres URL'.")
        return None
    server: str = stack.enter_context(postgres.server())
    return server


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
