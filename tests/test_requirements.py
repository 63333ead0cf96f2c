"""docs/original-requirements.md: nothing that the original asked for is left out, and what is named exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/original-requirements.md").read_text(encoding="utf-8")
ROWS = [
    line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| id", "| case", "| card"))
]

IDS = [
    *(f"FR-{number:03}" for number in range(1, 31)),
    *(f"T{number:03}" for number in range(1, 50)),
    *(f"SC-{number:03}" for number in range(1, 11)),
    *(f"EDGE-{number}" for number in range(1, 6)),
    *("4242424242424242", "4000000000000002", "4000000000003220", "4000000000009995"),
]


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_requirement_is_there_once() -> None:
    first = [re.split(r"[ |]", row.removeprefix("| "), maxsplit=1)[0] for row in ROWS]
    assert [name for name in IDS if first.count(name) != 1] == []


def test_every_row_says_what_shows_it_and_that_exists() -> None:
    missing = []
    for row in ROWS:
        shown = row.rstrip("| ").rpartition(" | ")[2]
        if shown == "shown by" or set(row) <= {"|", "-"}:
            continue
        named = re.fullmatch(r"`([^`]+)`", shown)
        assert named, row
        if not exists(named[1]):
            missing.append(named[1])
    assert missing == []


def exists(name: str) -> bool:
    file, _, test = name.partition("::")
    if name.startswith("make "):
        return f"\n{name.removeprefix('make ')}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    path = ROOT / file
    return path.is_file() and (not test or test in names_in(path))
