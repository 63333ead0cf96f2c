"""docs/performance.md, from whatever was measured last: the goals first, then a section for each command."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.goals import Goal

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "performance.md"
RESULTS = Path(__file__).parent / "results"
MODULES = {"pages": "bench.pages", "peers": "bench.peers", "load": "bench.load", "scale": "bench.scale"}
"""What each file of results belongs to; a module tells with `markdown(results)` and `goals(results)`."""

INTRODUCTION = """# Performance

What the portal costs, measured on one machine beside what the same work costs without it. Rates and times depend on the
machine and on what else it does; ratios of things measured in turns hardly do, so goals are ratios, and counts where
something can be counted. The counts are held by tests; no test asserts a time.

This page is written by the commands in it. `make bench` takes less than two minutes.
"""


def keep(file: Path, results: dict[str, Any]) -> None:
    """Write results down, and the page anew."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write()
    print(f"\nWritten: {file.relative_to(ROOT)}, {DOCUMENT.relative_to(ROOT)}")


def write() -> None:
    measured = {}
    for name, module in MODULES.items():
        file = RESULTS / f"{name}.json"
        if file.exists():
            measured[name] = (import_module(module), json.loads(file.read_text(encoding="utf-8")))
    goals = [goal for module, results in measured.values() for goal in module.goals(results)]
    sections = [module.markdown(results).strip() for module, results in measured.values()]
    parts = [INTRODUCTION.strip(), table(goals), reasons(goals), *sections]
    DOCUMENT.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")


def table(goals: list[Goal]) -> str:
    """In the order of their numbers."""
    lines = ["## Goals", "", "| | goal | asked | measured | met | command |", "|---|---|---:|---:|---|---|"]
    for goal in sorted(goals, key=lambda one: int(one.number[1:])):
        met = "yes" if goal.met else "**no**"
        lines.append(f"| {goal.number} | {goal.text} | {goal.goal} | {goal.figure} | {met} | `{goal.command}` |")
    return "\n".join(lines)


def reasons(goals: list[Goal]) -> str:
    """What is known of each goal that is not met; each said once."""
    missed = [goal for goal in sorted(goals, key=lambda one: int(one.number[1:])) if not goal.met and goal.why]
    said = dict.fromkeys((goal.number, goal.why) for goal in missed)
    lines = [f"- **{number}** {why}" for number, why in said]
    return "\n".join(["## What is not met, and why", "", *lines]) if lines else ""


def tell(wrong: list[str]) -> int:
    """The exit status: 1 when something was lost, doubled or refused; never because of a time."""
    for what in wrong[:20]:
        print(f"WRONG: {what}")
    if not wrong:
        print("Nothing was lost, nothing doubled, every answer was right.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(write())
