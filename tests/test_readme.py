"""The README's commands, run as they stand there by a shell, in an empty folder: a newcomer's first ten minutes."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import requests

from stripe_simulator import Control
from tests import log_watch, processes
from tests.postgres import free_port
from tests.processes import ROOT, Process

README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_DAY = date(2027, 3, 18)


def blocks(after: str) -> list[str]:
    """The commands in the fenced blocks of one chapter. Dates lie ahead, whatever the day is."""
    chapter = README.partition(f"## {after}\n")[2].partition("\n## ")[0]
    moved = datetime.now(UTC).date() + timedelta(days=60) - FIRST_DAY
    dated = re.sub(r"2027-\d\d-\d\d", lambda found: (date.fromisoformat(found[0]) + moved).isoformat(), chapter)
    return [re.sub(r"^ {3}", "", block, flags=re.M) for block in re.findall(r"```\n(.*?)```", dated, re.S)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As a fresh copy of the repository looks to the commands."""
    for name in (".env.example", "gunicorn.conf.py", "wsgi.py", "portal", "templates", "static"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def shell(folder: Path, commands: str) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_commands_of_the_readme_run(folder: Path, stripe: Control) -> None:
    """With Stripe's test mode: from the configuration to a guest's page, with the simulator in Stripe's place."""
    configure, add, listen, serve = blocks("With Stripe's test mode")
    assert listen.startswith("stripe listen")
    copy, load = configure.strip().split("\n", 1)
    shell(folder, copy)
    port = free_port()
    filled_in = {
        "SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "STRIPE_SECRET_KEY": "sk_test_of_the_readme",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_of_the_readme",
        "STRIPE_WEBHOOK_SECRET": "whsec_of_the_tests",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
    }
    text = (folder / ".env").read_text(encoding="utf-8")
    for name, value in filled_in.items():
        text, count = re.subn(rf"^{name}=.*", f"{name}={value}", text, flags=re.M)
        assert count == 1, name
    text += f"\nSTRIPE_API_BASE={stripe.url}\nBIND=127.0.0.1:{port}\n"
    (folder / ".env").unlink()
    (folder / ".env").write_text(text, encoding="utf-8")

    without_environment = add.replace(". .venv/bin/activate", ":")
    out = shell(folder, f"{load}\n{without_environment}")
    (link,) = re.findall(r"http://\S+/l/\S+", out)
    web, worker = (line.partition("#")[0].strip() for line in serve.strip().splitlines())
    with running(folder, load, web) as server, running(folder, load, worker):
        processes.wait_until_up(server, f"http://127.0.0.1:{port}/healthz")
        page = requests.get(link, timeout=10)
        assert (page.status_code, "Garden room" in page.text) == (200, True)
        ready = f"http://127.0.0.1:{port}/readyz"
        processes.wait_until(lambda: requests.get(ready, timeout=5).json()["worker_alive"], "the worker shows itself")


@contextmanager
def running(folder: Path, load: str, command: str) -> Iterator[Process]:
    name = command.split(maxsplit=1)[0]
    log = folder / f"{name}.log"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            ["bash", "-euc", f"{load}\nexec {command}"],
            cwd=folder,
            env={"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = Process(name, popen, log)
    try:
        yield process
        assert process.stop() == 0, process.said()
    finally:
        process.kill()


def test_the_demo_shows_every_link_that_it_prints(tmp_path: Path) -> None:
    """What `make demo` runs once everything is installed."""
    ports = [free_port() for _ in range(4)]
    names = ("--port", "--stripe-port", "--mailbox-port", "--smtp-port")
    options = [word for name, port in zip(names, ports, strict=True) for word in (name, str(port))]
    demo = processes.start("demo", ["-m", "portal", "demo", *options, "--folder", str(tmp_path / "demo")], {}, tmp_path)
    try:
        processes.wait_until(lambda: demo.popen.poll() is not None or "Ctrl-C" in demo.said(), "it is open", 60)
        links = re.findall(r"http://127\.0\.0\.1:\d+/\S*", demo.said())
        assert len(links) > 12, demo.said()
        for link in links:
            assert requests.get(link, timeout=10).status_code == 200, link
        assert demo.stop() == 0, demo.said()
        # What it prints is for whoever sits at the terminal; the logs of what it started are files of their own.
        log_watch.files.discard(demo.log)
        log_watch.files.update((tmp_path / "demo").rglob("*.log"))
    finally:
        demo.kill()
