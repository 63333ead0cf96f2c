"""A busy day, all in about a minute: guests who pay at the same moment, Stripe's messages in a burst, a slow Stripe,
and writers that contend for one file. Real gunicorn, a real worker, the Stripe simulator.

Prints what each step took and writes bench/results/load.json. Fails only when a payment or a message was lost or
doubled, or one answer in a hundred was an error; never because of a time."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import hotel, report
from bench.goals import Goal
from bench.loads import burst, guests, slow_stripe, writers
from bench.loads.figures import Figures, table
from bench.machine import described
from tests import postgres

RESULTS = Path(__file__).parent / "results" / "load.json"
COMMAND = "make load"
SCENARIOS = ("guests", "burst", "burst-postgres", "crash", "slow-stripe", "writers")
Load = Callable[[Path], Figures]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guests", type=int, nargs="?", default=50, help="how many at once, at most 200 (default 50)")
    parser.add_argument("--only", choices=SCENARIOS, action="append", help="this load alone; may be repeated")
    parser.add_argument("--messages", type=int, default=1_000, help="how many in a burst (default 1,000)")
    asked = parser.parse_args()
    loads = {
        "guests": lambda folder: guests.load(folder, min(200, max(1, asked.guests))),
        "burst": lambda folder: burst.load(folder, _sqlite(folder), "SQLite", asked.messages),
        "burst-postgres": lambda folder: _burst_on_postgres(folder, asked.messages),
        "crash": lambda folder: _burst_with_a_death(folder, asked.messages),
        "slow-stripe": slow_stripe.load,
        "writers": writers.load,
    }
    hotel.be_quiet()
    results = _run({name: load for name, load in loads.items() if name in (asked.only or SCENARIOS)})
    print("\n".join(f"{goal.number:4} {goal.text}: {goal.figure} ({goal.goal})" for goal in goals(results)))
    if not asked.only and len(sys.argv) == 1:  # what was measured as it always is
        report.keep(RESULTS, results)
    return 1 if any(load["wrong"] or _too_many_failed(load) for load in results["loads"].values()) else 0


def _too_many_failed(load: dict[str, Any]) -> bool:
    return float(load["failed_percent"]) >= 1


def _run(loads: dict[str, Load]) -> dict[str, Any]:
    begun, done = time.perf_counter(), dict[str, Any]()
    for name, load in loads.items():
        if name == "burst-postgres" and postgres.binaries() is None:
            print("PostgreSQL is left out: no server is installed here.\n")
            continue
        with tempfile.TemporaryDirectory(prefix="portal-load-") as folder:
            done[name] = load(Path(folder)).result()
        print(table(done[name]), end="\n\n", flush=True)
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": described(),
        "command": COMMAND,
        "seconds": round(time.perf_counter() - begun),
        "loads": done,
    }


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'portal.db'}"


def _burst_with_a_death(folder: Path, messages: int) -> Figures:
    return burst.load(folder, _sqlite(folder), "SQLite", messages // 4, kill=True)


def _burst_on_postgres(folder: Path, messages: int) -> Figures:
    with _postgres_database() as url:
        return burst.load(folder, url, "PostgreSQL with fsync", messages)


@contextmanager
def _postgres_database() -> Iterator[str]:
    with postgres.server(durable=True) as server:
        postgres.execute(server, "CREATE DATABASE portal")
        yield f"{server}/portal"


# For docs/performance.md ----------------------------------------------------------------------------------------------


def markdown(results: dict[str, Any]) -> str:
    """What was measured, as a section."""
    parts = [
        "## Busy days",
        f"`{results['command']}` took {results['seconds']} s on {results['machine']} ({results['when'][:10]}). Times"
        " are those of the one who asks, in milliseconds; load, portal, database and Stripe share the machine.",
    ]
    for load in results["loads"].values():
        rows = [
            f"| {name} | {row['number']:,} | {row['p50']:.1f} | {row['p99']:.1f} | {row['most']:.1f} |"
            for name, row in load["steps"].items()
        ]
        head = ["| step | number | p50 | p99 | longest |", "|---|---:|---:|---:|---:|"]
        lost = "Nothing was lost or doubled" if not load["wrong"] else f"**Wrong: {'; '.join(load['wrong'])}**"
        told = f"{lost}; {load['failed_percent']} % failed.{_speed(load)}"
        parts.append("\n".join([f"### {load['text']}", "", *head, *rows, "", told]))
    return "\n\n".join(parts) + "\n"


def _speed(load: dict[str, Any]) -> str:
    return f" {load['in_a_second']:,} in a second." if "in_a_second" in load else ""


def goals(results: dict[str, Any]) -> list[Goal]:
    """Beside those goals whose load was run."""
    judges: dict[str, Callable[[dict[str, Any]], list[Goal]]] = {
        "guests": _of_guests,
        "burst": _of_burst,
        "burst-postgres": _of_burst,
        "crash": lambda load: [_nothing_lost("P7", load)],
        "slow-stripe": _of_slow_stripe,
        "writers": _of_writers,
    }
    return [goal for name, load in results["loads"].items() for goal in judges[name](load)]


def _of_guests(load: dict[str, Any]) -> list[Goal]:
    p99 = max(row["p99"] for row in load["steps"].values())
    failed = load["failed_percent"]
    return [
        Goal("L1", f"{load['text']}: slowest step, p99", "< 3 s", f"{p99 / 1000:.2f} s", p99 < 3_000, COMMAND),
        Goal("L1", f"{load['text']}: errors", "< 1 %", f"{failed:.2f} %", failed < 1, COMMAND),
        _nothing_lost("L1", load),
    ]


def _of_burst(load: dict[str, Any]) -> list[Goal]:
    most = load["steps"]["message taken"]["most"]
    return [
        Goal("P7", f"{load['text']}: the longest", "≤ 250 ms", f"{most:.0f} ms", most <= 250, COMMAND),
        _nothing_lost("P7", load),
    ]


def _of_writers(load: dict[str, Any]) -> list[Goal]:
    most = load["steps"]["one write"]["most"]
    return [
        Goal("P7", f"{load['text']}: the longest", "≤ 250 ms", f"{most:.0f} ms", most <= 250, COMMAND),
        _nothing_lost("P7", load),
    ]


def _of_slow_stripe(load: dict[str, Any]) -> list[Goal]:
    ratio, p99 = load["p50_ratio"], load["steps"][slow_stripe.BUSY]["p99"]
    quiet = load["steps"][slow_stripe.QUIET]["p99"]
    return [
        Goal("P8", f"{load['text']}: p50 beside p50 when nobody pays", "≤ 2×", f"{ratio:.2f}×", ratio <= 2, COMMAND),
        Goal("P8", "the same: p99", "stated", f"{p99:.0f} ms (nobody pays: {quiet:.0f} ms)", True, COMMAND),
    ]


def _nothing_lost(number: str, load: dict[str, Any]) -> Goal:
    wrong = len(load["wrong"])
    return Goal(number, f"{load['text']}: lost or doubled", "0", str(wrong), wrong == 0, COMMAND)


if __name__ == "__main__":
    sys.exit(main())
