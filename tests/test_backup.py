"""Backups: taken while everything runs, and never trusted before Stripe was asked what happened since."""

import stat
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from portal import db, jobs
from portal.deps import Deps
from portal.models import Payment, Reservation
from portal.services import backup, reconciliation, restored
from portal.services.backup import NoBackup
from stripe_simulator import Control
from tests.actors import Clock, Guest, LivePortal, rows
from tests.api.program import Program, make_token
from tests.refunds.hotel import Hotelier

Command = Callable[..., tuple[int, str, str]]
Make = Callable[..., Reservation]


def go_on_with(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portal runs on the copy from now on."""
    db.disconnect()
    db.initialise(f"sqlite:///{copy}", pool=60)
    db.open_connection()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{copy}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_payment_that_the_backup_does_not_know_is_found_before_anybody_is_asked_again(
    command: Command,
    deps: Deps,
    stripe: Control,
    clock: Clock,
    make_reservation: Make,
    portal: LivePortal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hotel, stay, copy = Hotelier(deps, stripe, clock), make_reservation(), tmp_path / "copy.db"
    status, out, _ = command("backup", str(copy))
    assert (status, "bytes" in out) == (0, True)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert requests.get(f"{portal.url}/readyz", timeout=10).status_code == 200
    hotel.is_paid(stay)
    go_on_with(copy, monkeypatch)
    program = Program(portal.url, make_token(deps))

    ready = requests.get(f"{portal.url}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
    assert "python -m portal reconcile" in ready.json()["reasons"][0]
    assert Reservation.get_by_id(stay.id).status == "pending"
    again = program.post("/payments/checkout-session", {"reservation_id": stay.code})
    assert (again.status, again.code) == (503, "ERR_STRIPE")
    asked = len(stripe.requests())
    assert set(jobs.run_once(deps).values()) == {0}
    jobs.run_due(deps, "worker")
    assert len(stripe.requests()) == asked

    status, _, error = command("reconcile", "--since", "1h")
    assert (status, "still waits" in error) == (1, True)
    assert requests.get(f"{portal.url}/readyz", timeout=10).status_code == 503
    assert command("reconcile", "--since", "40d")[0] == 0
    assert requests.get(f"{portal.url}/readyz", timeout=10).json()["reasons"] == []
    assert Reservation.get_by_id(stay.id).status == "confirmed"
    jobs.run_once(deps)
    assert [payment.disposition for payment in rows(Payment)] == ["kept"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_copy_is_whole_although_guests_go_on(
    command: Command, make_reservation: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, written = threading.Event(), []

    def write() -> None:
        with db.connection():
            while not stop.is_set() and len(written) < 200:
                written.append(make_reservation(in_days=20 + 4 * len(written)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            assert command("backup", str(tmp_path / f"{number}.db"))[0] == 0
    finally:
        stop.set()
        writer.join()
    go_on_with(tmp_path / "4.db", monkeypatch)
    stays = list(Reservation.select())
    assert all(stay.lines.count() == 1 and stay.nights.count() == 3 for stay in stays)
    assert restored.is_unreconciled()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_overwritten_by_mistake(command: Command, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("precious")
    status, _, error = command("backup", str(there))
    assert (status, "--force" in error, there.read_text()) == (1, True, "precious")
    assert command("backup", "--force", str(there))[0] == 0
    assert there.read_bytes().startswith(b"SQLite format 3")
    status, _, error = command("backup", str(tmp_path / "no/where.db"))
    assert (status, "no folder" in error) == (1, True)
    assert sorted(path.name for path in tmp_path.iterdir() if "unfinished" in path.name) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["itself", "another name", "a hard link", "-wal", "-shm"])
def test_the_database_in_use_is_never_replaced(
    command: Command, deps: Deps, make_reservation: Make, tmp_path: Path, name: str
) -> None:
    file, linked = Path(deps.settings.database_url.removeprefix("sqlite:///")), tmp_path / "linked.db"
    stay = make_reservation()
    places = {"itself": file, "another name": linked, "a hard link": linked}
    if name == "another name":
        linked.symlink_to(file)
    elif name == "a hard link":
        linked.hardlink_to(file)
    before = file.stat().st_ino
    status, _, error = command("backup", "--force", str(places.get(name) or f"{file}{name}"))
    assert (status, "in use" in error) == (1, True)
    assert file.stat().st_ino == before
    assert Reservation.get_by_id(stay.id).code == stay.code
    assert not restored.is_unreconciled()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_folder_is_no_file(command: Command, tmp_path: Path) -> None:
    status, _, error = command("backup", "--force", str(tmp_path))
    assert (status, "is a folder" in error) == (1, True)


def test_a_password_behind_the_question_mark_reaches_no_command_line(tmp_path: Path) -> None:
    with pytest.raises(NoBackup) as refused:
        backup._dump_postgres("postgresql://u@127.0.0.1/x?password=hush", tmp_path / "x", lambda **_: {})
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_dump_of_postgresql_needs_the_mark_by_hand(command: Command, tmp_path: Path, deps: Deps) -> None:
    """pg_dump may not be installed beside the portal; then the command to run elsewhere is told, without the password."""
    status, _, error = command("backup", str(tmp_path / "portal.dump"))
    assert status == 0 or "pg_dump" in error
    assert command("restored")[0] == 0
    assert restored.is_unreconciled()
    assert command("reconcile", "--since", "40d")[0] == 0
    assert not restored.is_unreconciled()


def test_guests_of_a_restored_portal_read_that_nothing_was_charged(
    guest: Guest, make_reservation: Make, deps: Deps
) -> None:
    guest.opens_link(make_reservation())
    restored.mark(deps)
    page = guest.presses_pay_in_vain()
    assert (page.status, "This click did not charge you." in page.text) == (503, True)


def test_a_refund_that_the_backup_does_not_know_is_not_made_again(
    portal: LivePortal, deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    hotel, stay = Hotelier(deps, stripe, clock), make_reservation()
    payment = hotel.is_paid(stay)
    stripe.refund(hotel.intent(stay), 50_000)  # as one that was made after the backup
    restored.mark(deps)
    program = Program(portal.url, make_token(deps))
    again = program.post(f"/payments/{payment.public_id}/refund", {"amount": 50_000})
    assert (again.status, "restored backup" in again.body["message"]) == (400, True)
    hotel.cancels(stay)
    assert [amount for _, amount, _ in hotel.sent()] == [50_000]
    reconciliation.reconcile(deps, clock.now() - timedelta(days=40))
    hotel.works_until_quiet(2)
    assert sorted(amount for _, amount, _ in hotel.sent()) == [50_000, 62_500]


def test_what_cannot_be_settled_keeps_the_mark(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hotelier(deps, stripe, clock).is_paid(make_reservation())
    restored.mark(deps)

    def breaks(*_: object, **__: object) -> None:
        raise ValueError("a fault")

    with monkeypatch.context() as fault:
        fault.setattr("portal.services.settlement.settle", breaks)
        assert reconciliation.reconcile(deps, clock.now() - timedelta(days=40)).failed
    assert restored.is_unreconciled()
    reconciliation.reconcile(deps, clock.now() - timedelta(days=40))
    assert not restored.is_unreconciled()
