"""The files for operators: what they start exists, and what they set is a setting of ours."""

import re
from pathlib import Path

import pytest

from portal import cli

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "deploy/systemd").iterdir())
GUNICORNS = {"BIND", "WEB_WORKERS", "WEB_THREADS"}


def settings() -> set[str]:
    return set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_what_there_is_with_settings_that_there_are(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"\[(Unit|Service|Timer|Install)\]|[A-Z]\w+=.*", line) for line in lines)
    for command in re.findall(r"-m portal ([a-z-]+)", text):
        assert command in commands()
    assert "ExecStart=" in text or "OnCalendar=" in text
    for name in re.findall(r"^Environment=([A-Z_]+?)(?:_FILE)?=", text, re.M):
        assert name in settings()
    given = set(re.findall(r"%d/(\w+)", text))
    assert given == set(re.findall(r"^LoadCredential=(\w+):", text, re.M))


def test_the_environment_file_sets_what_there_is() -> None:
    names = re.findall(r"^([A-Z_]+)=", (ROOT / "deploy/portal.env").read_text(encoding="utf-8"), re.M)
    assert set(names) <= settings() | GUNICORNS
    assert len(names) == len(set(names)) > 5


def test_the_guide_names_every_file() -> None:
    guide = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
    files = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    assert [str(path.relative_to(ROOT)) for path in files if str(path.relative_to(ROOT)) not in guide] == []


def test_every_command_that_a_document_names_is_one() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    wrong = []
    for document in documents:
        for line in re.findall(r"python -m portal ([a-z-]+(?: [a-z-]+)?)", document.read_text(encoding="utf-8")):
            first, _, second = line.partition(" ")
            if first not in commands() or (second and first in GROUPS and second not in commands(first)):
                wrong.append(f"{document.name}: {line}")
    assert wrong == []


GROUPS = ("hotel", "room", "reservation", "staff", "token", "alerts")


def commands(group: str | None = None) -> set[str]:
    """What can be said after `python -m portal`, or after one of its words."""
    parser = cli.parser()
    for words in filter(None, (None, group)):
        parser = sub_commands(parser)[words]
    return set(sub_commands(parser))


def sub_commands(parser: object) -> dict[str, object]:
    for action in parser._actions:  # type: ignore[attr-defined]
        if action.choices and not action.option_strings:
            return dict(action.choices)
    return {}
