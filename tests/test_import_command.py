"""`python -m portal reservation import`, as somebody types it."""

import json
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from portal.models import Reservation, RoomNight

Run = Callable[..., tuple[int, str, str]]

HEAD = "room,guest_name,email,check_in,check_out,lines\n"
GOOD = "Garden room,Inês Carvalho,ines@carvalho.example,2030-12-18,2030-12-21,Room=56700;Breakfast=6600\n"
LATER = "Garden room,=2+3,jonas@weber.example,2030-12-21,2030-12-22,Room=9000\n"
CLASH = "Garden room,Ana,ana@example.com,2030-12-20,2030-12-23,Room=9000\n"


@pytest.fixture
def run(command: Run) -> Run:
    """`run("a.csv")` imports it."""
    return lambda *words: command("reservation", "import", *words)


def test_a_file_is_looked_at_imported_and_not_imported_twice(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "stays.csv"
    file.write_text(HEAD + GOOD + LATER, encoding="utf-8")
    assert run(str(file), "--dry-run") == (0, "ready: 2\n", "")
    assert Reservation.select().count() == 0
    status, out, _ = run(str(file), "--json")
    first, second = json.loads(out)
    assert (status, first["row"], first["status"], second["row"]) == (0, 2, "imported", 3)
    assert "/l/" in first["link"]
    stay = Reservation.get(Reservation.code == first["reservation_id"].replace("-", ""))
    assert (stay.total, stay.guest_name, stay.status) == (63_300, "Inês Carvalho", "pending")
    assert Reservation.select().where(Reservation.guest_name == "=2+3").count() == 1
    assert run(str(file)) == (0, "already there: 2\n", "")
    assert (Reservation.select().count(), RoomNight.select().count()) == (2, 4)


def test_bad_rows_are_named_and_left_out_only_when_asked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = HEAD + GOOD + CLASH + LATER
    file = tmp_path / "stays.csv"
    file.write_text(content, encoding="utf-8")
    status, out, err = run(str(file))
    assert (status, out) == (1, "ready: 2\nrefused: 1\n")
    assert "Nothing was imported" in err
    assert "row    3  room" in err
    assert "2030-12-20 is already wanted by row 2" in err
    assert Reservation.select().count() == 0
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(content.encode())))
    status, out, err = run("-", "--skip-bad")
    assert (status, out) == (0, "imported: 2\nrefused: 1\n")
    assert "row    3" in err
    status, out, err = run(str(file), "--json")
    assert status == 1
    assert [row["status"] for row in json.loads(out)] == ["already there", "refused", "already there"]
    assert "belongs to reservation" in json.loads(out)[1]["problems"]["room"]


def test_a_file_that_cannot_be_read_gets_a_sentence(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "stays.csv"
    file.write_bytes((HEAD + GOOD).encode("latin-1"))
    for name, says in ((str(file), "CSV UTF-8"), ("/nowhere.csv", "cannot be read"), (str(tmp_path), "cannot be read")):
        status, out, err = run(name)
        assert (status, out, says in err) == (1, "", True)
