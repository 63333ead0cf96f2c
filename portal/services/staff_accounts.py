"""People who work at the hotel: adding them, and whether somebody is who they say."""

from datetime import timedelta

from portal.db import transaction
from portal.deps import Deps
from portal.models import Staff
from portal.services import passwords, throttle
from portal.services.throttle import Limit

ROLES = ("manager", "reception")
WRONG_PASSWORDS_OF_ACCOUNT = Limit("wrong password by account", 10, timedelta(minutes=15))
WRONG_PASSWORDS_OF_ADDRESS = Limit("wrong password by address", 30, timedelta(minutes=15))


def add_staff(deps: Deps, email: str, *, role: str, name: str = "", password: str, must_change: bool = True) -> Staff:
    """Somebody new, who enrols a second factor at the first sign-in."""
    now = deps.now()
    with transaction():
        person: Staff = Staff.create(
            email=email.strip().casefold(),
            name=name,
            role=role,
            password_hash=passwords.hash_password(password),
            password_changed_at=now,
            must_change_password=must_change,
            created_at=now,
        )
    return person


def check_password_again(deps: Deps, person: Staff, password: str, *, address: str) -> bool:
    """Whether somebody who is signed in typed the right password; misses count towards the limits of sign-ins."""
    right = passwords.is_right(person.password_hash, password)
    if not right:
        throttle.hit(deps, WRONG_PASSWORDS_OF_ACCOUNT, person.email)
        throttle.hit(deps, WRONG_PASSWORDS_OF_ADDRESS, throttle.subject_of_address(address))
    return right
