"""A hotel that takes money and gives it back, and a web of its own for the stories that are about pages."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from portal import cli, db
from portal.deps import Deps
from portal.gateways.stripe_gateway import Patience, StripeGateway
from portal.models import Reservation
from stripe_simulator import Control
from tests.actors import Clock, Guest, session_of
from tests.refunds.backup import Backup
from tests.refunds.hotel import Hotelier

Run = Callable[..., tuple[int, str, str]]
Typed = Callable[[str], None]

HASTY = Patience(connect=1, read=1, retries=0, altogether=20)
"""A call that fails has failed at once."""


@pytest.fixture
def hotel(deps: Deps, stripe: Control, clock: Clock) -> Hotelier:
    """Everything that happens at the hotel without a browser, by the same services."""
    gateway = StripeGateway(deps.settings.stripe_secret_key, deps.settings.stripe_api_base, HASTY, clock.now)
    return Hotelier(replace(deps, stripe=gateway), stripe, clock)


@pytest.fixture
def paid(hotel: Hotelier, make_reservation: Callable[..., Reservation]) -> Reservation:
    """A confirmed stay in 30 days, paid by card: €1,125.00."""
    reservation = make_reservation()
    hotel.is_paid(reservation)
    return reservation


@pytest.fixture
def guest_pays(guest: Guest, stripe: Control) -> Callable[..., None]:
    """The guest pays in the browser, and Stripe's messages arrive."""

    def pay(reservation: Reservation, card: str = "4242424242424242") -> None:
        guest.opens_link(reservation)
        stripe.pay(session_of(guest.presses_pay()), card)
        assert set(stripe.deliver()) == {200}

    return pay


@pytest.fixture
def back_up(database: str, hotel: Hotelier) -> Callable[[], Backup]:
    """Copies the database as it is now."""
    return lambda: Backup(database)


@pytest.fixture
def run(hotel: Hotelier, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("cancel", "X")` → exit status, standard output, standard error; nobody sits at the terminal."""
    monkeypatch.setattr(cli, "_deps", lambda: hotel.deps)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = cli.main(words)
        except SystemExit as ended:
            code = int(str(ended.code))
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        with db.connection():
            return code, shown.out, shown.err

    return run


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Somebody sits at the terminal and answers every question like this."""

    def answer(word: str) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("builtins.input", lambda _: word)

    return answer
