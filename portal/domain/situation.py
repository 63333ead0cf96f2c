"""Where a guest stands with the money of a stay: the one answer that every page words in its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from portal.domain import holds
from portal.domain.holds import MayNotPay


class Situation(Enum):
    """What is true, whatever address the guest came by."""

    AWAITING_PAYMENT = "awaiting_payment"
    LEFT_WITHOUT_PAYING = "left_without_paying"
    SESSION_OVER = "session_over"
    DECLINED = "declined"
    FAILED_LATER = "failed_later"
    ATTEMPTS_USED_UP = "attempts_used_up"
    CHECKING = "checking"
    CONFIRMED = "confirmed"
    HOLD_OVER = "hold_over"
    MONEY_GOES_BACK = "money_goes_back"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class PaymentFacts:
    """Of one payment: its state, and whether a card was declined in it. The newest comes last in a list of them."""

    status: str
    disposition: str | None
    is_declined: bool
    was_made: bool
    """Whether Stripe ever made its session."""
    by_card: bool = True


@dataclass(frozen=True)
class StayFacts:
    """Of the reservation. `tried` counts declined or failed payments, `sessions` those that Stripe made."""

    status: str
    amount_due: int
    hold_until: datetime
    extra_attempts: int
    tried: int
    sessions: int


def situation_of(stay: StayFacts, payments: Sequence[PaymentFacts], now: datetime) -> Situation:
    """The newest payment decides, once the reservation's own state has been looked at."""
    live = next((p for p in payments if p.status in ("creating", "open", "processing")), None)
    if stay.status == "confirmed":
        return Situation.CONFIRMED
    if live and live.status == "processing":
        return Situation.CHECKING
    tries = [p for p in payments if p.by_card and (p.was_made or p.disposition)]
    if tries and tries[-1].disposition == "returned":
        return Situation.MONEY_GOES_BACK
    if stay.status == "cancelled":
        return Situation.CANCELLED
    refusal = why_not_pay(stay, now)
    if stay.status == "expired" or (refusal is MayNotPay.HOLD_OVER and live is None):
        return Situation.HOLD_OVER
    if refusal in (MayNotPay.ATTEMPTS_USED_UP, MayNotPay.SESSIONS_USED_UP):
        return Situation.ATTEMPTS_USED_UP
    return _of_newest(tries[-1]) if tries else Situation.AWAITING_PAYMENT


def why_not_pay(stay: StayFacts, now: datetime) -> MayNotPay | None:
    """Why no new payment may be started, or None."""
    return holds.may_not_pay(
        status=stay.status,
        amount_due=stay.amount_due,
        hold_until=stay.hold_until,
        now=now,
        tried=stay.tried,
        sessions=stay.sessions,
        extra_attempts=stay.extra_attempts,
    )


def _of_newest(payment: PaymentFacts) -> Situation:
    if payment.is_declined:
        return Situation.DECLINED
    if payment.status == "failed":
        return Situation.FAILED_LATER
    return Situation.SESSION_OVER if payment.status == "expired" else Situation.LEFT_WITHOUT_PAYING
