"""Passwords of staff: argon2id, and the same time for people who do not exist."""

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal import turns

SHORTEST = 12
LONGEST = 200

hasher = PasswordHasher()
"""RFC 9106's second recommendation (64 MiB). Tests put a cheaper one in its place."""


def hash_password(password: str) -> str:
    with turns.paused():  # a tenth of a second of sums, for which Python is not needed
        return hasher.hash(password)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one; None as the hash takes as long and is never right."""
    known = password_hash is not None
    try:
        with turns.paused():
            return hasher.verify(password_hash if password_hash is not None else _nobodys_hash(), password) and known
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether it was hashed with other costs than today's, and should be hashed again at the next sign-in."""
    return hasher.check_needs_rehash(password_hash)


def problem(password: str, *, email: str) -> str | None:
    """Why a new password is refused, for the form; None when it is good. NIST SP 800-63B: length, no composition."""
    if len(password) < SHORTEST:
        return "too_short"
    if len(password) > LONGEST:
        return "too_long"
    if len(set(password)) < 5 or password.casefold() in (email.casefold(), email.split("@", maxsplit=1)[0].casefold()):
        return "too_easy"
    return None


def new_password() -> str:
    """A first password to be printed and changed: five groups of four letters, 95 bits or more."""
    return _groups(5)


def new_recovery_code() -> str:
    """Four groups of four letters, 79 bits: nobody finds it from its hash."""
    return _groups(4)


def new_token() -> str:
    """256 bits in letters that an address can hold."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """As tables keep what was given out once. Plain SHA-256 is enough: nobody finds 79 bits or more by guessing."""
    return hashlib.sha256(token.encode()).hexdigest()


def _groups(many: int) -> str:
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(many))


_nobody: dict[PasswordHasher, str] = {}


def _nobodys_hash() -> str:
    """A hash of the same cost as everybody's, made once."""
    if hasher not in _nobody:
        _nobody[hasher] = hasher.hash(secrets.token_hex(16))
    return _nobody[hasher]
