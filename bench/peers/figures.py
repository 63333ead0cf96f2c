"""What the rounds say: medians of ratios of neighbours in the same round, and the spread of waiting."""

import statistics
from dataclasses import dataclass
from typing import Any

from bench.machine import percentile


@dataclass(frozen=True)
class Round:
    """One server's turn. `cpu`: seconds of its processes; `engine`: of PostgreSQL's that worked for it; `each`: how
    long each message waited, in seconds, the shortest first."""

    count: int
    took: float
    cpu: float
    engine: float
    each: list[float]


def summary(name: str, database: str, rounds: list[Round]) -> dict[str, Any]:
    """Microseconds and milliseconds, medians of the rounds; waiting is taken over all messages."""
    waited = sorted(seconds for round_ in rounds for seconds in round_.each)
    per_second = [r.count / r.took for r in rounds]
    return {
        "name": name,
        "database": database,
        "cpu_us": round(statistics.median(r.cpu / r.count for r in rounds) * 1e6),
        "engine_us": round(statistics.median(r.engine / r.count for r in rounds) * 1e6),
        "per_second": round(statistics.median(per_second)),
        "slowest_round": round(min(per_second)),
        "fastest_round": round(max(per_second)),
        "p50_ms": round(percentile(waited, 0.5) * 1e3, 1),
        "p99_ms": round(percentile(waited, 0.99) * 1e3, 1),
        "longest_ms": round(waited[-1] * 1e3, 1),
    }


def ratios(ours: list[Round], theirs: list[Round]) -> dict[str, float]:
    """How many times as much one CPU second and one second bring at the portal as at dj-stripe; of the waiting, what
    part remains (less is better). Each the median over rounds."""

    def of(what: Any) -> float:
        return round(statistics.median(what(a, b) for a, b in zip(ours, theirs, strict=True)), 3)

    return {
        "per_cpu_second": of(lambda a, b: (b.cpu / b.count) / (a.cpu / a.count)),
        "with_engine": of(lambda a, b: ((b.cpu + b.engine) / b.count) / ((a.cpu + a.engine) / a.count)),
        "per_second": of(lambda a, b: (a.count / a.took) / (b.count / b.took)),
        "p50": of(lambda a, b: percentile(a.each, 0.5) / percentile(b.each, 0.5)),
        "p99": of(lambda a, b: percentile(a.each, 0.99) / percentile(b.each, 0.99)),
    }


def table(results: dict[str, Any]) -> str:
    """For a terminal and for a page alike."""
    head = (
        "| | CPU per message | the database's beside it | messages/s [slowest–fastest round] | p50 | p99 | longest |",
        "|---|---|---|---|---|---|---|",
    )
    return "\n".join([*head, *map(_row, results["subjects"])]) + "\n\n" + _ratio_table(results["ratios"])


def _row(one: dict[str, Any]) -> str:
    engine = f"{one['engine_us']:,} µs" if one["database"] != "SQLite" else "–"
    speed = f"{one['per_second']:,} [{one['slowest_round']:,}–{one['fastest_round']:,}]"
    waits = " | ".join(f"{one[key]} ms" for key in ("p50_ms", "p99_ms", "longest_ms"))
    return f"| {one['name']} on {one['database']} | {one['cpu_us']:,} µs | {engine} | {speed} | {waits} |"


def _ratio_table(found: dict[str, dict[str, float]]) -> str:
    lines = [
        "| the portal beside dj-stripe | messages per CPU second | with the database's CPU | messages/s | p50 | p99 |",
        "|---|---|---|---|---|---|",
    ]
    for database, ratio in found.items():
        times = " | ".join(f"{ratio[key]:.1f}×" for key in ("per_cpu_second", "with_engine", "per_second"))
        parts = " | ".join(f"{ratio[key]:.2f}×" for key in ("p50", "p99"))
        lines.append(f"| on {database} | {times} | {parts} |")
    return "\n".join(lines)
