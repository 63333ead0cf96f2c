"""A PostgreSQL server for the tests: started here, on a port of its own, as somebody who is not root."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

SWITCHES = " ".join(
    f"-c {switch}"
    for switch in (
        "listen_addresses=127.0.0.1",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_connections=120",
    )
)


def binaries() -> Path | None:
    """Where the server's programs are, or None when none is installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if installed:
        return installed[-1]
    found = shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of a running server with nothing in it; fast, because it keeps no promise about power cuts."""
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
    run(*control, "-o", f"-p {port} -k {folder} {SWITCHES}", "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def execute(url: str, statement: str) -> None:
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


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
