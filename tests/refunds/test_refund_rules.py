"""The rules of giving back, as pure functions: sums, days on a statement, and what news may do to a refund."""

from datetime import date, timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import states
from portal.domain.cancellation_policy import DEFAULT_POLICY, refund_due, refund_target
from portal.domain.refund_sums import Returnable, divide, still_owed
from portal.domain.refund_window import window_from, working_days_after

SUMS = st.integers(0, 10**9)
payments = st.lists(
    st.builds(
        Returnable, payment_id=st.integers(1, 10**6), amount=st.integers(1, 10**7), back=st.integers(0, 2 * 10**7)
    ),
    max_size=6,
    unique_by=lambda payment: payment.payment_id,
)


# Sums


@pytest.mark.parametrize(
    ("paid", "days", "returned", "due"),
    [
        (11_111, 7, 0, 5_555),
        (1, 7, 0, 0),
        (101, 13, 0, 50),
        (112_500, 14, 12_500, 100_000),
        (100, 7, 60, 0),
        (0, 14, 0, 0),
    ],
)
def test_half_a_cent_stays_with_the_hotel_and_what_went_back_counts(
    paid: int, days: int, returned: int, due: int
) -> None:
    today = date(2030, 5, 1)
    assert refund_due(refund_target(DEFAULT_POLICY, today + timedelta(days=days), today, paid), returned) == due


@given(SUMS, st.integers(-400, 400), SUMS)
def test_a_quote_is_never_negative_and_never_more_than_was_paid(paid: int, days: int, returned: int) -> None:
    today = date(2030, 5, 1)
    due = refund_due(refund_target(DEFAULT_POLICY, today + timedelta(days=days), today, paid), returned)
    assert 0 <= due <= paid
    assert due + returned <= max(paid, returned)


@given(st.integers(0, 10**8), payments)
def test_a_sum_is_divided_without_losing_or_making_a_cent(due: int, kept: list[Returnable]) -> None:
    parts = divide(due, kept)
    left = {payment.payment_id: payment.left for payment in kept}
    assert sum(part for _, part in parts) == min(due, sum(left.values()))
    assert all(0 < part <= left[payment] for payment, part in parts)
    order = [payment.payment_id for payment in kept]
    assert [payment for payment, _ in parts] == [payment for payment in order if payment in dict(parts)]


@given(st.integers(1, 10**8), payments)
def test_the_first_payment_gives_all_it_has_before_the_next_is_touched(due: int, kept: list[Returnable]) -> None:
    parts = divide(due, kept)
    left = {payment.payment_id: payment.left for payment in kept}
    assert all(part == left[payment] for payment, part in parts[:-1])


def test_nothing_due_is_divided_into_nothing() -> None:
    assert divide(0, [Returnable(1, 100, 0)]) == []
    assert divide(50, [Returnable(1, 100, 100), Returnable(2, 100, 150)]) == []
    assert divide(150, [Returnable(1, 100, 20), Returnable(2, 100, 0)]) == [(1, 80), (2, 70)]


@given(
    st.sampled_from(["policy", "returned", "staff"]),
    st.integers(1, 10**7),
    st.integers(-(10**7), 10**7),
    st.one_of(st.none(), st.integers(-(10**7), 10**7)),
)
def test_what_is_owed_never_exceeds_what_is_left(kind: str, amount: int, left: int, target_left: int | None) -> None:
    owed = still_owed(kind, amount, left, target_left)
    assert 0 <= owed <= max(0, left)
    if kind != "returned":
        assert owed <= amount
    if kind == "policy" and target_left is not None:
        assert owed <= max(0, target_left)


def test_money_that_may_not_be_kept_goes_back_whole_whatever_the_row_says() -> None:
    assert still_owed("returned", 10, 100, None) == 100
    assert still_owed("staff", 10, 100, None) == 10
    assert still_owed("policy", 60, 100, 40) == 40


# Days on a statement


@pytest.mark.parametrize(
    ("sent", "first", "last"),
    [
        ("2026-11-23", "2026-11-30", "2026-12-07"),  # a Monday
        ("2026-11-27", "2026-12-04", "2026-12-11"),  # a Friday
        ("2026-11-28", "2026-12-04", "2026-12-11"),  # a Saturday
        ("2026-11-29", "2026-12-04", "2026-12-11"),  # a Sunday
        ("2026-12-28", "2027-01-04", "2027-01-11"),  # over New Year
        ("2028-02-28", "2028-03-06", "2028-03-13"),  # over the 29th of February
    ],
)
def test_the_days_that_a_guest_reads(sent: str, first: str, last: str) -> None:
    window = window_from(date.fromisoformat(sent))
    assert (window.first.isoformat(), window.last.isoformat()) == (first, last)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_working_days_are_counted_one_by_one(day: date, count: int) -> None:
    end = working_days_after(day, count)
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(d.weekday() < 5 for d in between) == count
    assert end.weekday() < 5


def test_no_working_day_later_is_the_day_itself() -> None:
    assert working_days_after(date(2026, 11, 28), 0) == date(2026, 11, 28)


# News of refunds and disputes


def after(told: tuple[str, ...], start: str = "todo") -> str:
    state = start
    for news in told:
        if states.refund_may_follow(state, news, fresh=False):
            state = news
    return state


NEWS = ("pending", "requires_action", "succeeded", "failed")


@pytest.mark.parametrize("end", states.ENDED_REFUND)
@pytest.mark.parametrize("start", states.REFUND)
def test_any_order_of_any_news_of_a_refund_ends_the_same(start: str, end: str) -> None:
    """A refund ends in one way: Stripe never says of the same one that it failed and was canceled."""
    words = ("pending", "requires_action", "succeeded", end)
    for length in range(1, len(words) + 1):
        for told in {tuple(sorted(chosen)) for chosen in product(words, repeat=length)}:
            assert len({after(order, start) for order in permutations(told)}) == 1, told


@given(st.lists(st.sampled_from(NEWS), max_size=8), st.sampled_from(sorted(states.REFUND)))
def test_hearing_it_twice_changes_nothing(told: list[str], start: str) -> None:
    once = after(tuple(told), start)
    assert after((*told, *told), start) == once
    assert after(tuple(news for news in told for _ in range(2)), start) == once


def test_what_failed_or_was_canceled_stays_so() -> None:
    for old, new, fresh in product(states.ENDED_REFUND, states.REFUND, (True, False)):
        assert not states.refund_may_follow(old, new, fresh=fresh)


def test_a_refund_that_succeeded_can_only_be_undone() -> None:
    for fresh in (True, False):
        assert {new for new in states.REFUND if states.refund_may_follow("succeeded", new, fresh=fresh)} == {
            "failed",
            "canceled",
        }


WORDS = sorted(states.DISPUTE_RANK)


@pytest.mark.parametrize("end", states.ENDED_DISPUTE)
def test_any_order_of_any_news_of_a_dispute_ends_the_same(end: str) -> None:
    words = (*(word for word in WORDS if word not in states.ENDED_DISPUTE), end)
    for order in permutations(words):
        state = order[0]
        for news in order[1:]:
            state = news if states.dispute_may_follow(state, news, fresh=False) else state
        assert state == end


def test_only_stripes_fresh_word_takes_a_dispute_back_and_never_out_of_its_end() -> None:
    for old, new in product(WORDS, WORDS):
        fresh = states.dispute_may_follow(old, new, fresh=True)
        assert fresh == (old not in states.ENDED_DISPUTE and old != new)
        assert fresh or not states.dispute_may_follow(old, new, fresh=False)
    assert states.dispute_may_follow("needs_response", "a word that Stripe will invent", fresh=True)
