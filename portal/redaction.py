"""The last net under the logs: what looks like a secret, a person or a card is taken out of everything that is written.

Nothing relies on it: no line is meant to carry such things. It is for the text of a fault that nobody foresaw."""

import re
from functools import lru_cache
from typing import Any

REMOVED = "[removed]"
DEEPEST = 6
LONGEST = 20_000
"""Characters of one value that are looked at and written; a text that is longer is cut."""
SHORT = 60

_PRIVATE_FIELD = re.compile(
    r"(?:^|_|-)(?:password|passwd|token|secret|e?mail_address|email|name|phone|recipient|cookie|authorization|api_key|signature)s?$",
    re.IGNORECASE,
)
_PATTERNS = (
    (re.compile(r"(?<![A-Za-z0-9])(?:sk|rk|whsec)_[A-Za-z0-9_*.]+"), REMOVED),
    (re.compile(r"(?<![A-Za-z0-9])portal_[A-Za-z0-9_-]{16,}"), REMOVED),
    (re.compile(r"\bbearer\s+[^\s\"',;]+", re.IGNORECASE), f"Bearer {REMOVED}"),
    (re.compile(r"/l/(?!<)[^\s\"'<>?#)]+"), f"/l/{REMOVED}"),
    (re.compile(r"://[^/\s@\"']{1,300}@"), f"://{REMOVED}@"),
    (re.compile(r"(?:[^\s@<>\"'(),:;=\[\]/\\]{1,64}|[<>\"'(),:;=\[\]/\\])@[\w-]{1,63}(?:\.[\w-]{1,63})*"), REMOVED),
)
_MAYBE = re.compile(
    r"(?:sk|rk|whsec|portal)_|bearer|/l/|@|[0-9](?:[ -]?[0-9]){12}|[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]",
    re.IGNORECASE,
)
"""A text without any of these has nothing in it that the patterns would remove: most have none, and lines are many."""
_NAME = re.compile(r"[0-9]{0,12}[A-Za-z_][A-Za-z0-9_]*(?:-[0-9]{0,12}[A-Za-z_][A-Za-z0-9_]*)*")
"""How ids and codes look. Such a text can only be a key: addresses, links and "bearer" need other signs, and nowhere
in it do thirteen digits of a card follow each other without a letter before them."""
_KEY = re.compile(r"sk_|rk_|whsec_|portal_")
_CARD = re.compile(r"(?<![0-9A-Za-z_])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
_SHORTEST_CARD = 10**12
_LONGEST_NUMBER = 10**100
"""Python refuses to write numbers of thousands of digits."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def clean_event(_logger: Any, _method: str, event: Any) -> Any:
    """For structlog, just before a line is rendered: every value of it without what is private, on one line.

    A traceback keeps its lines; each but the first begins with a bar, so that none can pass for a line of the log."""
    cleaned = {_name(name): _field(name, value) for name, value in event.items()}
    if isinstance(event.get("exception"), str):
        text = clean_text(event["exception"])
        cleaned["exception"] = "\n    | ".join(_one_line(line) for line in text.split("\n"))
    return cleaned


def clean(value: Any, depth: int = 0) -> Any:
    """A value without what is private: texts, and all that lists and dictionaries hold. Numbers stay numbers."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if _is_harmless_number(abs(value)) else REMOVED
    if depth >= DEEPEST:
        return REMOVED
    if isinstance(value, str) and len(value) <= LONGEST and not _MAYBE.search(value):
        return value
    if isinstance(value, dict):
        named = [(_words_of(name), inner) for name, inner in value.items()]
        return {_one_line(clean_text(name)): _field(name, inner, depth + 1) for name, inner in named}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(inner, depth + 1) for inner in value]
    return _one_line(clean_text(value if isinstance(value, str) else _words_of(value)))


@lru_cache(maxsize=1024)
def _is_harmless(text: str) -> bool:
    """Most short texts of a line are words of ours, the same in thousands of lines, and nearly all others are ids."""
    return not (_KEY if _NAME.fullmatch(text) else _MAYBE).search(text)


def _is_harmless_number(value: int) -> bool:
    return value < _SHORTEST_CARD or (value < _LONGEST_NUMBER and clean_text(str(value)) == str(value))


def clean_text(text: str) -> str:
    """A text without keys, tokens, addresses and card numbers."""
    text = text[:LONGEST]
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return _CARD.sub(lambda found: REMOVED if _is_card_number(found[0]) else found[0], text)


def _field(name: str, value: Any, depth: int = 0) -> Any:
    if _is_private(name) and not (value is None or (isinstance(value, str) and not value)):
        return REMOVED
    if type(value) is str and len(value) <= SHORT and _is_harmless(value):  # nearly all that lines hold
        return value
    return clean(value, depth)


@lru_cache(maxsize=1024)
def _name(name: str) -> str:
    return _one_line(name)


@lru_cache(maxsize=1024)
def _is_private(name: str) -> bool:
    return _PRIVATE_FIELD.search(name) is not None


def _words_of(value: object) -> str:
    """A log line must not fail because of what it tells."""
    try:
        return str(value)
    except Exception:
        return type(value).__name__


def _one_line(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _is_card_number(text: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1): every second digit from the right is doubled, and the sum ends in 0."""
    digits = [int(sign) for sign in reversed(text) if sign.isdigit()]
    doubled = [digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0
