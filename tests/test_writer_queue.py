"""Whose turn it is to write to an SQLite file: threads and processes in one line, whatever becomes of those ahead."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from portal import db, migrations
from portal.db import DatabaseBusy, transaction
from portal.writer_queue import NoTurn, WriterQueue

ROOT = Path(__file__).parents[1]
PROGRAM = """
import os, signal, sys, threading
from portal import db
from portal.db import transaction

db.initialise(sys.argv[1])

def add_one():
    (number,) = db.db.execute_sql("SELECT number FROM counted").fetchone()
    db.db.execute_sql("UPDATE counted SET number = ?", (number + 1,))
"""
ADDS = (
    PROGRAM
    + """
def add_many():
    with db.connection():
        for _ in range(25):
            with transaction():
                add_one()

threads = [threading.Thread(target=add_many) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
)
DIES = (
    PROGRAM
    + """
db.open_connection()
with transaction():
    add_one()
    print("has its turn", flush=True)
    signal.pause()
"""
)
FORKS = (
    PROGRAM
    + """
db.SQLITE_WAIT = 0.2
db.open_connection()
turn = transaction()
turn.__enter__()
child = os.fork()
if child == 0:
    db.db.obj._state.reset()
    db.open_connection()
    try:
        with transaction():
            os._exit(1)
    except db.DatabaseBusy:
        os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
turn.__exit__(None, None, None)
child = os.fork()
if child == 0:
    db.db.obj._state.reset()
    db.open_connection()
    with transaction():
        add_one()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A database with one row that everybody adds to, open in this process too."""
    file = tmp_path / "portal.db"
    db.initialise(f"sqlite:///{file}")
    db.open_connection()
    db.db.execute_sql("CREATE TABLE counted (number INTEGER)")
    db.db.execute_sql("INSERT INTO counted VALUES (0)")
    yield file
    db.disconnect()


@contextmanager
def begun(program: str, file: Path) -> Iterator["subprocess.Popen[str]"]:
    words = [sys.executable, "-c", program, f"sqlite:///{file}"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process


def counted() -> int:
    (number,) = db.db.execute_sql("SELECT number FROM counted").fetchone()
    return int(number)


def add_one() -> None:
    db.db.execute_sql("UPDATE counted SET number = number + 1")


class Somebody:
    """Another thread that has its turn until it is let go."""

    def __init__(self) -> None:
        self.has_turn, self._may_end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        assert self.has_turn.wait(10)

    def _write(self) -> None:
        with db.connection(), transaction():
            self.has_turn.set()
            self._may_end.wait(30)
        db.disconnect()

    def leave(self) -> None:
        self._may_end.set()
        self._thread.join()


STOPS = (
    PROGRAM
    + """
from portal.writer_queue import WriterQueue
with WriterQueue(sys.argv[1].removeprefix("sqlite:///")).turn(1):
    print("has its turn", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""
)


def test_what_two_processes_with_four_threads_each_write_is_all_there(file: Path) -> None:
    with begun(ADDS, file) as one, begun(ADDS, file) as other:
        assert [one.wait(60), other.wait(60)] == [0, 0]
    assert counted() == 2 * 4 * 25


def test_waiting_for_another_process_ends_in_busy_and_its_death_frees_the_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "SQLITE_WAIT", 0.2)
    with begun(DIES, file) as process:
        assert process.stdout
        assert process.stdout.readline() == "has its turn\n"
        for _ in range(2):
            with pytest.raises(DatabaseBusy), transaction():
                pytest.fail("it was somebody else's turn")
        process.kill()
    with transaction():
        add_one()
    assert counted() == 1


def test_a_process_that_is_stopped_in_the_line_holds_nobody_up_for_good(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "SQLITE_WAIT", 0.5)
    with begun(STOPS, file) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "has its turn\n"
            with transaction():
                add_one()
        finally:
            process.kill()
    assert counted() == 1


class BrokenOffError(BaseException):
    """As a server breaks off what its threads do when it has to go."""


def test_whoever_is_broken_off_while_waiting_leaves_the_line(file: Path) -> None:
    def break_off(*_: object) -> None:
        raise BrokenOffError

    somebody, before = Somebody(), signal.signal(signal.SIGALRM, break_off)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(BrokenOffError), transaction():
            pytest.fail("it was somebody else's turn")
    finally:
        signal.signal(signal.SIGALRM, before)
        somebody.leave()
    with transaction():
        add_one()
    assert counted() == 1


def test_waiting_for_another_thread_ends_in_busy_and_nobody_is_left_in_the_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "SQLITE_WAIT", 0.2)
    somebody = Somebody()
    with pytest.raises(DatabaseBusy), transaction():
        pytest.fail("it was somebody else's turn")
    somebody.leave()
    with transaction():
        add_one()
    assert counted() == 1


def test_a_program_that_knows_nothing_of_the_queue_is_waited_for_too(file: Path) -> None:
    db.db.execute_sql("PRAGMA busy_timeout = 200")
    with closing(sqlite3.connect(file, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy), transaction():
            pytest.fail("SQLite lets one writer in")
        stranger.execute("COMMIT")
    with transaction():
        add_one()
    assert counted() == 1


def test_time_spent_in_the_queue_is_not_spent_again_at_sqlites_lock(file: Path) -> None:
    somebody = Somebody()
    threading.Timer(0.3, somebody.leave).start()
    with transaction():
        assert db.db.execute_sql("PRAGMA busy_timeout").fetchone()[0] < 5_000
    assert db.db.execute_sql("PRAGMA busy_timeout").fetchone()[0] == 5_000


def test_whoever_came_first_writes_first(file: Path) -> None:
    queue, order = WriterQueue(str(file)), list[int]()

    def write(number: int) -> None:
        with queue.turn(20):
            order.append(number)

    with queue.turn(1):
        threads = []
        for number in range(5):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
            while len(queue._threads._waiting) <= number:
                pass
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_after_a_fork_the_child_stands_in_line_like_everybody(file: Path) -> None:
    with begun(FORKS, file) as process:
        assert process.wait(30) == 0
    assert counted() == 1


@pytest.mark.parametrize("way", ["memory", "in the way", "gone"])
def test_without_a_file_to_lock_there_is_still_a_line_of_threads(tmp_path: Path, way: str) -> None:
    database = tmp_path / "portal.db"
    if way == "in the way":
        database.touch()
        (tmp_path / "portal.db.write.lock").mkdir()
    queue = WriterQueue(":memory:" if way == "memory" else str(database))
    with queue.turn(1):
        refused: list[bool] = []
        thread = threading.Thread(target=lambda: refused.append(is_refused(queue)))
        thread.start()
        thread.join()
        assert refused == [True]
    assert not is_refused(queue)
    assert not [path for path in Path.cwd().iterdir() if path.name.endswith(".write.lock")]


def is_refused(queue: WriterQueue) -> bool:
    try:
        with queue.turn(0.05):
            return False
    except NoTurn:
        return True


def test_the_lock_file_lies_beside_the_database_whatever_name_it_is_opened_by(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "link.db"
    other.parent.mkdir()
    other.symlink_to(file)
    with WriterQueue(str(other)).turn(1):
        assert [path.name for path in tmp_path.glob("**/*.lock")] == ["portal.db.write.lock"]
    assert os.stat(f"{file}.write.lock").st_mode & 0o777 == file.stat().st_mode & 0o777


def test_no_link_is_followed_to_somebody_elses_file(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "of somebody else"
    other.write_text("as it was")
    Path(f"{file}.write.lock").symlink_to(other)
    with db.connection(), transaction():
        add_one()
    assert counted() == 1
    Path(f"{file}.migrate.lock").symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        migrations.migrate()
    assert other.read_text() == "as it was"
