"""What goes back, from which payment, and when it shows: never more than came in."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.refund_sums import Returnable, divide, still_owed
from portal.domain.refund_window import window_from, working_days_after
from portal.domain.vat import vat_by_rate, vat_of_part


@dataclass
class Line:
    """A line of a price, in cents."""

    amount: int
    vat_percent: str | None = None


@pytest.mark.parametrize(
    ("due", "left", "parts"),
    [
        (0, [(500, 0)], []),
        (499, [(500, 0)], [(0, 499)]),
        (500, [(500, 0)], [(0, 500)]),
        (501, [(500, 0)], [(0, 500)]),
        (501, [(500, 0), (300, 0)], [(0, 500), (1, 1)]),
        (400, [(500, 500), (300, 0), (300, 0)], [(1, 300), (2, 100)]),
        (400, [(500, 600), (300, 0)], [(1, 300)]),
        (400, [], []),
    ],
)
def test_a_refund_is_divided_in_order_each_at_most_what_is_left(
    due: int, left: list[tuple[int, int]], parts: list[tuple[int, int]]
) -> None:
    assert divide(due, [Returnable(n, amount, back) for n, (amount, back) in enumerate(left)]) == parts


@given(
    due=st.integers(0, 10**6), payments=st.lists(st.tuples(st.integers(1, 10**5), st.integers(0, 10**5)), max_size=5)
)
@settings(max_examples=300, derandomize=True, deadline=None)
def test_what_is_divided_adds_up_and_takes_no_payment_twice(due: int, payments: list[tuple[int, int]]) -> None:
    rows = [Returnable(n, amount, back) for n, (amount, back) in enumerate(payments)]
    parts = divide(due, rows)
    assert sum(part for _, part in parts) == min(due, sum(row.left for row in rows))
    assert len({number for number, _ in parts}) == len(parts)
    assert all(0 < part <= rows[number].left for number, part in parts)


@pytest.mark.parametrize(
    ("kind", "amount", "left", "target_left", "owed"),
    [
        ("returned", 1000, 1000, None, 1000),
        ("returned", 1000, 400, None, 400),  # the rest went back in the dashboard
        ("returned", 1000, -1, None, 0),
        ("policy", 500, 1000, 500, 500),
        ("policy", 500, 1000, 300, 300),
        ("policy", 500, 200, 300, 200),
        ("policy", 500, 1000, -10, 0),
        ("policy", 500, 400, None, 400),
        ("staff", 500, 1000, 0, 500),  # the policy has no say in what staff decide
        ("staff", 500, 499, None, 499),
        ("external", 500, 0, None, 0),
    ],
)
def test_what_a_refund_has_to_be_right_before_it_is_sent(
    kind: str, amount: int, left: int, target_left: int | None, owed: int
) -> None:
    assert still_owed(kind, amount, left, target_left) == owed


@pytest.mark.parametrize(
    ("sent", "first", "last"),
    [
        (date(2026, 11, 23), date(2026, 11, 30), date(2026, 12, 7)),  # a Monday
        (date(2026, 11, 27), date(2026, 12, 4), date(2026, 12, 11)),  # a Friday
        (date(2026, 11, 28), date(2026, 12, 4), date(2026, 12, 11)),  # a Saturday
        (date(2026, 11, 29), date(2026, 12, 4), date(2026, 12, 11)),  # a Sunday
    ],
)
def test_when_a_refund_shows_on_a_statement(sent: date, first: date, last: date) -> None:
    assert (window_from(sent).first, window_from(sent).last) == (first, last)


@given(day=st.dates(date(2024, 1, 1), date(2030, 1, 1)), count=st.integers(1, 30))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_working_days_end_on_one_and_pass_as_many(day: date, count: int) -> None:
    end = working_days_after(day, count)
    passed = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert end.weekday() < 5
    assert sum(one.weekday() < 5 for one in passed) == count


def test_vat_is_what_each_line_contains_and_halves_go_up() -> None:
    lines = [Line(56_700, "6"), Line(6_600, "13"), Line(2_400)]
    assert [(v.percent, v.amount) for v in vat_by_rate(lines)] == [(Decimal(13), 759), (Decimal(6), 3_209)]
    assert [v.amount for v in vat_by_rate([Line(3, "20")])] == [1]  # exactly a half


@given(amounts=st.lists(st.integers(-5_000, 50_000), min_size=1, max_size=5), part=st.integers(0, 10**5))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_the_whole_price_contains_exactly_its_vat_and_nothing_contains_none(amounts: list[int], part: int) -> None:
    lines, total = [Line(amount, "6") for amount in amounts], sum(amounts)
    if total <= 0:
        assert vat_of_part(lines, part, total) == []
        return
    assert vat_of_part(lines, total, total) == vat_by_rate(lines)
    assert [vat.amount for vat in vat_of_part(lines, 0, total)] == [0]
    (some,) = vat_of_part(lines, min(part, total), total)
    assert 0 <= some.amount <= max(0, vat_by_rate(lines)[0].amount)
