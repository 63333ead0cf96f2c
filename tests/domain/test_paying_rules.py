"""Who may pay, how often, and what becomes of money that arrives."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain import attempts, money
from portal.domain.holds import MayNotPay, may_not_pay
from portal.domain.settlement import Money, Standing, Verdict, judge

NOW = datetime(2026, 11, 23, 18, 42, tzinfo=UTC)
PAYABLE = {
    "status": "pending",
    "amount_due": 100,
    "hold_until": NOW + timedelta(seconds=1),
    "now": NOW,
    "tried": 0,
    "sessions": 0,
    "extra_attempts": 0,
}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"hold_until": NOW}, MayNotPay.HOLD_OVER),
        ({"hold_until": NOW - timedelta(days=1)}, MayNotPay.HOLD_OVER),
        ({"amount_due": 0}, MayNotPay.NOTHING_DUE),
        ({"status": "confirmed"}, MayNotPay.NOT_PENDING),
        ({"status": "cancelled"}, MayNotPay.NOT_PENDING),
        ({"status": "expired"}, MayNotPay.NOT_PENDING),
        ({"tried": 2}, None),
        ({"tried": 3}, MayNotPay.ATTEMPTS_USED_UP),
        ({"tried": 3, "extra_attempts": 1}, None),
        ({"tried": 4, "extra_attempts": 1}, MayNotPay.ATTEMPTS_USED_UP),
        ({"sessions": 9}, None),
        ({"sessions": 10}, MayNotPay.SESSIONS_USED_UP),
        ({"sessions": 10, "extra_attempts": 1}, None),
        ({"sessions": 20, "extra_attempts": 1}, MayNotPay.SESSIONS_USED_UP),
        ({"tried": 3, "hold_until": NOW}, MayNotPay.HOLD_OVER),
    ],
)
def test_who_may_start_a_payment(changes: dict[str, object], why: MayNotPay | None) -> None:
    assert may_not_pay(**{**PAYABLE, **changes}) is why  # type: ignore[arg-type]


REASONS = (
    ({"status": "expired"}, MayNotPay.NOT_PENDING),
    ({"amount_due": 0}, MayNotPay.NOTHING_DUE),
    ({"hold_until": NOW}, MayNotPay.HOLD_OVER),
    ({"tried": 3}, MayNotPay.ATTEMPTS_USED_UP),
    ({"sessions": 10}, MayNotPay.SESSIONS_USED_UP),
)


@pytest.mark.parametrize("first", range(len(REASONS)))
def test_of_several_reasons_the_one_that_matters_most_is_told(first: int) -> None:
    changes = {name: value for reason, _ in REASONS[first:] for name, value in reason.items()}
    assert may_not_pay(**{**PAYABLE, **changes}) is REASONS[first][1]  # type: ignore[arg-type]


@pytest.mark.parametrize(("microseconds", "over"), [(-1, True), (0, True), (1, False)])
def test_at_the_very_instant_the_hold_is_over(microseconds: int, over: bool) -> None:
    why = may_not_pay(**{**PAYABLE, "hold_until": NOW + timedelta(microseconds=microseconds)})  # type: ignore[arg-type]
    assert (why is MayNotPay.HOLD_OVER) == over


@pytest.mark.parametrize(
    ("sessions", "extra", "over"), [(9, 0, False), (10, 0, True), (11, 0, True), (19, 1, False), (20, 1, True)]
)
def test_how_many_sessions_stripe_makes(sessions: int, extra: int, over: bool) -> None:
    assert attempts.sessions_used_up(sessions, extra) == over


@pytest.mark.parametrize(("tried", "extra", "left"), [(0, 0, 3), (1, 0, 2), (3, 0, 0), (4, 0, 0), (3, 2, 2)])
def test_attempts_left(tried: int, extra: int, left: int) -> None:
    assert attempts.attempts_left(tried, extra) == left


CHECK_IN = date(2026, 12, 18)


def stay(**changes: object) -> Standing:
    values = {
        "status": "pending",
        "total": 1000,
        "paid": 0,
        "currency": "EUR",
        "check_in": CHECK_IN,
        "today": date(2026, 12, 1),
    }
    return Standing(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("standing", "asked", "arrived", "verdict"),
    [
        (stay(), 1000, Money(1000, "EUR"), Verdict.KEEP),
        (stay(paid=400), 600, Money(600, "EUR"), Verdict.KEEP),
        (stay(), 1000, Money(1000, "EUR", refunded=1), Verdict.KEEP),
        (stay(), 1000, Money(1000, "EUR", refunded=1000), Verdict.ALREADY_RETURNED),
        (stay(), 1000, Money(999, "EUR"), Verdict.WRONG_AMOUNT),
        (stay(), 1000, Money(1001, "EUR"), Verdict.WRONG_AMOUNT),
        (stay(), 1000, Money(1000, "USD"), Verdict.WRONG_AMOUNT),
        (stay(total=1200), 1000, Money(1000, "EUR"), Verdict.WRONG_AMOUNT),
        (stay(total=800), 1000, Money(1000, "EUR"), Verdict.WRONG_AMOUNT),
        (stay(paid=1000, status="confirmed"), 1000, Money(1000, "EUR"), Verdict.SECOND_PAYMENT),
        (stay(paid=500), 1000, Money(1000, "EUR"), Verdict.SECOND_PAYMENT),
        (stay(status="cancelled"), 1000, Money(1000, "EUR"), Verdict.AFTER_CANCELLATION),
        (stay(status="cancelled", paid=1000), 1000, Money(1000, "EUR"), Verdict.AFTER_CANCELLATION),
        (stay(status="expired"), 1000, Money(1000, "EUR"), Verdict.KEEP_IF_FREE),
        (stay(status="expired", today=CHECK_IN), 1000, Money(1000, "EUR"), Verdict.KEEP_IF_FREE),
        (stay(status="expired", today=CHECK_IN + timedelta(days=1)), 1000, Money(1000, "EUR"), Verdict.TOO_LATE),
    ],
)
def test_what_becomes_of_money_that_arrives(standing: Standing, asked: int, arrived: Money, verdict: Verdict) -> None:
    assert judge(standing, asked, arrived) is verdict


@given(
    status=st.sampled_from(["pending", "confirmed", "cancelled", "expired"]),
    total=st.integers(0, 40),
    paid=st.integers(0, 40),
    asked=st.integers(1, 40),
    arrived=st.integers(1, 40),
    refunded=st.integers(0, 40),
    currency=st.sampled_from(["EUR", "USD"]),
    late=st.booleans(),
)
@settings(max_examples=500, derandomize=True, deadline=None)
def test_money_is_kept_only_if_it_is_what_was_asked_for_and_what_is_due(
    status: str, total: int, paid: int, asked: int, arrived: int, refunded: int, currency: str, late: bool
) -> None:
    standing = stay(
        status=status, total=total, paid=min(paid, total), today=CHECK_IN + timedelta(days=1) if late else CHECK_IN
    )
    verdict = judge(standing, asked, Money(arrived, currency, refunded))
    exact = arrived == asked == total - standing.paid and currency == "EUR" and refunded < arrived
    assert (verdict is Verdict.KEEP) == (exact and status == "pending")
    assert (verdict is Verdict.KEEP_IF_FREE) == (exact and status == "expired" and not late)


@pytest.mark.parametrize("currency", sorted(money.CURRENCY_EXPONENTS))
def test_every_currency_has_its_decimals_and_its_least_sum(currency: str) -> None:
    least = money.STRIPE_MINIMUM[currency]
    assert set(money.CURRENCY_EXPONENTS) == set(money.STRIPE_MINIMUM)
    sums = [
        (least - 1, False),
        (least, True),
        (0, True),
        (money.STRIPE_MAXIMUM, True),
        (money.STRIPE_MAXIMUM + 1, False),
    ]
    assert [money.may_be_charged(amount, currency) for amount, _ in sums] == [fine for _, fine in sums]


@pytest.mark.parametrize(
    ("amount", "currency", "fine"),
    [(0, "EUR", True), (1, "EUR", False), (49, "EUR", False), (50, "EUR", True), (99_999_999, "EUR", True),
     (100_000_000, "EUR", False), (-50, "EUR", False), (49, "JPY", False), (50, "JPY", True)],
)  # fmt: skip
def test_which_sums_can_be_asked_for(amount: int, currency: str, fine: bool) -> None:
    assert money.may_be_charged(amount, currency) is fine


def test_a_currency_that_the_portal_does_not_know_cannot_be_charged() -> None:
    with pytest.raises(KeyError):
        money.may_be_charged(1000, "ISK")
    assert (money.exponent("JPY"), money.exponent("EUR")) == (0, 2)
