"""Ids shaped like Stripe's, so that logs and prefixes read the same."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def fresh(prefix: str, length: int = 24) -> str:
    """A new random id such as `pi_3...`; never repeats."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))
