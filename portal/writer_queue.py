"""Whose turn it is to write to an SQLite file: one at a time, in the order of arrival.

SQLite lets one writer in. The others sleep, ever longer, up to a tenth of a second, and whoever wakes up at the right
moment is next: under load somebody is passed over again and again and waits for seconds. Here the threads of a process
stand in line, and the first of each process stands in line with those of the others (web servers, worker, commands).

This makes waiting fair and short, no more: SQLite's own lock still keeps writers apart, also from programs that know
nothing of this queue. Where no file can be locked, the processes meet at SQLite's lock as they always did."""

import fcntl
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PAUSE = 0.0005
"""Seconds between two looks at another process's lock. Waiting inside the system for it would have no end."""

NEXT, WRITING = 0, 1
"""The bytes of the file that are locked. Whoever waits for WRITING holds NEXT, so nobody overtakes: without it, the
process that has just written takes its own next turn before the other has woken up."""


PATIENCE = 0.8
"""The part of a writer's time that it waits for other processes. One that was stopped in the line would hold up all
others for good; the rest of the time is for SQLite's own lock, which a stopped process seldom holds."""


class NoTurn(Exception):
    """It did not come within the time."""


class WriterQueue:
    """The queue of one database file. A lock of the system on a file beside it (`portal.db.write.lock`) ends with the
    process that holds it, however that process ends."""

    def __init__(self, database: str) -> None:
        self._database = Path(os.path.realpath(database))
        self._file = Path(f"{self._database}.write.lock") if database != ":memory:" else None
        self._descriptor: int | None = None
        self.start_over()

    @contextmanager
    def turn(self, seconds: float) -> Iterator[float]:
        """Wait for our turn and have it until the end of the block; yields how many of the seconds are left. NoTurn
        after that time."""
        start = time.monotonic()
        threads = self._threads
        if not threads.acquire(seconds):
            raise NoTurn
        try:
            is_ours = self._stand_in_line(start + seconds * PATIENCE)
            try:
                yield max(0.0, start + seconds - time.monotonic())
            finally:
                if is_ours:
                    self._unlock(WRITING)
        finally:
            threads.release()

    def start_over(self) -> None:
        """In a new process: whoever had the turn when it was forked is not here."""
        self._threads = _Line()

    def _stand_in_line(self, until: float) -> bool:
        """Among the processes, but no longer than `until`; whether the turn is ours. Locks belong to processes here: a
        descriptor that a fork handed down holds none."""
        descriptor = self._descriptor if self._descriptor is not None else self._open()
        if descriptor is None:
            return False
        try:
            if not _lock(descriptor, NEXT, until):
                return False
            try:
                return _lock(descriptor, WRITING, until)
            finally:
                self._unlock(NEXT)
        except OSError:  # a file system without locks
            return False

    def _open(self) -> int | None:
        if self._file is None:
            return None
        try:
            self._descriptor = _open_like(self._database, self._file)
        except OSError:  # a folder or a file that is not ours to write to
            self._file = None
            return None
        weakref.finalize(self, os.close, self._descriptor)
        return self._descriptor

    def _unlock(self, byte: int) -> None:
        if self._descriptor is None:
            return
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, byte)
        except OSError:  # the file system's trouble, which must not become that of a write that has been done
            return


def _open_like(database: Path, file: Path) -> int:
    """For whoever may write to the database, also when root was the first to come. What lies there already is not
    given away, and no link is followed: root might be led to a file of its own."""
    known = database.stat()
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    with suppress(FileExistsError):
        descriptor = os.open(file, flags | os.O_CREAT | os.O_EXCL, known.st_mode & 0o666)
        if os.geteuid() == 0:
            os.fchown(descriptor, known.st_uid, known.st_gid)
        return descriptor
    return os.open(file, flags)


def _lock(descriptor: int, byte: int, until: float) -> bool:
    """Whether it was had in time."""
    while True:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
            return True
        except (BlockingIOError, PermissionError):  # "somebody has it" in the words of one system or another
            if time.monotonic() > until:
                return False
        time.sleep(PAUSE)


class _Line:
    """A lock for threads that goes to the one that has waited longest. The one of the library goes to whoever comes at
    the right moment."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()
        self._door = threading.Lock()

    def acquire(self, seconds: float) -> bool:
        with self._door:
            if not self._taken:
                self._taken = True
                return True
            called = threading.Lock()
            called.acquire()
            self._waiting.append(called)
        try:
            if called.acquire(timeout=max(0.0, seconds)):
                return True
        except BaseException:  # a server that ends its threads: whoever is next must not wait for one that is gone
            if not self._leave(called):
                self.release()
            raise
        return not self._leave(called)  # False: called in the very moment of giving up

    def _leave(self, called: threading.Lock) -> bool:
        """Whether it still stood in the line."""
        with self._door:
            if called not in self._waiting:
                return False
            self._waiting.remove(called)
            return True

    def release(self) -> None:
        with self._door:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
