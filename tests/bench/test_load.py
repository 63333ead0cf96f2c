"""What `make load` makes of its figures: a time never fails it, something lost always does."""

import json
import sys
from typing import Any

import pytest

from bench import load


def ran(*, took: float, wrong: bool = False, failed: int = 0) -> dict[str, Any]:
    figures = load.Figures("1,000 messages")
    for number in range(1_000):
        figures.note("message taken", took, "500" if number < failed else "")
    figures.expect("messages kept", 999 if wrong else 1_000, 1_000)
    return dict(figures.result())


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ({"took": 9.0}, 0),
        ({"took": 0.1, "failed": 9}, 0),
        ({"took": 0.1, "failed": 10}, 1),
        ({"took": 0.1, "wrong": True}, 1),
    ],
)
def test_it_fails_for_what_was_lost_or_refused_and_never_for_a_time(
    case: dict[str, Any], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = {"loads": {"burst": ran(**case)}}
    monkeypatch.setattr(load, "_run", lambda _: results)
    monkeypatch.setattr(load.hotel, "be_quiet", lambda: None)
    monkeypatch.setattr(sys, "argv", ["load.py", "--only", "burst"])
    assert load.main() == status
    assert "≤ 250 ms" in capsys.readouterr().out


def test_slow_is_told_and_what_was_lost_is_named() -> None:
    loads = {"burst": ran(took=9.0, wrong=True)}
    results = {
        "when": "2026-11-24T01:00:00+00:00",
        "machine": "a",
        "command": "make load",
        "seconds": 60,
        "loads": loads,
    }
    assert [(goal.figure, goal.met) for goal in load.goals(results)] == [("9000 ms", False), ("1", False)]
    assert "Wrong: messages kept: 999 instead of 1000" in load.markdown(results)


def test_the_figures_that_are_kept_can_still_be_read() -> None:
    results = json.loads(load.RESULTS.read_text(encoding="utf-8"))
    assert set(results["loads"]) <= set(load.SCENARIOS)
    assert load.markdown(results).startswith("## ")
    assert load.goals(results)
