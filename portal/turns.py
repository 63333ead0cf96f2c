"""With PostgreSQL on the same machine, requests of one process are worked on one after the other, unless they wait for
something.

Python runs one thread at a time anyway. Where several are at work they take the interpreter from each other at each
statement, and those that keep money wait for each other at the counter of receipts: four messages from Stripe at once
cost a tenth to a quarter more, and the slowest took twice as long. While somebody waits for Stripe, for the disk, for
what a browser sends or for a password to be hashed, others go on. With a database far away all wait for it most of the
time, and on SQLite it makes no difference, so there is no turn to wait for.

This makes work cheaper, no more: nothing relies on being alone. Nobody waits for a turn longer than `PATIENCE`, so
whatever becomes of the one who has it, a lock in the database or a fault of ours, nobody is held up."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 0.02
"""Seconds: a dozen pages. Whoever has waited that long goes ahead without a turn."""


class Turns:
    """The turn of one process. `is_kept`: whether anybody waits for it."""

    def __init__(self) -> None:
        self.is_kept = True
        self.start_over()

    def start_over(self) -> None:
        """In a new process: whoever had the turn when it was forked is not here."""
        self._turn = threading.Lock()
        self._own = _Own()

    def begin(self) -> None:
        """At the beginning of a request: wait for a turn."""
        self._own.is_at_work = True
        self.resume()

    def end(self) -> None:
        """At its end."""
        self.pause()
        self._own.is_at_work = False

    def pause(self) -> None:
        """Somebody else may begin. Nothing happens if this thread has no turn."""
        if self._own.has_it:
            self._own.has_it = False
            self._turn.release()

    def resume(self) -> None:
        """Wait for a turn again. Nothing happens if this thread has it, or is at work on no request."""
        if self.is_kept and self._own.is_at_work and not self._own.has_it:
            self._own.has_it = self._turn.acquire(timeout=PATIENCE)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While waiting for something."""
        self.pause()
        try:
            yield
        finally:
            self.resume()


class _Own(threading.local):
    """What one thread knows of itself."""

    is_at_work = False
    has_it = False


of_this_process = Turns()
os.register_at_fork(after_in_child=of_this_process.start_over)

begin, end = of_this_process.begin, of_this_process.end
pause, resume, paused = of_this_process.pause, of_this_process.resume, of_this_process.paused
