"""Requests of one process are worked on one after the other, unless they wait for somebody outside.

Python runs one thread at a time anyway. Where several are at work they only take the interpreter from each other, at
each statement of the database's, and that costs more than the statement: with four guests at once a page took a
quarter more, and a message from Stripe half as much again. Whoever waits for Stripe, or lets a password be hashed, lets
go first, and others go on meanwhile. With a database far away all wait for it most of the time, so none waits here.

This makes work cheaper, no more: nothing relies on being alone. Nobody waits for a turn longer than `PATIENCE`, so
whatever becomes of the one who has it, a slow disk, a slow visitor or a fault of ours, nobody is held up."""

import os
import threading

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

    def let_go(self) -> None:
        """Somebody else may begin. Nothing happens if this thread has no turn, or no longer."""
        if self._has_it():
            self._own.held = False
            self._turn.release()

    def _has_it(self) -> bool:
        return getattr(self._own, "held", False)


of_this_process = Turns()
os.register_at_fork(after_in_child=of_this_process.begin_anew)

take = of_this_process.take
let_go = of_this_process.let_go
