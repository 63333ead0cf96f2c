"""A PostgreSQL server for the tests: started here, on a port of its own, as somebody who is not root."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

SWITCHES = ("listen_addresses=127.0.0.1", "max_connections=120")
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def binaries() -> Path | None:
    """Where the server's programs are, or None when none is installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if installed:
        return installed[-1]
    found = shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


@contextlib.contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """The address of a running server with nothing in it; fast, because it keeps no promise about power cuts unless it
    is to be `durable`, as a hotel's own would be."""
    programs = binaries()
    if programs is None:
        raise RuntimeError("no PostgreSQL server is installed")
    folder = tempfile.mkdtemp(prefix="portal-pg-")
    who = _not_root(folder)
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": folder}

    def run(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environment, **who)

    run(f"{programs}/initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    port = free_port()
    control = (f"{programs}/pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log")
    switches = " ".join(f"-c {switch}" for switch in (*SWITCHES, *(() if durable else FORGETFUL)))
    run(*control, "-o", f"-p {port} -k {folder} {switches}", "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def execute(url: str, statement: str) -> None:
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def backends(url: str, database: str) -> list[int]:
    """The server's processes that serve connections to that database."""
    with psycopg.connect(f"{url}/postgres") as connection:
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
        return [int(pid) for (pid,) in connection.execute(asked, (database,))]


class Reused:
    """One migrated database that is put back after each test: making and dropping one for each takes the server much
    longer. Its rows and sequences become what they were; after a change of its schema it is made anew."""

    def __init__(self, server: str, template: str) -> None:
        self.server, self.template = server, template
        self.name = f"test_{uuid.uuid4().hex[:10]}"
        self.url = f"{server}/{self.name}"
        self._make()
        with psycopg.connect(self.url, autocommit=True) as connection:
            self._schema = connection.execute(SCHEMA).fetchall()
            self._tables = [name for (name,) in connection.execute(TABLES)]
            self._sequences = connection.execute(SEQUENCES).fetchall()
            self._rows = {}
            for table in self._tables:
                with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:  # type: ignore[call-overload]
                    self._rows[table] = b"".join(bytes(part) for part in copy)

    def put_back(self) -> None:
        """For the next test; whoever is still connected loses the connection, as with a dropped database."""
        try:
            with psycopg.connect(self.url) as connection:
                connection.execute(OTHERS_LEAVE)
                connection.execute("SET LOCAL lock_timeout = '20s'")
                if connection.execute(SCHEMA).fetchall() == self._schema:
                    self._put_rows_back(connection)
                    return
        except psycopg.OperationalError:  # it does not exist any more, or somebody holds on to it
            pass
        self.drop()
        self._make()

    def _put_rows_back(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute("SET LOCAL session_replication_role = replica")  # no foreign key is looked at meanwhile
        connection.execute(";".join(f'DELETE FROM "{table}"' for table in self._tables))  # type: ignore[call-overload]
        for table, rows in self._rows.items():
            if rows:
                with connection.cursor().copy(f'COPY "{table}" FROM STDIN') as copy:  # type: ignore[call-overload]
                    copy.write(rows)
        for name, start, last in self._sequences:
            connection.execute("SELECT setval(%s::regclass, %s, %s)", (f'"{name}"', last or start, last is not None))

    def _make(self) -> None:
        execute(self.server, f"CREATE DATABASE {self.name} TEMPLATE {self.template}")

    def drop(self) -> None:
        execute(self.server, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
SEQUENCES = "SELECT sequencename, start_value, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
OTHERS_LEAVE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
SCHEMA = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text, a.atthasdef::text
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid), '', ''
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid), tgenabled::text, '' FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', proname, prosrc, '', '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3, 4, 5"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _not_root(folder: str) -> dict[str, object]:
    """initdb refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(folder, user.pw_uid, user.pw_gid)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("no user to run PostgreSQL as")
