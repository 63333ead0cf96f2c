"""The policy as a table: days are calendar dates at the hotel, sums are rounded down."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.cancellation_policy import (
    DEFAULT_POLICY,
    Policy,
    Tier,
    percent_on,
    refund_due,
    refund_target,
    tier_on,
    time_line,
)
from portal.domain.hotel_time import hotel_date

CHECK_IN = date(2026, 12, 18)


@pytest.mark.parametrize(
    ("days", "percent"),
    [(15, 100), (14, 100), (13, 50), (10, 50), (7, 50), (6, 0), (1, 0), (0, 0), (-1, 0), (-400, 0), (400, 100)],
)
def test_what_comes_back_so_many_days_before_check_in(days: int, percent: int) -> None:
    assert percent_on(DEFAULT_POLICY, CHECK_IN, CHECK_IN - timedelta(days=days)) == percent


@pytest.mark.parametrize(
    ("paid", "returned", "days", "refund"),
    [
        (11_111, 0, 10, 5_555),
        (101, 0, 7, 50),
        (1, 0, 10, 0),
        (0, 0, 20, 0),
        (11_111, 0, 14, 11_111),
        (11_111, 0, 6, 0),
        (10_000, 2_000, 14, 8_000),
        (10_000, 2_000, 7, 3_000),
        (10_000, 6_000, 7, 0),
        (10_000, 10_000, 14, 0),
        (10_000, 2_000, 3, 0),
    ],
)
def test_the_refund_is_the_tiers_share_less_what_went_back(paid: int, returned: int, days: int, refund: int) -> None:
    assert (
        refund_due(refund_target(DEFAULT_POLICY, CHECK_IN, CHECK_IN - timedelta(days=days), paid), returned) == refund
    )


@given(paid=st.integers(0, 10**8), returned=st.integers(0, 10**8), days=st.integers(-30, 60))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_a_refund_is_never_negative_and_never_more_than_was_paid(paid: int, returned: int, days: int) -> None:
    refund = refund_due(refund_target(DEFAULT_POLICY, CHECK_IN, CHECK_IN - timedelta(days=days), paid), returned)
    assert 0 <= refund <= paid
    later = refund_due(refund_target(DEFAULT_POLICY, CHECK_IN, CHECK_IN - timedelta(days=days - 1), paid), returned)
    assert later <= refund


@pytest.mark.parametrize(
    "zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "Europe/Lisbon", "Australia/Lord_Howe", "UTC"]
)
@pytest.mark.parametrize(("days", "before", "after"), [(14, 100, 50), (7, 50, 0)])
@pytest.mark.parametrize("check_in", [date(2027, 4, 4), date(2028, 3, 7), date(2027, 1, 3), date(2026, 11, 3)])
def test_a_tier_ends_at_midnight_at_the_hotel(zone: str, days: int, before: int, after: int, check_in: date) -> None:
    """Whatever the clocks do around it: leap days, summer time, half-hour shifts."""
    next_day = check_in - timedelta(days=days - 1)
    midnight = datetime(next_day.year, next_day.month, next_day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for seconds, percent in ((-1, before), (0, after), (1, after)):
        today = hotel_date(midnight + timedelta(seconds=seconds), zone)
        assert percent_on(DEFAULT_POLICY, check_in, today) == percent


def test_the_time_line_names_the_last_date_of_each_tier() -> None:
    steps = time_line(DEFAULT_POLICY, CHECK_IN, date(2026, 12, 5), 65_700)
    assert [(s.percent, s.amount, s.first_date, s.last_date) for s in steps] == [
        (100, 65_700, None, date(2026, 12, 4)),
        (50, 32_850, date(2026, 12, 5), date(2026, 12, 11)),
        (0, 0, date(2026, 12, 12), None),
    ]
    assert [(s.is_past, s.is_today) for s in steps] == [(True, False), (False, True), (False, False)]


@given(today=st.dates(date(2026, 10, 1), date(2027, 2, 1)))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_exactly_one_step_is_today_and_it_says_what_the_rule_says(today: date) -> None:
    (step,) = [s for s in time_line(DEFAULT_POLICY, CHECK_IN, today, 10_000) if s.is_today]
    assert step.percent == percent_on(DEFAULT_POLICY, CHECK_IN, today)


@pytest.mark.parametrize(
    "pairs",
    [
        [[7, 50], [14, 100]],
        [[14, 100], [14, 50]],
        [[14, 50], [7, 100]],
        [[14, 100], [7, 100]],
        [[14, 101]],
        [[14, 0]],
        [[-1, 50]],
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(pairs: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="tiers"):
        Policy.from_pairs(pairs)


@given(
    days=st.lists(st.integers(0, 400), max_size=5, unique=True),
    percents=st.lists(st.integers(1, 100), min_size=5, max_size=5, unique=True),
)
@settings(max_examples=100, derandomize=True, deadline=None)
def test_a_policy_is_stored_and_read_again_unchanged(days: list[int], percents: list[int]) -> None:
    tiers = tuple(map(Tier, sorted(days, reverse=True), sorted(percents, reverse=True)))
    policy = Policy(tiers)
    assert Policy.from_pairs(policy.as_pairs()) == policy
    for better, worse in pairwise(range(401, -2, -1)):
        first, second = (percent_on(policy, CHECK_IN, CHECK_IN - timedelta(days=n)) for n in (better, worse))
        assert first >= second


def test_without_tiers_nothing_ever_comes_back() -> None:
    assert tier_on(Policy(()), CHECK_IN, date(2020, 1, 1)) is None
    (step,) = time_line(Policy(()), CHECK_IN, date(2026, 1, 1), 500)
    assert (step.percent, step.is_today, step.first_date, step.last_date) == (0, True, None, None)
