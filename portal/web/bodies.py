"""What visitors send. It may come slowly or never, so nobody has a turn while he waits for it (`portal/turns.py`)."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any

from portal import turns

SMALL = 256 * 1024
"""Forms and Stripe's messages."""


def received(environ: dict[str, Any]) -> Any:
    """For `wsgi.input`: a small body once it is here, another one to be read as it comes. What did not come whole is
    as short as it was, which whoever reads it notices."""
    stream, length = environ["wsgi.input"], environ.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) <= SMALL:
        whole = b""
        with suppress(OSError):  # the visitor is gone
            whole = stream.read(int(length))
        return BytesIO(whole)
    return SlowBody(stream)


class SlowBody:
    """A body that is read piece by piece."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, *size: int) -> bytes:
        return self._wait_for(self._stream.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._wait_for(self._stream.readline, *size)

    def readlines(self, *_hint: int) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _wait_for(self, read: Callable[..., bytes], *size: int) -> bytes:
        with turns.paused():
            return read(*size)
