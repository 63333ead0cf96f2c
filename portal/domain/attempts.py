"""How often a guest may try to pay."""

MAX_ATTEMPTS = 3

MAX_SESSIONS = 10
"""Checkout sessions that Stripe makes for one reservation: walking away costs no attempt, something has to end it."""


def attempts_allowed(extra_attempts: int) -> int:
    """Declined or failed payments after which the guest has to talk to the hotel; staff may grant more."""
    return MAX_ATTEMPTS + extra_attempts


def attempts_left(attempts: int, extra_attempts: int) -> int:
    return max(0, attempts_allowed(extra_attempts) - attempts)


def sessions_used_up(sessions: int, extra_attempts: int) -> bool:
    """A grant of attempts raises this limit too, or it would help nobody."""
    return sessions >= MAX_SESSIONS * (1 + extra_attempts)
