"""Servers on this machine, what they cost by the operating system's account, and a client that keeps them busy."""

import contextlib
import http.client
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

START = 60.0
"""Seconds until a server has to answer; the first start compiles."""


def children(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for task in _tasks(pid):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += children(int(child))
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """What these processes have used, all their threads together, to the nanosecond."""
    used = 0
    for pid in pids:
        for task in _tasks(pid):
            with contextlib.suppress(OSError):
                used += int((task / "schedstat").read_text().split()[0])
    return used / 1e9


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


class Server:
    """One server program, from its start until `stop`."""

    def __init__(self, port: int, command: Sequence[str], folder: Path, environment: dict[str, str], log: Path) -> None:
        self.port, self._log = port, log
        everything = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **environment}
        with log.open("wb") as out:
            self._process = subprocess.Popen(command, cwd=folder, env=everything, stdout=out, stderr=out)

    def wait(self) -> None:
        """Until it takes connections; RuntimeError with the end of its log when it does not."""
        give_up = time.monotonic() + START
        while time.monotonic() < give_up and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self._log.name} does not answer:\n{self.last_words()}")

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def cpu(self) -> float:
        return cpu_seconds(children(self._process.pid))

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True)
class Sent:
    """What came of a number of requests: seconds altogether, seconds of each, and those not answered with 200."""

    took: float
    each: list[float]
    failed: list[str]


def send(port: int, path: str, requests: list[tuple[bytes, dict[str, str]]], connections: int) -> Sent:
    """Post each once; as many at a time as there are connections, which are kept where the server keeps them."""
    waiting = iter(requests)
    each: list[float] = []
    failed: list[str] = []
    started = time.perf_counter()
    threads = [threading.Thread(target=_post_all, args=(port, path, waiting, each, failed)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Sent(time.perf_counter() - started, each, failed)


def _post_all(
    port: int, path: str, waiting: Iterable[tuple[bytes, dict[str, str]]], each: list[float], failed: list[str]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body, headers in waiting:
        started = time.perf_counter()
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            outcome = "" if answer.status == 200 else f"answered with {answer.status}"
        except OSError as error:
            connection.close()
            outcome = f"not answered: {error!r}"
        each.append(time.perf_counter() - started)
        if outcome:
            failed.append(outcome)
    connection.close()
