"""What becomes of money that Stripe says it took."""

from datetime import date
from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """Keep the money, keep it if the nights are still free, or send it back, and why."""

    KEEP = "keep"
    KEEP_IF_FREE = "keep if the nights are free"
    WRONG_AMOUNT = "wrong amount"
    SECOND_PAYMENT = "second payment"
    AFTER_CANCELLATION = "paid after cancellation"
    TOO_LATE = "paid too late"
    ALREADY_RETURNED = "already refunded at Stripe"


class Money(NamedTuple):
    """What arrived, in minor units of `currency`, and what of it Stripe has already given back."""

    amount: int
    currency: str
    refunded: int = 0


class Standing(NamedTuple):
    """The reservation when the money arrives. `today` and `check_in` are dates in the hotel's zone."""

    status: str
    total: int
    paid: int
    currency: str
    check_in: date
    today: date


def judge(standing: Standing, asked_for: int, money: Money) -> Verdict:
    """Money is kept only if it is exactly what was asked for and exactly what is still due."""
    if money.amount != asked_for or money.currency != standing.currency:
        return Verdict.WRONG_AMOUNT
    if money.refunded >= money.amount:
        return Verdict.ALREADY_RETURNED
    if standing.status == "cancelled":
        return Verdict.AFTER_CANCELLATION
    if standing.paid and standing.paid + money.amount > standing.total:
        return Verdict.SECOND_PAYMENT
    if standing.paid + money.amount != standing.total:
        return Verdict.WRONG_AMOUNT  # the price changed after the session was made; part sums come from staff alone
    if standing.status == "pending":
        return Verdict.KEEP
    if standing.status == "expired" and standing.today <= standing.check_in:
        return Verdict.KEEP_IF_FREE
    return Verdict.TOO_LATE
