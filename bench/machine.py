"""Servers on this machine, what they cost by the operating system's account, and a client that keeps them busy."""

import contextlib
import http.client
import os
import platform
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
        self.port, self._log, self.started = port, log, time.perf_counter()
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

    @property
    def pid(self) -> int:
        return self._process.pid

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def cpu(self) -> float:
        return cpu_seconds(children(self._process.pid))

    def memory(self) -> float:
        """Megabytes, all its processes together."""
        return shared_memory(children(self._process.pid))

    def first_answer(self, path: str) -> float:
        """Seconds from the start of the program to its first right answer."""
        give_up = time.monotonic() + START
        while time.monotonic() < give_up and self._process.poll() is None:
            if not send(self.port, [Request(path)], 1).failed:
                return time.perf_counter() - self.started
            time.sleep(0.005)
        raise RuntimeError(f"{self._log.name} does not answer:\n{self.last_words()}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True)
class Request:
    """What is asked, and the status that a right answer has."""

    path: str
    method: str = "GET"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    expected: int = 200


@dataclass(frozen=True)
class Sent:
    """What came of a number of requests: seconds altogether, seconds of each, and those not answered as expected."""

    took: float
    each: list[float]
    failed: list[str]


def send(port: int, requests: Sequence[Request], connections: int, *, keep: bool = True) -> Sent:
    """Ask each once; as many at a time as there are connections, which are kept where the server keeps them. Without
    `keep` each request has a connection of its own."""
    waiting = iter(requests)
    each: list[float] = []
    failed: list[str] = []
    started = time.perf_counter()
    threads = [threading.Thread(target=_send_all, args=(port, waiting, each, failed, keep)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Sent(time.perf_counter() - started, each, failed)


def _send_all(port: int, waiting: Iterable[Request], each: list[float], failed: list[str], keep: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    last = {} if keep else {"Connection": "close"}
    for request in waiting:
        started = time.perf_counter()
        try:
            connection.request(request.method, request.path, request.body or None, request.headers | last)
            answer = connection.getresponse()
            answer.read()
            right = answer.status == request.expected
            outcome = "" if right else f"answered with {answer.status}"
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            outcome = f"not answered: {error!r}"
        each.append(time.perf_counter() - started)
        if outcome:
            failed.append(outcome)
    connection.close()


def shared_memory(pids: Iterable[int]) -> float:
    """Megabytes of these processes, with what they share counted once."""
    kilobytes = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of an ordered list does not exceed; the largest of a short one."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def described() -> str:
    """Processor and number of cores."""
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} cores, {cpu}"
