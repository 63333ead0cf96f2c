"""What each step took and what went wrong, of one load."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.machine import percentile

HEAD = f"{'step':34}{'number':>8}{'p50 ms':>10}{'p99 ms':>10}{'most ms':>10}"


class Figures:
    """`took`: seconds of each step. `failed`: what went wrong once or now and then. `wrong`: what must never be, such
    as a payment that is lost or doubled; one of them makes the whole run fail."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.took: dict[str, list[float]] = defaultdict(list)
        self.failed: list[str] = []
        self.wrong: list[str] = []
        self.facts: dict[str, Any] = {}
        self._lock = threading.Lock()

    def note(self, step: str, seconds: float, trouble: str = "") -> None:
        with self._lock:
            self.took[step].append(seconds)
            if trouble:
                self.failed.append(f"{step}: {trouble}")

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.note(step, time.perf_counter() - begun)

    def longest(self, fact: str, begun: float) -> None:
        """Seconds since `begun`, if nobody took longer."""
        with self._lock:
            self.facts[fact] = max(self.facts.get(fact, 0.0), round(time.perf_counter() - begun, 2))

    def expect(self, what: str, found: object, wanted: object) -> None:
        """A promise that must hold whatever the load."""
        if found != wanted:
            self.wrong.append(f"{what}: {found} instead of {wanted}")

    @property
    def share_of_failures(self) -> float:
        return len(self.failed) / max(1, sum(map(len, self.took.values())))

    def result(self) -> dict[str, Any]:
        steps = {name: summary(took) for name, took in self.took.items()}
        return {
            "text": self.text,
            "steps": steps,
            "failed_percent": round(self.share_of_failures * 100, 2),
            "failed": sorted(set(self.failed)),
            "wrong": self.wrong,
            **self.facts,
        }


def summary(took: Sequence[float]) -> dict[str, float]:
    """Milliseconds. Of fewer than a hundred the 99th percentile is the longest."""
    ordered = sorted(took)
    figures = {"p50": percentile(ordered, 0.5), "p99": percentile(ordered, 0.99), "most": ordered[-1]}
    return {"number": len(ordered), **{name: round(seconds * 1000, 1) for name, seconds in figures.items()}}


def table(result: dict[str, Any]) -> str:
    lines = [result["text"], HEAD]
    for name, row in result["steps"].items():
        lines.append(f"{name:34}{row['number']:8}{row['p50']:10.1f}{row['p99']:10.1f}{row['most']:10.1f}")
    facts = [f"{name.replace('_', ' ')} {value}" for name, value in result.items() if name not in NOT_FACTS]
    lines.append(", ".join([f"failed {result['failed_percent']} %", *facts]))
    return "\n".join(
        lines + [f"  {line}" for line in result["failed"]] + [f"  WRONG {line}" for line in result["wrong"]]
    )


NOT_FACTS = ("text", "steps", "failed_percent", "failed", "wrong")
