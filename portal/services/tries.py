"""Guessing at sign-ins: every try is counted before it is looked at, so that no burst slips through."""

from datetime import timedelta

from portal import errors
from portal.db import transaction
from portal.deps import Deps
from portal.errors import Refusal
from portal.services import throttle
from portal.services.throttle import Limit

PASSWORDS_OF_ACCOUNT = Limit("wrong password by account", 10, timedelta(minutes=15))
CODES_OF_ACCOUNT = Limit("wrong code by account", 5, timedelta(minutes=15))
MISSES_OF_ADDRESS = Limit("wrong password by address", 30, timedelta(minutes=15))
RESETS_OF_ADDRESS = Limit("password reset by address", 5, timedelta(minutes=15))
RESETS_OF_ACCOUNT = Limit("password reset by account", 3, timedelta(hours=1))

Counted = tuple[tuple[Limit, str], ...]


def count_password(deps: Deps, email: str, address: str) -> Counted:
    """Refusal TOO_MANY_SIGN_INS past the limits, also for the right password."""
    return _count(deps, PASSWORDS_OF_ACCOUNT, email, address)


def count_code(deps: Deps, staff_id: int, address: str) -> Counted:
    """The same for a code of the second factor."""
    return _count(deps, CODES_OF_ACCOUNT, str(staff_id), address)


def forgive(deps: Deps, counted: Counted) -> None:
    """It was right: it does not count."""
    for limit, subject in counted:
        throttle.take_back(deps, limit, subject)


def _count(deps: Deps, limit: Limit, subject: str, address: str) -> Counted:
    counted = ((limit, subject), (MISSES_OF_ADDRESS, throttle.subject_of_address(address)))
    with transaction():
        within = [throttle.hit_inside(deps, limit, subject) for limit, subject in counted]
    if not all(within):
        raise Refusal(errors.TOO_MANY_SIGN_INS)
    return counted
