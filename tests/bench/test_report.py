"""What the benches make of their figures."""

import pytest

from bench import report
from bench.goals import Goal
from bench.machine import percentile
from bench.pages import paired_ratio


def test_a_ratio_is_the_median_of_those_of_the_same_round() -> None:
    """A round in which the machine was busy with something else changes neither its ratio nor the median."""
    assert paired_ratio([2.0, 20.0, 3.0], [1.0, 10.0, 1.0]) == {"median": 2.0, "least": 2.0, "most": 3.0}
    with pytest.raises(ValueError, match="shorter"):
        paired_ratio([1.0, 2.0], [1.0])


def test_percentiles_are_values_that_occurred() -> None:
    hundred = [float(number) for number in range(1, 101)]
    assert (percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([7.0], 0.99)) == (51.0, 100.0, 7.0)


def test_goals_stand_in_order_and_a_missed_one_is_seen() -> None:
    text = report.table([
        Goal("P10", "statements", "≤ 4", "5", False, "make bench"),
        Goal("P2", "page", "≤ 3.6×", "3.1×", True, "make bench"),
    ])  # fmt: skip
    lines = text.splitlines()[4:]
    assert lines == [
        "| P2 | page | ≤ 3.6× | 3.1× | yes | `make bench` |",
        "| P10 | statements | ≤ 4 | 5 | **no** | `make bench` |",
    ]


def test_why_a_goal_is_missed_is_said_once_and_only_then() -> None:
    text = report.reasons([
        Goal("P12", "memory", "≤ 1.8×", "3.1×", False, "make bench", "Libraries."),
        Goal("P2", "page", "≤ 3.6×", "3.1×", True, "make bench", "Words."),
        Goal("P3", "list", "≤ 5×", "6×", False, "make bench", "Bytes."),
        Goal("P3", "list beside bytes", "≤ 1.6×", "2×", False, "make bench", "Bytes."),
    ])  # fmt: skip
    assert text.splitlines()[2:] == ["- **P3** Bytes.", "- **P12** Libraries."]
    assert report.reasons([Goal("P2", "page", "≤ 3.6×", "3.1×", True, "make bench", "Words.")]) == ""


def test_only_what_was_lost_or_doubled_fails_a_bench(capsys: pytest.CaptureFixture[str]) -> None:
    assert (report.tell([]), report.tell(["SQLite: stays confirmed: 9 instead of 10"])) == (0, 1)
    assert "9 instead of 10" in capsys.readouterr().out
