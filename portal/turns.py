"""Requests of one process are worked on one after the other, unless they wait for something.

Python runs one thread at a time anyway. Where several are at work they only take the interpreter from each other, at
each statement of the database's, and that costs more than the statement: with four guests at once a page took a
quarter more, and a message from Stripe half as much again. Whoever waits for Stripe, for the disk, for other writers,
for what a browser sends or for a password to be hashed lets go first, and others go on meanwhile. With a database far
away all wait for it most of the time, so none waits here.

This makes work cheaper, no more: nothing relies on being alone. Nobody waits for a turn longer than `PATIENCE`, so
whatever becomes of the one who has it, a lock in the database or a fault of ours, nobody is held up."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

PATIENCE = 0.02
"""Seconds: a dozen pages. Whoever has waited that long goes ahead without a turn."""


class Turns:
    """The turn of one process. `is_kept`: whether anybody waits for it."""

    def __init__(self) -> None:
        self.is_kept = True
        self.begin_anew()

    def begin_anew(self) -> None:
        """In a new process: whoever had the turn when it was forked is not here."""
        self._turn = threading.Lock()
        self._own = threading.local()

    def take(self) -> bool:
        """Wait for it; whether this thread has it now."""
        if self.is_kept and not self._has_it():
            self._own.held = self._turn.acquire(timeout=PATIENCE)
        return self._has_it()

    def let_go(self) -> bool:
        """Somebody else may begin; whether this thread had it. Nothing happens if it has none, or no longer."""
        had_it = self._has_it()
        if had_it:
            self._own.held = False
            self._turn.release()
        return had_it

    def _has_it(self) -> bool:
        return getattr(self._own, "held", False)


of_this_process = Turns()
os.register_at_fork(after_in_child=of_this_process.begin_anew)

take = of_this_process.take
let_go = of_this_process.let_go


class SentBody:
    """What a visitor sends, for `wsgi.input`. It may come slowly or never, so others go on until it is here."""

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
        had_it = let_go()
        try:
            return read(*size)
        finally:
            if had_it:
                take()
