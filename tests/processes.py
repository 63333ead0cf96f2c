"""Real processes for the tests: started with a log of their own, watched until they are up, and ended by their id."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from tests import log_watch

ROOT = Path(__file__).parents[1]
UP_WITHIN = 20.0
OVER_WITHIN = 10.0


@dataclass
class Process:
    """One program in a session of its own, so that its children can be ended together with it."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    def kill(self) -> None:
        """kill -9, the program and its children; nobody gets to say good-bye."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait(OVER_WITHIN)

    def stop(self) -> int:
        """Ask it to end; the exit status."""
        self.popen.terminate()
        try:
            return self.popen.wait(OVER_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} does not stop:\n{self.said()}") from None

    def wait_over(self, within: float = OVER_WITHIN) -> int:
        """Wait until it ends by itself; the exit status, negative for a signal."""
        try:
            return self.popen.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs:\n{self.said()}") from None

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]


def start(name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> Process:
    """`python ARGUMENTS` with this environment on top of the plainest one; output goes to a file in the folder."""
    log = folder / f"{name}.log"
    log_watch.files.add(log)
    plain = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [sys.executable, *arguments],
            env={**plain, "PYTHONDONTWRITEBYTECODE": "", **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Process(name, popen, log)


def wait_until(true: Callable[[], object], what: str, within: float = UP_WITHIN) -> None:
    """Ask again and again until it is so; AssertionError when it does not become so in time."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.02)


def wait_until_up(process: Process, url: str) -> None:
    """Until the address answers; AssertionError with the log when the program has ended or is silent for too long."""

    def answers() -> bool:
        assert process.popen.poll() is None, f"{process.name} has ended:\n{process.said()}"
        with suppress(requests.RequestException), requests.Session() as session:
            session.trust_env = False
            return session.get(url, timeout=2).status_code < 500
        return False

    wait_until(answers, f"{process.name} answers at {url}")
