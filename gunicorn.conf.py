"""How gunicorn serves the portal: threads, because a click on Pay waits for Stripe while others read."""

import gc
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

# Before anything imports the library of the figures, which reads this once: its processes add up through files there.
_NOTE = "PORTAL_FIGURES_OF"
"""Whether the folder was given or made, and by which process: on SIGHUP it reads this file again, and still counts."""
_figures, _note = os.environ.get("PROMETHEUS_MULTIPROC_DIR"), os.environ.get(_NOTE, "")
_origin, _, _server = _note.partition(" ")
if _server != str(os.getpid()):
    _origin = "given" if _figures else "made"
    _figures = _figures or tempfile.mkdtemp(prefix="portal-figures-")
    os.environ |= {"PROMETHEUS_MULTIPROC_DIR": _figures, _NOTE: f"{_origin} {os.getpid()}"}
    # What lies there is of a server that has ended, unless it has started this one to take over (SIGUSR2).
    if "GUNICORN_PID" not in os.environ:
        for _left_over in (*Path(_figures).glob("counter_*.db"), *Path(_figures).glob("histogram_*.db")):
            _left_over.unlink()  # no other file is ours

# peewee loads every driver that is installed: 12 MB and a tenth of a second for a database that is not there.
if os.environ.get("DATABASE_URL", "").startswith("sqlite:"):
    sys.modules.setdefault("psycopg", None)  # type: ignore[arg-type]
# structlog loads this for coloured tracebacks, which we do not print, wherever it is installed: 4 MB. We do not need
# it, but what we test with does.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

from gunicorn.glogging import Logger  # noqa: E402

from portal import logs  # noqa: E402

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
worker_class = "gthread"
timeout = 60  # all Stripe calls of one request share 20 seconds
graceful_timeout = 30
preload_app = True  # connections are opened after the fork, by each thread
control_socket_disable = True
forwarder_headers = ""  # the portal lies at the root of its host: no header of a visitor moves it
accesslog = None  # the portal logs requests itself, without paths: they may hold a guest's token


class logger_class(Logger):  # noqa: N801  # gunicorn's name for the setting
    """gunicorn's own lines in the form of all others."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.configure(os.environ.get("LOG_FORMAT", "console"), for_good=True)
        logs.take_over_the_process()
        self.error_log.handlers = [logs.Bridge()]


def when_ready(_server: object) -> None:
    """Just before the first worker starts. What is loaded by now is for good: a collection in a worker would touch all
    of it, and whatever is touched is no longer shared between the processes (docs.python.org/3/library/gc.html)."""
    gc.collect()
    gc.freeze()


def post_fork(_server: object, _worker: object) -> None:
    """Programs that tidy up `/tmp` may have taken the folder: from now on figures are counted again."""
    if figures := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        with suppress(OSError):
            Path(figures).mkdir(mode=0o700, parents=True, exist_ok=True)


def child_exit(_server: object, worker: Any) -> None:
    """A process that has ended no longer counts among those that live; what it counted stays."""
    from prometheus_client import multiprocess  # noqa: PLC0415  # only now: see above

    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # it is left out where it cannot be used: see portal/metrics.py
        multiprocess.mark_process_dead(worker.pid)


def on_exit(_server: object) -> None:
    """A folder that was made for this run goes with it."""
    if _origin == "made" and _figures:
        shutil.rmtree(_figures, ignore_errors=True)
