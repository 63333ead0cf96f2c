"""Names that others see: random, so that a fresh or restored database never repeats one."""

import secrets

from portal.domain.guest_match import CODE_LENGTH, CODE_LETTERS


def new_code() -> str:
    """A reservation's code: 60 bits, so that guessing one is hopeless."""
    return _letters(CODE_LENGTH)


def new_payment_id() -> str:
    return f"PAY-{_letters(16)}"


def new_refund_id() -> str:
    return f"REF-{_letters(16)}"


def new_installation() -> str:
    return secrets.token_hex(8)


def _letters(count: int) -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(count))
