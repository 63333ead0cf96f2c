"""/metrics: who may read it, that it says what the document says, and that processes add up."""

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families as families

from bench.machine import children
from portal import db, jobs, metrics
from portal.deps import Deps
from portal.models import Alert, Payment, Refund, Reservation
from portal.services import figures
from stripe_simulator import Control
from tests import conftest, processes
from tests.actors import Clock, Guest, LivePortal, session_of
from tests.conftest import Serve

Make = Callable[..., Reservation]
DOCUMENT = Path(__file__).parents[2] / "docs/metrics.md"
TOKEN = "a token for figures"
Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


def ask(url: str, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return session.get(f"{url}/metrics", headers=sent, timeout=20)


def read(url: str) -> Values:
    answer = ask(url)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(answer.text)
        for sample in family.samples
    }


def value(values: Values, name: str, **labels: str) -> float:
    return values[name, frozenset(labels.items())]


def test_the_document_names_exactly_what_there_is(portal: LivePortal) -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", DOCUMENT.read_text(encoding="utf-8"), re.M))
    there = dict(re.findall(r"^# TYPE (\w+) (\w+)$", ask(portal.url).text, re.M))
    assert there == told


def test_what_stands_in_the_database(
    guest: Guest, deps: Deps, portal: LivePortal, make_reservation: Make, stripe: Control, clock: Clock
) -> None:
    before = read(portal.url)
    assert value(before, "portal_database_up") == 1
    assert ("portal_last_webhook_age_seconds", frozenset()) not in before
    assert ("portal_worker_heartbeat_age_seconds", frozenset()) not in before
    guest.opens_link(make_reservation())
    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()
    guest.opens_link(make_reservation(room="River room"))
    guest.presses_pay()
    with db.connection():
        jobs.run_due(deps, "worker of the test")
        Refund.insert(
            public_id="REF-1", payment=Payment.get(), kind="staff", amount=1, currency="EUR", idempotency_key="k",
            requested_by="test", created_at=clock.now(), updated_at=clock.now(),
        ).execute()  # fmt: skip
        Alert.insert(kind="books", cause="a", created_at=clock.now()).execute()
        Alert.insert(kind="of a newer version", cause="b", created_at=clock.now()).execute()
    clock.advance(minutes=2)
    now = read(portal.url)
    assert value(now, "portal_payments_24h", outcome="kept") == 1
    assert value(now, "portal_payments_24h", outcome="open") == 1
    assert value(now, "portal_payments_24h", outcome="failed") == 0
    assert value(now, "portal_oldest_waiting_seconds", queue="refunds") == 120
    assert value(now, "portal_oldest_waiting_seconds", queue="creating payments") == 0
    assert value(now, "portal_last_webhook_age_seconds") == 120
    assert value(now, "portal_worker_heartbeat_age_seconds") == 120
    assert value(now, "portal_alerts_open", kind="books") == value(now, "portal_alerts_open", kind="other") == 1
    confirmed = ("portal_paid_to_confirmed_seconds_count", frozenset[tuple[str, str]]())
    assert now[confirmed] == before[confirmed] + 1
    key = ("portal_webhooks_total", frozenset({"type": "checkout.session.completed", "result": "success"}.items()))
    assert now[key] == before.get(key, 0) + 1
    clock.advance(hours=25)
    assert value(read(portal.url), "portal_payments_24h", outcome="kept") == 0


@pytest.fixture
def portal_with(deps: Deps) -> Iterator[Callable[..., str]]:
    """The portal with a token for figures, or behind proxies; its address."""
    opened = []

    def serve(**settings: object) -> str:
        changed = replace(deps, settings=replace(deps.settings, **settings))  # type: ignore[arg-type]
        serving = LivePortal.serve(lambda url: conftest._app(changed, url))
        opened.append(serving)
        return serving.__enter__().url

    yield serve
    for serving in opened:
        serving.__exit__(None, None, None)


def test_without_a_token_only_this_machine_reads(portal_with: Callable[..., str]) -> None:
    url = portal_with()
    assert ask(url).status_code == 200
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        refused = ask(url, **{header: "127.0.0.1"})
        assert (refused.status_code, "portal_" in refused.text) == (404, False), header


def test_behind_a_proxy_nobody_reads_without_a_token(portal_with: Callable[..., str]) -> None:
    assert ask(portal_with(proxy_count=1)).status_code == 404


def test_with_a_token_whoever_has_it_reads(portal_with: Callable[..., str]) -> None:
    url = portal_with(metrics_token=TOKEN)
    assert ask(url, Authorization=f"Bearer {TOKEN}", X_Forwarded_For="192.0.2.1").status_code == 200
    for wrong in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer "}, {"Authorization": "é"}):
        assert ask(url, **wrong).status_code == 404, wrong


def test_without_a_database_it_says_so(portal: LivePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Deps) -> None:
        raise db.DatabaseBusy("gone")

    monkeypatch.setattr(figures, "read", away)
    values = read(portal.url)
    assert value(values, "portal_database_up") == 0
    assert not [name for name, _ in values if name.startswith("portal_alerts")]


def test_a_guest_pays_although_nothing_can_be_counted(
    guest: Guest, stripe: Control, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for figure in metrics.COUNTED:
        monkeypatch.setattr(figure, "labels" if figure._labelnames else "observe", full)
    for remembered in (metrics._of_requests, metrics._of_webhooks):
        remembered.cache_clear()
    stay = make_reservation()
    guest.opens_link(stay)
    stripe.pay(session_of(guest.presses_pay()))
    assert set(stripe.deliver()) == {200}
    assert guest.goes_to(f"/reservations/{stay.code}").reservation_status == "confirmed"


def visit(url: str) -> int:
    """Over a connection of its own: any of the processes takes it."""
    return requests.get(f"{url}/readyz", timeout=20).status_code


def visits(url: str) -> float:
    return value(read(url), "portal_requests_total", rule="/readyz", method="GET", status="200")


def test_processes_add_up(serve_with_gunicorn: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    folder.mkdir()
    keep, left_over = folder / "portal.db", folder / "counter_1.db"
    keep.touch(), left_over.touch()
    _, url = serve_with_gunicorn(PROMETHEUS_MULTIPROC_DIR=str(folder))
    assert keep.exists(), "only figures are emptied"
    keep.unlink()
    assert not left_over.exists()
    asked = 0

    def both_have_answered() -> bool:
        nonlocal asked
        for _ in range(10):
            visit(url)
            asked += 1
        return len(list(folder.glob("histogram_*.db"))) >= 2

    processes.wait_until(both_have_answered, "two processes count")
    assert {visits(url) for _ in "1234"} == {asked}


@pytest.mark.parametrize("given", [True, False])
def test_a_server_that_reads_its_settings_again_goes_on_counting(
    serve_with_gunicorn: Serve, tmp_path: Path, given: bool
) -> None:
    folder = tmp_path / "figures"
    process, url = serve_with_gunicorn(**({"PROMETHEUS_MULTIPROC_DIR": str(folder)} if given else {}))
    processes.wait_until(lambda: len(children(process.pid)) == 3, "a parent and two that answer")
    before = children(process.pid)
    assert visit(url) == 200
    process.popen.send_signal(signal.SIGHUP)
    processes.wait_until(
        lambda: len(now := children(process.pid)) == 3 and set(now) & set(before) == {process.pid}, "two others"
    )
    assert visit(url) == 200
    assert visits(url) == 2
    assert process.stop() == 0
    assert folder.exists() == given
    assert not list(tmp_path.glob("portal-figures-*"))


def test_a_server_that_hands_over_to_another_still_counts(serve_with_gunicorn: Serve, tmp_path: Path) -> None:
    process, url = serve_with_gunicorn(PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "figures"))
    processes.wait_until(lambda: len(children(process.pid)) == 3, "a parent and two that answer")
    assert visit(url) == 200
    process.popen.send_signal(signal.SIGUSR2)
    processes.wait_until(lambda: len(children(process.pid)) == 6, "another server beside it")
    assert visit(url) == 200
    assert {visits(url) for _ in "123456"} == {2}


def test_a_server_whose_folder_cannot_be_used_says_so_and_serves(serve_with_gunicorn: Serve, tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("a file")
    process, url = serve_with_gunicorn(PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "figures"), WEB_WORKERS="1")
    assert "PROMETHEUS_MULTIPROC_DIR cannot be used" in process.said()
    assert [visit(url) for _ in "12"] == [200, 200]
    assert visits(url) == 2
    os.kill(children(process.pid)[1], signal.SIGKILL)
    processes.wait_until_up(process, f"{url}/healthz")
    assert process.stop() == 0


def test_a_server_goes_on_when_somebody_has_tidied_up(serve_with_gunicorn: Serve, tmp_path: Path) -> None:
    process, url = serve_with_gunicorn(WEB_WORKERS="1")
    (folder,) = tmp_path.glob("portal-figures-*")
    shutil.rmtree(folder)
    assert visit(url) == 200
    os.kill(children(process.pid)[1], signal.SIGKILL)
    processes.wait_until(lambda: folder.exists(), "another process")
    processes.wait_until_up(process, f"{url}/healthz")
    assert [visit(url) for _ in "12"] == [200, 200]
    assert visits(url) == 2
