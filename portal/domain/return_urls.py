"""Where Stripe may send a guest after its page: only to addresses of origins that the hotel has named."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST = 2000


@dataclass(frozen=True)
class ReturnUrls:
    """After paying, and after going back without having paid."""

    success: str
    cancel: str


def problem_of(url: str, origins: Collection[str]) -> str | None:
    """Why nobody is sent to this address; None when it may be. Browsers and programs read odd addresses differently, so
    every one that is not plain is refused."""
    if len(url) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if not url.isascii() or any(not letter.isprintable() or letter in ' \\"<>' for letter in url):
        return "has characters that no address has"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is no address"
    if f"{parts.scheme}://{parts.netloc}" not in origins:
        return "is not at an address that guests may be sent to (RETURN_URL_ORIGINS)"
    return None
