"""Where a guest stands: one table for every page."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.situation import PaymentFacts, Situation, StayFacts, situation_of

NOW = datetime(2026, 11, 23, 18, 42, tzinfo=UTC)
RUNNING, OVER = NOW + timedelta(hours=1), NOW


def stay(
    status: str = "pending", hold_until: datetime = RUNNING, tried: int = 0, sessions: int = 1, due: int = 100
) -> StayFacts:
    return StayFacts(status, due, hold_until, 0, tried, sessions)


def payment(status: str, *, declined: bool = False, disposition: str | None = None, made: bool = True) -> PaymentFacts:
    return PaymentFacts(status, disposition, declined, made)


CASH = PaymentFacts("succeeded", "kept", False, False, by_card=False)
KEPT, RETURNED = payment("succeeded", disposition="kept"), payment("succeeded", disposition="returned")


@pytest.mark.parametrize(
    ("facts", "payments", "situation"),
    [
        (stay(), [], Situation.AWAITING_PAYMENT),
        (stay(), [payment("creating", made=False)], Situation.AWAITING_PAYMENT),
        (stay(), [payment("failed", made=False)], Situation.AWAITING_PAYMENT),
        (stay(), [payment("open")], Situation.LEFT_WITHOUT_PAYING),
        (stay(tried=1), [payment("open", declined=True)], Situation.DECLINED),
        (stay(tried=1), [payment("expired", declined=True)], Situation.DECLINED),
        (stay(tried=1), [payment("expired", declined=True), payment("open")], Situation.LEFT_WITHOUT_PAYING),
        (stay(), [payment("expired")], Situation.SESSION_OVER),
        (stay(tried=1), [payment("failed")], Situation.FAILED_LATER),
        (stay(), [payment("processing")], Situation.CHECKING),
        (stay(hold_until=OVER), [payment("processing")], Situation.CHECKING),
        (stay(status="cancelled"), [payment("processing")], Situation.CHECKING),
        (stay(tried=3), [payment("open", declined=True)], Situation.ATTEMPTS_USED_UP),
        (stay(sessions=10), [payment("expired")], Situation.ATTEMPTS_USED_UP),
        (stay(hold_until=OVER), [], Situation.HOLD_OVER),
        (stay(hold_until=OVER), [payment("expired")], Situation.HOLD_OVER),
        (stay(hold_until=OVER), [payment("open")], Situation.LEFT_WITHOUT_PAYING),
        (stay(status="expired", hold_until=OVER), [payment("expired")], Situation.HOLD_OVER),
        (stay(status="expired", hold_until=OVER), [RETURNED], Situation.MONEY_GOES_BACK),
        (stay(), [RETURNED], Situation.MONEY_GOES_BACK),
        (stay(status="cancelled"), [RETURNED], Situation.MONEY_GOES_BACK),
        (stay(status="cancelled"), [], Situation.CANCELLED),
        (stay(status="cancelled", due=0), [KEPT], Situation.CANCELLED),
        (stay(status="confirmed", due=0), [KEPT], Situation.CONFIRMED),
        (stay(status="confirmed", due=0), [KEPT, RETURNED], Situation.CONFIRMED),
        (stay(status="confirmed", due=0), [], Situation.CONFIRMED),
        (stay(due=0), [], Situation.AWAITING_PAYMENT),
        (stay(hold_until=OVER, tried=3), [payment("open", declined=True)], Situation.DECLINED),
        (stay(tried=1), [payment("failed", declined=True)], Situation.DECLINED),
        (stay(), [payment("expired"), payment("creating", made=False)], Situation.SESSION_OVER),
        (stay(), [payment("expired"), payment("failed", made=False)], Situation.SESSION_OVER),
        (stay(), [RETURNED, payment("open")], Situation.LEFT_WITHOUT_PAYING),
        (stay(), [RETURNED, payment("creating", made=False)], Situation.MONEY_GOES_BACK),
        (stay(), [CASH], Situation.AWAITING_PAYMENT),
        (stay(tried=1), [payment("open", declined=True), CASH], Situation.DECLINED),
        (stay(hold_until=OVER), [payment("creating", made=False)], Situation.AWAITING_PAYMENT),
        (stay(status="expired", hold_until=OVER), [payment("open")], Situation.HOLD_OVER),
    ],
)
def test_where_a_guest_stands(facts: StayFacts, payments: list[PaymentFacts], situation: Situation) -> None:
    assert situation_of(facts, payments, NOW) is situation


STATES = ["creating", "open", "processing", "failed", "expired", "succeeded"]


@given(
    status=st.sampled_from(["pending", "confirmed", "cancelled", "expired"]),
    states=st.lists(st.tuples(st.sampled_from(STATES), st.booleans(), st.booleans()), max_size=4),
    over=st.booleans(),
    tried=st.integers(0, 4),
    sessions=st.integers(0, 11),
)
@settings(max_examples=400, derandomize=True, deadline=None)
def test_whatever_happened_a_guest_never_reads_that_money_is_missing_which_came(
    status: str, states: list[tuple[str, bool, bool]], over: bool, tried: int, sessions: int
) -> None:
    payments = [
        payment(s, declined=d, made=m, disposition="returned" if s == "succeeded" else None) for s, d, m in states
    ]
    where = situation_of(stay(status, OVER if over else RUNNING, tried, sessions), payments, NOW)
    assert (where is Situation.CONFIRMED) == (status == "confirmed")
    live = [p for p in payments if p.status in ("creating", "open", "processing")]
    if status != "confirmed" and live and live[0].status == "processing":
        assert where is Situation.CHECKING
    elif status != "confirmed" and payments and payments[-1].disposition == "returned":
        assert where is Situation.MONEY_GOES_BACK
    elif status == "cancelled":
        assert where in (Situation.CANCELLED, Situation.MONEY_GOES_BACK)
