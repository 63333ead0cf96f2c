"""Numbers of payment cards: the portal has no use for one, so none that somebody types is kept."""

import re

_DIGITS = re.compile(r"(?<![\w+])(?<!\d[ -])[2-6](?:[ -]?[0-9]){13,18}(?![ -]?[0-9])")
"""14 to 19 digits, in groups or not (ISO/IEC 7812); not a telephone number with its +, nor a part of a longer one."""


def has_card_number(text: str) -> bool:
    """Whether a part of it could be one: its length, how it begins, and its check digit."""
    return any(_checks(found.group()) for found in _DIGITS.finditer(text))


def hide_card_numbers(text: str) -> str:
    """With nothing left of each but its last four digits, as receipts show it."""
    return _DIGITS.sub(lambda found: f"•••• {found.group()[-4:]}" if _checks(found.group()) else found.group(), text)


def _checks(number: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1, annex B)."""
    digits = [int(letter) for letter in number if letter.isdigit()][::-1]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + doubled) % 10 == 0
