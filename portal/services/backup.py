"""Copies of the whole database, taken while everything runs."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from portal.deps import Deps
from portal.services.restored import MARK


class NoBackup(Exception):
    """Why there is none, and what to do, in one sentence. What was at the place before is still there."""


def make_backup(deps: Deps, place: Path, *, force: bool, environment: Callable[..., Mapping[str, str]]) -> int:
    """Copy the database to the file `place`, which only its owner can read; the size in bytes. NoBackup when there is
    something already (unless `force`) or the copy is not whole. `environment` gives a child process's."""
    _check_place(deps.settings.database_url, place)
    if place.exists() and not force:
        raise NoBackup(f"{place} exists; choose another name, or use --force to replace it.")
    if not place.parent.is_dir():
        raise NoBackup(f"There is no folder {place.parent}.")
    unfinished = place.with_name(f".{place.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=0o600)
        url = deps.settings.database_url
        if url.startswith("sqlite:///"):
            _copy_sqlite(Path(url.removeprefix("sqlite:///")), unfinished, deps.now().isoformat(sep=" "))
        else:
            _dump_postgres(url, unfinished, environment)
        _make_last(unfinished)
        size = unfinished.stat().st_size
        unfinished.replace(place)
        return size
    except (OSError, sqlite3.Error) as error:
        raise NoBackup(f"The copy could not be made ({type(error).__name__}): is there room on the disk?") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _check_place(url: str, place: Path) -> None:
    """Never the database itself, by whatever name, nor what SQLite keeps beside it: running processes would go on
    writing to a file that nobody can find any more."""
    if place.is_dir():
        raise NoBackup(f"{place} is a folder; name a file in it.")
    if not url.startswith("sqlite:///"):
        return
    file = Path(url.removeprefix("sqlite:///")).resolve()
    own = [file, *(file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm", "-journal"))]
    if place.resolve() in own or any(place.exists() and one.exists() and place.samefile(one) for one in own):
        raise NoBackup(f"{place} belongs to the database that is in use; choose another file.")


def _copy_sqlite(file: Path, place: Path, now: str) -> None:
    """In one step, on a snapshot: step by step it would begin again at every write. Writers do not wait."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source, closing(sqlite3.connect(place)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
        if [row[0] for row in copy.execute("PRAGMA integrity_check")] != ["ok"]:
            raise NoBackup("The copy is damaged, and so may be the database: look at its disk.")
        with copy:
            copy.execute("INSERT OR REPLACE INTO cursor (name, value, updated_at) VALUES (?, ?, ?)", (MARK, now, now))


def _dump_postgres(url: str, place: Path, environment: Callable[..., Mapping[str, str]]) -> None:
    """By pg_dump, which knows how. The password goes by the environment: a command line can be read by everybody."""
    parts = urlsplit(url)
    if "password" in parse_qs(parts.query):
        raise NoBackup(
            "DATABASE_URL has its password behind a question mark; write it as postgresql://user:password@host/name."
        )
    bare = url.replace(f":{parts.password}@", "@", 1) if parts.password else url
    if shutil.which("pg_dump") is None:
        raise NoBackup(f"pg_dump is not installed here. Where it is, run: pg_dump -Fc -f FILE {bare}")
    command = ["pg_dump", "--format=custom", "--no-password", f"--file={place}", bare]
    password = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    done = subprocess.run(command, env=environment(**password), capture_output=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise NoBackup("pg_dump could not make the dump; run it by hand to see why.")


def _make_last(file: Path) -> None:
    """On the disk, whatever happens next."""
    with file.open("rb") as written:
        os.fsync(written.fileno())
