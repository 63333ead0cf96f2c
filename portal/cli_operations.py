"""Commands for whoever runs the portal: copies of the database, and what is wrong with the set-up."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from portal import db, settings
from portal.deps import Deps
from portal.services import backup, doctor, restored
from portal.services.doctor import Finding
from portal.settings import SettingsError


def make_backup(arguments: argparse.Namespace, deps: Deps) -> None:
    place = Path(arguments.file)
    size = backup.make_backup(deps, place, force=arguments.force, environment=settings.environment_of_a_child)
    print(f"{place}: {size:,} bytes")


def examine(arguments: argparse.Namespace, start: Callable[[], Deps]) -> int:
    """Also where the settings cannot be read, or the database is not there: each problem is a line."""
    try:
        found = doctor.examine(start(), offline=arguments.offline)
    except SettingsError as error:
        found = [doctor.problem("settings", text, "Change it, and look again.") for text in error.problems]
    found += doctor.examine_environment(settings.misspelt_names(), settings.secret_files())
    if arguments.json:
        print(json.dumps([asdict(one) for one in found], indent=1))
    else:
        _print(found)
    return 1 if any(one.level == "problem" for one in found) else 0


def _print(found: list[Finding]) -> None:
    for one in found:
        print(f"{one.level:8} {one.check}: {one.what}")
        if one.do:
            print(f"{'':8} → {one.do}")
    count = sum(one.level == "problem" for one in found)
    print("Everything that matters is right." if not count else f"{count} to put right.")


def note_restored(_: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        restored.mark(deps)
    print(
        "Noted. Until you have run python -m portal reconcile --since TIME (from before the backup on) nobody can pay."
    )
