"""How the staff's list of reservations and its search behave as a hotel grows. Two databases, a small one and a large
one, are asked the same questions in turn; what counts is the ratio of their times on this machine."""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import peewee

sys.path.insert(0, str(Path(__file__).parents[1]))

from portal import db, migrations
from portal.domain.search_words import words_of
from portal.models import Reservation, ReservationWord, Room
from portal.services import money_states, reservation_lists
from portal.services.reservation_lists import Wanted, typed_words
from tests import postgres

TODAY, NOW = date(2026, 11, 23), datetime(2026, 11, 23, 12, tzinfo=UTC)
STATES = ("confirmed", "confirmed", "confirmed", "cancelled", "expired", "expired", "pending")
FIRST = [f"{a}{b}" for a in ("Ma", "An", "Jo", "Lu", "Ti", "Be", "Ce", "Do") for b in ("ria", "nês", "hn", "ca", "rre")]
LAST = [f"{a}{b}{c}" for a in ("Sil", "Cos", "Fer", "Mül", "Oka", "Tan") for b in ("va", "ta", "rei", "ler", "for")
        for c in ("", "s", "son", "ov", "ez")]  # fmt: skip
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"


def code_of(number: int) -> str:
    """Codes look random, but the same number always has the same."""
    mixed, code = number * 2_654_435_761 % 2**40, ""
    for _ in range(12):
        mixed, letter = divmod(mixed * 31 + 7, 32)
        code += LETTERS[letter]
    return code[:6] + "".join(LETTERS[(number >> 5 * place) % 32] for place in range(6))


def stay_of(number: int, size: int) -> dict[str, Any]:
    """Arrivals are spread over as many years as the hotel needed for them, a few hundred still to come."""
    mixed = number * 7_919 % 999_983
    name = f"{FIRST[mixed % len(FIRST)]} {LAST[mixed // 40 % len(LAST)]}"
    arrival = TODAY + timedelta(days=200 - (size - number) // 10)
    changed = min(NOW, datetime(arrival.year, arrival.month, arrival.day, tzinfo=UTC)) - timedelta(seconds=mixed)
    status = STATES[mixed % 7] if arrival > TODAY or mixed % 7 != 6 else "confirmed"
    return {
        "code": code_of(number), "guest_name": name, "email": f"guest.{number}@mail{mixed % 50}.example",
        "phone": f"+351 9{mixed:08d}", "locale": "en-GB", "room": 1, "check_in": arrival,
        "check_out": arrival + timedelta(days=3), "total": 50_000, "currency": "EUR", "status": status,
        "paid": 50_000 if status == "confirmed" else 0, "hold_until": changed, "policy": [],
        "created_at": changed, "updated_at": changed,
    }  # fmt: skip


def insert(model: type[peewee.Model], rows: list[Any]) -> None:
    """Past the query builder, which would take most of the time."""
    fields = [field for field in model._meta.sorted_fields if rows[0].__data__.get(field.name) is not None]
    values = [tuple(field.db_value(row.__data__[field.name]) for field in fields) for row in rows]
    mark = "%s" if db.is_postgres() else "?"
    columns, marks = ", ".join(field.column_name for field in fields), ", ".join([mark] * len(fields))
    statement = f"INSERT INTO {model._meta.table_name} ({columns}) VALUES ({marks})"
    with db.transaction():
        db.db.cursor().executemany(statement, values)


def fill(size: int) -> None:
    """Bulk inserts, in batches that both engines take."""
    migrations.migrate()
    with db.connection():
        Room.create(id=1, name="Garden room", description="", capacity=4)
        for start in range(0, size, 10_000):
            numbers = range(start, min(size, start + 10_000))
            stays = [Reservation(id=number + 1, **stay_of(number, size)) for number in numbers]
            insert(Reservation, stays)
            words = [
                ReservationWord(word=word, reservation=stay.id)
                for stay in stays
                for word in words_of(stay.code, stay.guest_name, stay.email, stay.phone)
            ]
            insert(ReservationWord, words)
        db.db.execute_sql("ANALYZE") if db.is_postgres() else None


def questions(size: int) -> dict[str, Callable[[], Any]]:
    """What staff do, by name."""

    def page(view: str, sort: str = "", after_pages: int = 0, **days: date) -> Callable[[], Any]:
        def read() -> Any:
            after = None
            for _ in range(after_pages + 1):
                found = reservation_lists.list_reservations(Wanted(view, TODAY, sort=sort, **days), after=after)
                after = found.after
            return money_states.money_words(found.rows), found.rows

        return read

    def search(text: str, view: str = "all", **days: date) -> Callable[[], Any]:
        wanted = Wanted(view, TODAY, words=typed_words(text), **days)

        def read() -> Any:
            found = reservation_lists.search(wanted)
            return found.rows, found.more

        return read

    lists = {
        f"list {view} {sort}": page(view, sort)
        for view in reservation_lists.VIEWS
        for sort in Wanted(view, TODAY).orders
    }
    lists["list, arrivals of a week"] = page("all", first=TODAY, last=TODAY + timedelta(days=7))
    lists["list, coming in a month"] = page("coming", first=TODAY + timedelta(days=30))
    return lists | {
        "search one e-mail": search(f"guest.{size // 2}@"),
        "search beginning of a code": search(code_of(size // 2)[:5]),
        "search surname": search("silvason"),
        "search name + surname": search("maria silvason"),
        "search common first name": search("maria"),
        "search two common words": search("mar sil"),
        "search two letters": search("ma"),
        "search mail (all have it)": search("mail"),
        "search common, coming": search("maria", "coming"),
        "search common, cancelled": search("ma", "cancelled", last=TODAY),
        "search nothing found": search("xylophon"),
        "search all common, no match": search("maria mail anca"),
    }


def time_of(work: Callable[[], Any], times: int) -> float:
    """Milliseconds, the median."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1_000)
    return statistics.median(taken)


@contextlib.contextmanager
def on_sqlite(folder: str) -> Iterator[Callable[[str], str]]:
    yield lambda name: f"sqlite:///{folder}/{name}.db"


@contextlib.contextmanager
def on_postgres(server: str) -> Iterator[Callable[[str], str]]:
    """Databases of our own on that server, gone afterwards."""
    made = []

    def make(name: str) -> str:
        made.append(f"bench_{name}_{uuid.uuid4().hex[:8]}")
        postgres.execute(server, f"CREATE DATABASE {made[-1]}")
        return f"{server}/{made[-1]}"

    try:
        yield make
    finally:
        db.disconnect()
        for name in made:
            postgres.execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def compare(engine: str, make: Callable[[str], str], sizes: tuple[int, int], times: int, explain: bool) -> None:
    urls = [make(f"of_{size}") for size in sizes]
    for url, size in zip(urls, sizes, strict=True):
        db.initialise(url)
        fill(size)
        db.disconnect()
    results: dict[str, list[float]] = {}
    for _ in range(2):  # in turn, so that what else the machine does meets both
        for url, size in zip(urls, sizes, strict=True):
            db.initialise(url)
            with db.connection():
                for name, work in questions(size).items():
                    work()
                    results.setdefault(f"{name}|{size}", []).append(time_of(work, times))
            db.disconnect()
    print(f"\n{engine}: milliseconds at {sizes[0]:,} and {sizes[1]:,} reservations, and the ratio")
    for name in questions(1):
        small, large = (min(results[f"{name}|{size}"]) for size in sizes)
        print(f"  {name:32} {small:8.2f} {large:8.2f} {large / small:7.2f}")
    if explain:
        db.initialise(urls[1])
        with db.connection():
            explain_all(sizes[1])
        db.disconnect()


def explain_all(size: int) -> None:
    """How the database goes about each question."""
    execute = peewee.Database.execute_sql
    prefix = "EXPLAIN " if db.is_postgres() else "EXPLAIN QUERY PLAN "
    seen: list[tuple[str, Any]] = []
    own = type(db.db.obj).execute_sql
    type(db.db.obj).execute_sql = lambda self, sql, params=None: (
        seen.append((sql, params)),
        execute(self, sql, params),
    )[1]
    for name, work in questions(size).items():
        seen.clear()
        work()
        print(f"\n{name}")
        for sql, params in [entry for entry in seen if entry[0].startswith("SELECT")]:
            for row in execute(db.db.obj, prefix + sql, params).fetchall():
                print("    ", row[-1])
    type(db.db.obj).execute_sql = own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs=2, default=(1_000, 200_000), metavar=("SMALL", "LARGE"))
    parser.add_argument("--times", type=int, default=7, help="how often each question is asked in a round")
    parser.add_argument("--postgres", metavar="URL", help="a server to make databases on; 'own': start one for this")
    parser.add_argument("--no-sqlite", action="store_true")
    parser.add_argument("--explain", action="store_true", help="also how the large database goes about each question")
    asked = parser.parse_args()
    sizes = (asked.sizes[0], asked.sizes[1])
    with contextlib.ExitStack() as stack:
        if not asked.no_sqlite:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            make = stack.enter_context(on_sqlite(folder))
            compare("SQLite", make, sizes, asked.times, asked.explain)
        if asked.postgres:
            server = stack.enter_context(postgres.server()) if asked.postgres == "own" else asked.postgres.rstrip("/")
            make = stack.enter_context(on_postgres(server))
            compare("PostgreSQL", make, sizes, asked.times, asked.explain)


if __name__ == "__main__":
    main()
