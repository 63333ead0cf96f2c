"""/readyz: whether somebody should be sent to this process, and if not, why."""

from collections.abc import Callable

import pytest

from portal import db, jobs, migrations
from portal.deps import Deps
from portal.services import readiness
from tests.actors import Guest

READY = {"status": "ready", "reasons": [], "migrations_waiting": [], "worker_alive": False}


def ask(guest: Guest) -> tuple[int, dict[str, object]]:
    answer = guest.browser.get(f"{guest.portal_url}/readyz")
    return answer.status_code, answer.json()


def test_it_is_ready_with_and_without_a_worker(guest: Guest, deps: Deps) -> None:
    assert ask(guest) == (200, READY)
    jobs.run_due(deps, "worker of the test")
    assert ask(guest) == (200, {**READY, "worker_alive": True})


@pytest.mark.parametrize("fault", ["no connection", "lost in between"])
def test_without_a_database_it_says_so_in_json(guest: Guest, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def gone(*_: object, **__: object) -> bool:
        raise db.DatabaseBusy("08001")

    if fault == "no connection":
        monkeypatch.setattr(db, "open_connection", gone)
    else:
        monkeypatch.setattr(migrations, "pending", gone)
    status, answer = ask(guest)
    assert (status, answer["reasons"]) == (503, [readiness.AWAY])
    assert guest.browser.get(f"{guest.portal_url}/healthz").json() == {"status": "up"}


@pytest.mark.parametrize("which", ["pending", "unknown"])
def test_another_schema_is_not_ready(guest: Guest, monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    monkeypatch.setattr(migrations, which, lambda: ["0099_later"])
    status, answer = ask(guest)
    assert status == 503
    assert len(answer["reasons"]) == 1  # type: ignore[arg-type]


def test_every_further_check_counts(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: tuple[Callable[[Deps], str], ...] = (*readiness.CHECKS, lambda _: "The roof leaks.")
    monkeypatch.setattr(readiness, "CHECKS", checks)
    assert ask(guest) == (503, {**READY, "status": "not ready", "reasons": ["The roof leaks."]})


def test_a_fault_nobody_foresaw_is_json_too(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "answer", lambda _: 1 / 0)
    assert ask(guest)[0] == 500


def test_it_may_be_asked_from_this_machine_by_its_address(guest: Guest) -> None:
    for host in ("127.0.0.1:8000", "localhost"):
        assert guest.browser.get(f"{guest.portal_url}/readyz", headers={"Host": host}).status_code == 200
    refused = guest.browser.get(f"{guest.portal_url}/readyz", headers={"Host": "evil.example"})
    assert refused.status_code == 400
