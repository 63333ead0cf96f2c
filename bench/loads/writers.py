"""Two processes of four threads that write to one SQLite file without a pause, past the web: how long the unluckiest
waits. Each write is a whole message of Stripe's about something that is not ours: stored, looked at, noted as done."""

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.loads.figures import Figures
from bench.loads.house import ROOT, filled
from portal import db, logs
from portal.deps import Deps
from portal.gateways.stripe_gateway import FOR_A_WORKER
from portal.gateways.stripe_seen import EventSeen
from portal.models import WebhookEvent
from portal.services import webhook_events
from portal.settings import Settings

PROCESSES, THREADS, EACH = 2, 4, 150


def load(folder: Path) -> Figures:
    figures = Figures(
        f"{PROCESSES} processes of {THREADS} threads write without a pause (SQLite, each write on the disk)"
    )
    with filled(folder, f"sqlite:///{folder / 'portal.db'}", 1) as (_, environment):
        command = [sys.executable, "-m", "bench.loads.writers"]
        plain = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environment}
        with (folder / "writers.log").open("wb") as log:
            pipe = subprocess.PIPE
            processes = [
                subprocess.Popen(
                    [*command, str(n)], cwd=ROOT, env=plain, stdin=pipe, stdout=pipe, stderr=log, text=True
                )
                for n in range(PROCESSES)
            ]
        for process in processes:
            assert process.stdout
            process.stdout.readline()  # it is ready
        begun = time.perf_counter()
        said = _write_all(processes)
        figures.facts["in_a_second"] = round(PROCESSES * THREADS * EACH / (time.perf_counter() - begun))
        for line in "".join(said).split():
            seconds, _, trouble = line.partition(":")
            figures.note("one write", float(seconds), trouble)
        done = WebhookEvent.select().where(WebhookEvent.processed_at.is_null(False)).count()
        figures.expect("messages kept", done, PROCESSES * THREADS * EACH - len(figures.failed))
    return figures


def _write_all(processes: "list[subprocess.Popen[str]]") -> list[str]:
    """All begin together; what each has to say in the end."""
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=120)[0] for process in processes]


def _one_process(number: str) -> None:
    logs.configure("json")
    settings = Settings.from_environ(dict(os.environ))
    db.initialise(settings.database_url)
    deps = Deps.build(settings, FOR_A_WORKER)
    told: list[str] = []
    may_begin = threading.Event()
    threads = [threading.Thread(target=_write, args=(deps, f"{number}_{n}", may_begin, told)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    may_begin.set()
    for thread in threads:
        thread.join()
    print("\n".join(told))


def _write(deps: Deps, name: str, may_begin: threading.Event, told: list[str]) -> None:
    with db.connection():
        may_begin.wait()
        for number in range(EACH):
            begun = time.perf_counter()
            try:
                webhook_events.receive(deps, _message(f"evt_{name}_{number}"))
                trouble = ""
            except Exception as error:
                trouble = type(error).__name__
            told.append(f"{time.perf_counter() - begun:.6f}:{trouble}")


def _message(event_id: str) -> EventSeen:
    return EventSeen(
        id=event_id,
        type="customer.updated",
        created=datetime.now(UTC),
        livemode=False,
        object_id="cus_of_somebody",
        about=None,
        raw=json.dumps({"id": event_id, "padding": "x" * 3_000}),
    )


if __name__ == "__main__":
    _one_process(sys.argv[1])
