"""`doctor`: broken set-ups are told apart, each by its own line, and a good one has none."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from portal import db, jobs, migrations
from portal.deps import Deps
from portal.models import Hotel, Lease
from portal.services import health, hotels, restored
from stripe_simulator import Control
from tests.actors import Clock
from tests.mailbox import Mailbox
from tests.refunds.hotel import Hotelier

Command = Callable[..., tuple[int, str, str]]
Break = Callable[["House"], None]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class House:
    """A set-up in which everything is right, and the ways to break it."""

    def __init__(
        self, command: Command, deps: Deps, stripe: Control, clock: Clock, mailbox: Mailbox, change: pytest.MonkeyPatch
    ) -> None:
        self.command, self.deps, self.stripe, self.clock, self.mailbox = command, deps, stripe, clock, mailbox
        self.set = change.setenv
        self.unset = change.delenv

    def findings(self, *options: str) -> tuple[int, list[dict[str, str]]]:
        status, out, _ = self.command("doctor", "--json", *options)
        return status, json.loads(out)

    def problems(self) -> set[str]:
        status, found = self.findings()
        problems = {one["check"] for one in found if one["level"] == "problem"}
        assert status == (1 if problems else 0)
        assert all(one["do"] for one in found if one["level"] != "ok")
        return problems


@pytest.fixture
def house(
    mailbox: Mailbox,
    command: Command,
    deps: Deps,
    stripe: Control,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> House:
    for name, value in mailbox.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_of_the_tests")
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://pay.hotel.example")
    monkeypatch.setenv("PROXY_COUNT", "1")
    stripe.webhooks(url="https://pay.hotel.example/webhooks/stripe", mode="on", only=None)
    jobs.run_due(deps, "worker")
    assert command("staff", "add", "boss@limoeiro.example", "--role", "manager")[0] == 0
    return House(command, deps, stripe, clock, mailbox, monkeypatch)


def test_where_everything_is_right_nothing_is_told(house: House) -> None:
    status, found = house.findings()
    assert status == 0
    assert {one["level"] for one in found} == {"ok"}, found
    _, out, _ = house.command("doctor")
    assert out.endswith("Everything that matters is right.\n")


def settings(house: House) -> None:
    house.set("SECRET_KEY", "short")


def database_away(house: House) -> None:
    house.set("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")


def no_database(house: House) -> None:
    house.set("DATABASE_URL", "sqlite:////nowhere/at/all.db")


def schema_old(house: House) -> None:
    migrations.roll_back("0008_api")


def mode(house: House) -> None:
    Hotel.update(stripe_livemode=True).execute()


def zone(house: House) -> None:
    Hotel.update(timezone="Europe/Nowhere").execute()


def backup(house: House) -> None:
    restored.mark(house.deps)


def key_refused(house: House) -> None:
    house.stripe.fault("401", times=50)


def stripe_away(house: House) -> None:
    house.set("STRIPE_API_BASE", "http://127.0.0.1:1")


def clock_wrong(house: House) -> None:
    house.stripe.advance(600)


def no_endpoint(house: House) -> None:
    house.stripe.webhooks(url="https://other.hotel.example/webhooks/stripe")


def endpoint_disabled(house: House) -> None:
    house.stripe.webhooks(mode="off")


def events_missing(house: House) -> None:
    house.stripe.webhooks(only=["checkout.session.completed"])


def wrong_signature(house: House) -> None:
    health.note_bad_signature(house.deps)


def worker_dead(house: House) -> None:
    Lease.delete().execute()


def smtp_away(house: House) -> None:
    house.set("SMTP_URL", f"smtp://127.0.0.1:{closed_port()}")


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


BROKEN: dict[Break, str] = {
    settings: "settings",
    database_away: "database",
    no_database: "schema",
    schema_old: "schema",
    mode: "mode",
    zone: "time zone",
    backup: "backup",
    key_refused: "stripe",
    stripe_away: "stripe",
    clock_wrong: "clock",
    no_endpoint: "webhook",
    endpoint_disabled: "webhook",
    events_missing: "webhook",
    wrong_signature: "webhook signatures fail",
    worker_dead: "worker not alive",
    smtp_away: "mail",
}


@pytest.mark.parametrize("breaks", BROKEN, ids=lambda breaks: breaks.__name__)
def test_what_is_broken_is_told_and_nothing_else(house: House, breaks: Break) -> None:
    breaks(house)
    assert house.problems() == {BROKEN[breaks]}


def test_each_broken_set_up_has_a_line_of_its_own(house: House) -> None:
    lines = set()
    for breaks in (no_endpoint, endpoint_disabled, events_missing):
        house.stripe.webhooks(url="https://pay.hotel.example/webhooks/stripe", mode="on", only=None)
        breaks(house)
        lines |= {one["what"] for one in house.findings()[1] if one["level"] == "problem"}
    assert len(lines) == 3


def test_what_works_but_could_be_better_is_a_warning(house: House, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789abcdef")
    key.chmod(0o644)
    house.unset("SECRET_KEY")
    house.set("SECRET_KEY_FILE", str(key))
    house.set("STRIPE_WEBHOOK_SECRETS", "whsec_typo")
    house.set("PROXY_COUNT", "0")
    house.unset("SMTP_URL")
    house.unset("MAIL_FROM")
    status, found = house.findings()
    warned = {one["check"] for one in found if one["level"] == "warning"}
    assert (status, warned) == (0, {"settings", "secret files", "proxies", "mail"})
    assert "whsec_typo" not in str(found)


def test_offline_asks_nobody(house: House) -> None:
    asked = len(house.stripe.requests())
    status, found = house.findings("--offline")
    assert (status, len(house.stripe.requests())) == (0, asked)
    assert {"stripe", "mail", "webhook"} & {one["check"] for one in found} == set()


def test_a_house_that_has_taken_money_is_as_right_as_an_empty_one(house: House, hotel_paid: None) -> None:
    assert house.problems() == set()


@pytest.fixture
def hotel_paid(house: House, make_reservation: Callable[..., object]) -> None:
    """A house in which something has happened is as right as an empty one."""
    hotel = Hotelier(house.deps, house.stripe, house.clock)
    stay = make_reservation()
    hotel.is_paid(stay)  # type: ignore[arg-type]
    assert hotels.get_hotel().stripe_livemode is False
    assert not db.db.in_transaction()
