"""How long a room waits for its money, and whether a guest may pay now."""

from datetime import datetime, timedelta
from enum import Enum

from portal.domain import attempts

HOLD = timedelta(hours=24)

SESSION_LIFE = timedelta(minutes=35)
"""Stripe's floor for a checkout session is 30 minutes; five more for clocks, latency and a repeated call."""

GIVE_UP_CREATING = timedelta(minutes=10)
"""A call that left us may still arrive at Stripe; after this long a session that cannot be found was never made."""

KEY_IS_REMEMBERED = timedelta(hours=23)
"""Stripe keeps idempotency keys for at least 24 hours; an hour less for clocks."""


class MayNotPay(Enum):
    """Why no new payment may be started."""

    NOTHING_DUE = "nothing due"
    NOT_PENDING = "not pending"
    HOLD_OVER = "hold over"
    ATTEMPTS_USED_UP = "attempts used up"
    SESSIONS_USED_UP = "sessions used up"


def may_not_pay(
    *, status: str, amount_due: int, hold_until: datetime, now: datetime, tried: int, sessions: int, extra_attempts: int
) -> MayNotPay | None:
    """Why a new payment is refused, or None when it may start. At the very instant of `hold_until` the hold is over."""
    if status != "pending":
        return MayNotPay.NOT_PENDING
    if amount_due == 0:
        return MayNotPay.NOTHING_DUE
    if now >= hold_until:
        return MayNotPay.HOLD_OVER
    if attempts.attempts_left(tried, extra_attempts) == 0:
        return MayNotPay.ATTEMPTS_USED_UP
    if attempts.sessions_used_up(sessions, extra_attempts):
        return MayNotPay.SESSIONS_USED_UP
    return None
