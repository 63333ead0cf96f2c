"""Hotels of several sizes are asked the same; each gets an answer, also where that takes long."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from bench import scale
from bench.scale import Question


@dataclass
class Hotel:
    """Of a house that needs so many seconds for each question."""

    size: int
    seconds: float
    clock: SimpleNamespace
    times_asked: int = 0

    def enter(self) -> None:
        pass

    @property
    def asked(self) -> list[Question]:
        return [Question("audit", "books", "none", self.work)]

    def work(self) -> list[Any]:
        self.times_asked += 1
        self.clock.now += self.seconds
        return []


@pytest.mark.parametrize(("seconds", "times"), [((0.01, 2, 13), 2), ((2, 3, 13), 2), ((0.01, 0.02, 0.03), 16)])
def test_what_takes_long_is_asked_no_more_often_than_needed(
    monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, ...], times: int
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(scale, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    hotels: Any = [Hotel(10**number, each, clock) for number, each in enumerate(seconds, 3)]
    found = scale.measure(hotels, 5, "")["books: audit"]
    assert [hotel.times_asked for hotel in hotels] == [times] * 3
    assert [round(found[str(hotel.size)]["min"]) for hotel in hotels] == [1_000 * each for each in seconds]
