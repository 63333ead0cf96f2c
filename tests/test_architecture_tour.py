"""docs/architecture.md: every file and function that it names is there, and its table of states is the portal's."""

import ast
import re
from pathlib import Path

from portal.domain import states

ROOT = Path(__file__).parents[1]
TOUR = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
TABLES = {"reservation": states.RESERVATION, "payment": states.PAYMENT, "refund": states.REFUND}


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return assigned | {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def test_every_file_that_is_named_is_there() -> None:
    files = re.findall(r"`((?:portal|templates|tests|docs|bench)/[\w./-]+)`", TOUR)
    assert len(files) > 50
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_every_function_is_in_its_file() -> None:
    told = re.findall(r"`(portal/[\w/]+\.py)` `(\w+)`", TOUR)
    assert len(told) > 12
    assert [(file, name) for file, name in told if name not in names_in(ROOT / file)] == []


def test_the_states_are_those_of_the_portal() -> None:
    rows = re.findall(r"^\| (reservation|payment|refund) \| (\w+) \| (.+) \|$", TOUR, re.M)
    told = {(kind, old, new) for kind, old, several in rows for new in several.split(", ")}
    true = {(kind, old, new) for kind, table in TABLES.items() for old, several in table.items() for new in several}
    assert told == true
