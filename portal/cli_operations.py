"""Commands for whoever runs the portal: copies of the database, and what is wrong with the set-up."""

import argparse
from pathlib import Path

from portal import db, settings
from portal.deps import Deps
from portal.services import backup, restored


def make_backup(arguments: argparse.Namespace, deps: Deps) -> None:
    place = Path(arguments.file)
    size = backup.make_backup(deps, place, force=arguments.force, environment=settings.environment_of_a_child)
    print(f"{place}: {size:,} bytes")


def note_restored(_: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        restored.mark(deps)
    print(
        "Noted. Until you have run python -m portal reconcile --since TIME (from before the backup on) nobody can pay."
    )
