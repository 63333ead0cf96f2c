"""What visitors send. It may come slowly or never, so nobody has a turn while he waits for it (`portal/turns.py`); and
it may break off, so nobody takes a part of it, or nothing, for the whole."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any

from portal import turns

SMALL = 256 * 1024
"""Forms and Stripe's messages."""


def received(environ: dict[str, Any]) -> Any:
    """For `wsgi.input`: a small body once it is here, another one to be read as it comes. Whoever reads one that broke
    off gets a ConnectionResetError, which the web framework answers with 400: servers that say where a body ends
    (`wsgi.input_terminated`) take the framework's own look at its length away."""
    stream, length = environ["wsgi.input"], environ.get("CONTENT_LENGTH") or ""
    wanted = int(length) if length.isdigit() else None
    if wanted is None or wanted > SMALL or environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        return Body(stream, wanted)
    whole = b""
    with suppress(OSError):  # the visitor is gone
        whole = stream.read(wanted)
    return BytesIO(whole) if len(whole) == wanted else Body(BytesIO(), wanted)


class Body:
    """One that is read piece by piece. `wanted`: how long it is said to be."""

    def __init__(self, stream: Any, wanted: int | None) -> None:
        self._stream, self._left = stream, wanted or 0

    def read(self, size: int = -1) -> bytes:
        piece = self._wait_for(self._stream.read, size)
        return piece if size >= 0 else piece + self._wait_for(self._stream.read, size)  # its end, or none

    def readline(self, *size: int) -> bytes:
        return self._wait_for(self._stream.readline, *size)

    def readlines(self, *_hint: int) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _wait_for(self, read: Callable[..., bytes], *size: int) -> bytes:
        with turns.paused():
            piece = read(*size)
        if not piece and self._left > 0 and 0 not in size:
            raise ConnectionResetError("the body broke off")
        self._left -= len(piece)
        return piece
