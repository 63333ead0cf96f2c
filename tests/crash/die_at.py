"""`python -m tests.crash.die_at MODULE ARGUMENTS…`: runs a module of the portal in a process that dies by SIGKILL at
the step that a file names, and only there. The portal knows nothing of it.

DIE_AT_FILE holds one line a death, `name<TAB>turn`; the first line is the next one, and is taken out when it happens.
CLOCK_AHEAD moves the portal's clock by so many seconds."""

import functools
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.crash import points

_one_at_a_time = threading.Lock()


def arm(file: Path, *deaths: points.Point) -> None:
    """Write down where the process has to die, in this order."""
    file.write_text("".join(f"{point.name}\t{point.turn}\n" for point in deaths), encoding="utf-8")


def still_armed(file: Path) -> list[str]:
    """The deaths that did not happen yet."""
    return file.read_text(encoding="utf-8").splitlines()


def _reach(file: Path, name: str) -> None:
    with _one_at_a_time:
        lines = still_armed(file)
        if not lines or lines[0].split("\t")[0] != name:
            return
        turns = int(lines[0].split("\t")[1]) - 1
        rest = lines[1:] if turns == 0 else [f"{name}\t{turns}", *lines[1:]]
        file.write_text("".join(f"{line}\n" for line in rest), encoding="utf-8")
        if turns == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _wrap(file: Path, point: points.Point) -> None:
    owner, name, function = points.find(point.target)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if point.when == "before":
            _reach(file, point.name)
        answer = function(*args, **kwargs)
        if point.when == "after":
            _reach(file, point.name)
        return answer

    setattr(owner, name, wrapped)


def _move_clock(seconds: float) -> None:
    from portal.deps import Deps

    ahead = timedelta(seconds=seconds)
    build: Callable[..., Any] = Deps.build.__func__  # type: ignore[attr-defined]
    build.__defaults__ = (lambda: datetime.now(UTC) + ahead,)


def _warm_up() -> None:
    """Templates are compiled once, before gunicorn forks: a killed worker's successor need not do it again."""
    import jinja2

    import portal

    create_app = portal.create_app

    def create_warm(*args: Any, **kwargs: Any) -> Any:
        app = create_app(*args, **kwargs)
        for name in app.jinja_env.list_templates():
            with suppress(jinja2.TemplateError):
                app.jinja_env.get_template(name)
        return app

    portal.create_app = create_warm


def main(module: str, *arguments: str) -> None:
    file = Path(os.environ["DIE_AT_FILE"])
    for point in points.ALL:
        _wrap(file, point)
    if ahead := float(os.environ.get("CLOCK_AHEAD", "0")):
        _move_clock(ahead)
    _warm_up()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
