"""Commands, as somebody types them."""

import json
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from portal import cli, db
from portal.models import Hotel, Reservation, Room
from portal.services import hotels
from portal.settings import Settings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(command: Run) -> Run:
    return command


ADD = (
    *(
        "reservation",
        "add",
        "--room",
        "Garden room",
        "--guest-name",
        "Inês Carvalho",
        "--email",
        "ines@carvalho.example",
    ),
    *("--check-in", "2030-12-18", "--check-out", "2030-12-21", "--line", "Garden room, 3 nights=56700"),
)


def test_a_reservation_is_added_and_its_link_opens_it(run: Run) -> None:
    status, out, _ = run(*ADD, "--adults", "2", "--line", "Breakfast = 6600")
    assert status == 0
    (reservation,) = Reservation.select()
    assert (reservation.total, reservation.adults, reservation.status) == (63_300, 2, "pending")
    assert "total: 63300" in out
    link = out.split("link: ")[1].strip()
    assert run("link", reservation.code)[1].strip() == link
    assert run("link", f"{reservation.code[:4]}-{reservation.code[4:].lower()}")[1].strip() == link


def test_a_reservation_comes_as_json_from_a_file_or_a_pipe(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {
        "room": "River room",
        "guest_name": "Jonas Weber",
        "email": "jonas@weber.example",
        "check_in": "2030-01-01",
        "check_out": "2030-01-02",
        "lines": [{"label": "Room", "amount": 9000, "vat_percent": 5.5}],
    }
    (tmp_path / "stay.json").write_text(json.dumps(data))
    status, out, _ = run("reservation", "add", "--json", str(tmp_path / "stay.json"))
    answer = json.loads(out)
    assert status == 0
    assert (answer["status"], answer["total"], answer["currency"], answer["amount_due"]) == (
        "pending",
        9000,
        "EUR",
        9000,
    )
    assert answer["hold_until"].endswith("Z")
    monkeypatch.setattr(
        "sys.stdin", StringIO(json.dumps({**data, "check_in": "2030-01-02", "check_out": "2030-01-03"}))
    )
    assert run("reservation", "add", "--json")[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*ADD, "--room", "Attic"), "there is no room called Attic"),
        ((*ADD, "--check-out", "2030-12-18"), "check_out must be after check_in"),
        ((*ADD, "--adults", "9"), "takes at most 4 guests"),
        ((*ADD, "--line", "Breakfast"), "LABEL=AMOUNT"),
        ((*ADD, "--line", "Breakfast=1.50"), "LABEL=AMOUNT"),
        (("reservation", "add", "--json", "/nowhere.json"), "cannot be read"),
        (("link", "7H4K-2M0X-1Z9Q"), "there is no reservation"),
        (("link", "x"), "there is no reservation"),
        (("hotel", "set", "--timezone", "Lisbon"), "timezone"),
        (("hotel", "set", "--currency", "ISK"), "currency"),
        (("room", "add", " "), "name that can be printed"),
        (("room", "add", "Attic", "--capacity", "0"), "capacity"),
        (("room", "add", "Attic", "Tower\udcff"), "name that can be printed"),
        (("hotel", "set", "--timezone", "Europe"), "timezone"),
        (("hotel", "set", "--name", " "), "name must not be empty"),
        (("hotel", "set", "--city", "Lis\udcffbon"), "city has characters that cannot be printed"),
        ((*ADD, "--check-in", "9999-12-17", "--check-out", "9999-12-18"), "check_in is more than five years ahead"),
        ((*ADD, "--check-in", "2020-12-18"), "check_in is in the past"),
        ((*ADD, "--check-in", "2030-02-30"), "check_in must be a date like"),
        ((*ADD, "--email", "ines"), "email is not an e-mail address"),
        ((*ADD, "--guest-name", "x\udcff"), "guest_name has characters"),
        ((*ADD, "--hold-hours", "0"), "hold_hours must be a whole number from 1"),
        ((*ADD, "--line", "Discount=-99999999"), "the total must be 0 or 50"),
        ((*ADD, "--line", "=100"), "label is missing"),
        ((*ADD, "--line", "x=٣"), "LABEL=AMOUNT"),
        (("reservation", "add"), "lines must be a list"),
    ],
)
def test_a_mistake_gets_a_sentence_and_changes_nothing(words: tuple[str, ...], says: str, run: Run) -> None:
    status, _, err = run(*words)
    assert status == 1
    assert says in err
    assert "Traceback" not in err
    assert Reservation.select().count() == 0
    assert Room.select().count() == 2


@pytest.mark.parametrize(
    "words",
    [
        ("hotel", "set", "--check-in-from", "25:00"), ("hotel", "set", "--check-in-from", "15:00+02:00"), ("hotel", "set", "--check-in-from", "15"),
        ("room", "add"), ("room", "add", "Attic", "--capacity", "two"), (*ADD, "--adults", "2.5"), ("reservation",), (), ("nonsense",), ("link",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_read_as_a_command_is_told_with_its_usage(
    words: tuple[str, ...], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    before = hotels.get_hotel().__data__
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
    assert hotels.get_hotel().__data__ == before
    assert (Reservation.select().count(), Room.select().count()) == (0, 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "JSON cannot be read"), ("{", "JSON cannot be read"), ("[]", "must be a JSON object"), ("null", "must be a JSON object"),
        ('{"room": "Garden room", "total": 1}', "total is not a known field"), ("1" * 5000, "JSON cannot be read"), ('{"room": NaN}', "room must be a text"),
    ],
    ids=range(7),
)  # fmt: skip
def test_json_that_is_no_reservation_is_refused_with_everything_that_is_wrong(
    text: str, says: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(text))
    status, out, err = run("reservation", "add", "--json")
    assert (status, out) == (1, "")
    assert says in err
    assert err.startswith("The reservation was not added.")
    assert Reservation.select().count() == 0


def test_several_mistakes_are_told_at_once_one_a_line(run: Run) -> None:
    _, _, err = run(*ADD, "--email", "x", "--adults", "0", "--check-out", "2030-12-18")
    assert [line.split()[0] for line in err.splitlines()[1:]] == ["check_out", "email", "adults"]


def test_nights_that_are_taken_are_refused_kindly(run: Run) -> None:
    assert run(*ADD)[0] == 0
    status, _, err = run(*ADD)
    assert status == 1
    assert "not free for all of these nights" in err


def test_the_hotel_is_set_and_shown(run: Run) -> None:
    status, out, _ = run(
        "hotel", "set", "--name", "Hotel Sol", "--timezone", "Europe/Madrid", "--check-in-from", "14:30"
    )
    assert status == 0
    hotel = Hotel.get_by_id(1)
    assert (hotel.name, hotel.timezone, f"{hotel.check_in_from:%H:%M}") == ("Hotel Sol", "Europe/Madrid", "14:30")
    assert "name: Hotel Sol" in out
    assert run("room", "add", "Attic", "Garden room")[0] == 0
    assert Room.select().count() == 3


def test_the_worker_does_every_job_once(run: Run) -> None:
    status, out, _ = run("worker", "--once")
    assert status == 0
    assert "release overdue holds: 0" in out


def test_a_database_that_is_not_migrated_is_told_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db.disconnect()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'new' / 'portal.db'}")
    status, _, err = run("link", "x")
    assert (status, "python -m portal migrate" in err) == (1, True)
    assert run("migrate")[0] == 0
    assert "up to date" in run("migrate")[1]


@pytest.mark.parametrize(
    "url", ["sqlite:////proc/nowhere/portal.db", "sqlite:////dev/null/portal.db", "postgresql://nobody@127.0.0.1:1/x"]
)
@pytest.mark.parametrize("words", [("migrate",), ("link", "x"), ("worker", "--once")], ids=" ".join)
def test_a_database_that_cannot_be_reached_is_told_in_a_sentence(
    url: str, words: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.disconnect()
    monkeypatch.setenv("DATABASE_URL", url)
    status, out, err = run(*words)
    assert (status, out) == (1, "")
    assert err.startswith("The database cannot be used now")
    assert err.count("\n") == 1
    assert "nobody" not in err


def test_a_database_of_a_newer_version_is_left_alone(run: Run) -> None:
    db.db.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('0999_later', '2026-11-23 00:00:00')")
    status, _, err = run("link", "x")
    assert (status, "newer version (0999_later)" in err) == (1, True)


def test_a_key_of_the_other_mode_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Hotel.update(stripe_livemode=False).execute()
    monkeypatch.delenv("STRIPE_API_BASE")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_x")
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://pay.hotel.example")
    status, _, err = run("link", "x")
    assert (status, "holds test payments" in err) == (1, True)


@pytest.mark.parametrize(
    "words",
    [(), ("demo",), ("migrate",), ("hotel", "set"), ("room", "add"), ("reservation", "add"), ("link",), ("worker",),
     ("cancel",), ("refund",), ("refund-again",), ("refund-handed-back",), ("alerts",), ("alerts", "close"), ("reconcile",), ("audit",)],
    ids=lambda words: " ".join(words) or "portal",
)  # fmt: skip
def test_every_command_explains_itself(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_without_settings_every_missing_one_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "portal", "migrate"], env={"PYTHONPATH": str(Path(__file__).parent.parent)}, cwd=tmp_path,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "SECRET_KEY" in done.stderr
    assert "PUBLIC_BASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fresh_installation_takes_its_first_reservation_in_three_commands(tmp_path: Path, settings: Settings) -> None:
    """As an operator types them: real processes, one file, nothing but the required settings."""
    environment = {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'portal.db'}",
        "SECRET_KEY": settings.secret_keys[0],
        "PUBLIC_BASE_URL": "https://pay.hotel.example",
        "STRIPE_SECRET_KEY": "sk_test_x",
        "STRIPE_API_BASE": settings.stripe_api_base,
    }

    def run(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "portal", *words], env=environment, cwd=tmp_path, input=typed, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip

    refused = run("room", "add", "Attic")
    assert (refused.returncode, "python -m portal migrate" in refused.stderr) == (1, True)
    stay = {
        "room": "Attic", "guest_name": "Zoë", "email": "zoe@x.example", "check_in": "2030-01-01", "check_out": "2030-01-02",
        "lines": [{"label": "Attic", "amount": 9000}],
    }  # fmt: skip
    assert [run(*words).returncode for words in (("migrate",), ("room", "add", "Attic"))] == [0, 0]
    added = run("reservation", "add", "--json", typed=json.dumps(stay))
    assert (added.returncode, added.stderr) == (0, "")
    answer = json.loads(added.stdout)
    assert answer["link"].startswith("https://pay.hotel.example/l/")
    assert run("link", answer["reservation_id"]).stdout.strip() == answer["link"]
    again = run("reservation", "add", "--json", typed=json.dumps(stay))
    assert (again.returncode, again.stdout) == (1, "")
    assert "Traceback" not in again.stderr


def test_what_cannot_be_cancelled_or_closed_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run(*ADD)
    (reservation,) = Reservation.select()
    status, _, err = run("cancel", reservation.code, "--refund=-1", "--yes")
    assert (status, err.strip()) == (1, "--refund must be 0 or more, in minor units. Nothing was done.")
    status, _, err = run("alerts", "close", "1", "--why", " ")
    assert (status, err.strip()) == (1, "Please say in a word why it is closed. Nothing was done.")

    def meanwhile(status: str) -> Callable[..., None]:
        return lambda *_, **__: Reservation.update(status=status).where(Reservation.id == reservation.id).execute()

    monkeypatch.setattr("portal.cli_money.confirm", meanwhile("expired"))
    status, _, err = run("cancel", reservation.code)
    assert status == 1
    assert "is expired by now. Nothing was done." in err


def test_a_refund_that_changed_while_staff_were_asked_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run(*ADD)
    (reservation,) = Reservation.select()

    def next_tier(*_: object, **__: object) -> None:
        Reservation.update(policy=[[7, 50]]).where(Reservation.id == reservation.id).execute()

    monkeypatch.setattr("portal.cli_money.confirm", next_tier)
    status, _, err = run("cancel", reservation.code)
    assert status == 1
    assert "The refund has changed meanwhile, it is EUR 0.00 now. Nothing was done." in err
