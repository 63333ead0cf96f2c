"""When money that was sent back shows on a statement."""

from dataclasses import dataclass
from datetime import date, timedelta

FIRST_WORKING_DAYS = 5
LAST_WORKING_DAYS = 10
"""Banks take 5 to 10 business days to show a refund (docs.stripe.com/refunds)."""


@dataclass(frozen=True)
class RefundWindow:
    """The first and the last day on which a guest can expect to see it."""

    first: date
    last: date


def window_from(sent: date) -> RefundWindow:
    """Counted from the day it was sent; Saturdays and Sundays are no working days, holidays are not known here."""
    return RefundWindow(working_days_after(sent, FIRST_WORKING_DAYS), working_days_after(sent, LAST_WORKING_DAYS))


def working_days_after(day: date, count: int) -> date:
    """The date `count` working days later."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day
