"""Commands about alerts and the books: what is told, and with which exit status."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from portal import cli, cli_money
from portal.deps import Deps
from portal.gateways.stripe_gateway import Patience, StripeGateway
from portal.models import Alert, Payment, Reservation
from portal.services import reconciliation
from tests.actors import rows
from tests.postgres import free_port
from tests.refunds.hotel import WHOLE, Hotelier, alerts, refunds_of, status

Make = Callable[..., Reservation]
Run = Callable[..., tuple[int, str, str]]
Typed = Callable[[str], None]


def test_alerts_are_listed_and_closed_with_a_word_why(run: Run, hotel: Hotelier, paid: Reservation) -> None:
    assert run("alerts")[:2] == (0, "Nothing needs attention.\n")
    hotel.stripe.dispute(hotel.intent(paid))
    hotel.hears()
    (alert,) = rows(Alert)
    code, out, _ = run("alerts")
    assert code == 0
    assert out.startswith(f"{alert.id}: dispute, {paid.code[:4]}-")
    assert "due by" in out
    (line,) = json.loads(run("alerts", "--json")[1])
    assert (line["kind"], line["payment"], line["details"]["amount"]) == ("dispute", rows(Payment)[0].public_id, WHOLE)

    for words in (("close", str(alert.id)), ("close", str(alert.id), "--why", " "), ("close", "77", "--why", "x")):
        code, _, err = run("alerts", *words)
        assert code != 0
        assert err.strip()
    assert alerts() == ["dispute"]
    assert run("alerts", "close", str(alert.id), "--why", "evidence sent", "--who", "Rita")[0] == 0
    closed = Alert.get_by_id(alert.id)
    assert (closed.closed_by, closed.why_closed) == ("Rita", "evidence sent")
    assert run("alerts", "--json")[1].strip() == "[]"
    hotel.books_are_right()


# reconcile, audit


def test_reconcile_settles_what_nobody_told_us(run: Run, hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation()
    hotel.stripe.pay(hotel.opens_session(reservation))
    code, out, _ = run("reconcile", "--since", "48h")
    assert code == 0
    assert "sessions: 1" in out
    assert "payment intents: 1" in out
    assert status(reservation) == ("confirmed", WHOLE)
    assert run("reconcile")[0] == 0
    hotel.books_are_right()


@pytest.mark.parametrize("since", ["48", "h", "2w", "-1h", "1.5h", "٤h", "", "9999999999d"])
def test_a_time_that_is_none_is_refused(since: str, run: Run, hotel: Hotelier) -> None:
    for command in ("reconcile", "audit"):
        code, _, err = run(command, f"--since={since}")
        assert code == 2
        assert "such as 48h" in err
    hotel.books_are_right()


def test_without_stripe_reconcile_and_audit_say_so(
    run: Run, hotel: Hotelier, paid: Reservation, deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = StripeGateway("sk_test_x", f"http://127.0.0.1:{free_port()}", Patience(1, 1, 0, 20), deps.now)
    monkeypatch.setattr(cli, "_deps", lambda: replace(deps, stripe=nowhere))
    code, _, err = run("reconcile")
    assert (code, "Stripe cannot be reached now" in err) == (1, True)
    code, _, err = run("audit")
    assert (code, "the books were not compared" in err) == (2, True)
    assert run("audit", "--offline")[:2] == (0, "The books are right.\n")
    hotel.books_are_right()


def test_audit_names_the_rows_and_exits_with_1(run: Run, hotel: Hotelier, paid: Reservation) -> None:
    assert run("audit")[:2] == (0, "The books are right.\n")
    Reservation.update(paid=0).where(Reservation.id == paid.id).execute()
    code, out, _ = run("audit")
    assert code == 1
    assert f"{paid.code}: paid 0, kept {WHOLE}" in out
    assert "findings." in out
    found = json.loads(run("audit", "--json", "--offline")[1])
    assert {finding["row"] for finding in found} == {paid.code}
    Reservation.update(paid=WHOLE).where(Reservation.id == paid.id).execute()
    hotel.books_are_right()


def test_sums_are_shown_with_the_currencys_own_decimals() -> None:
    assert cli_money.show_sum(112_500, "EUR") == "EUR 1125.00"
    assert cli_money.show_sum(112_500, "JPY") == "JPY 112500"


def test_a_look_at_the_last_hours_alone_leaves_the_gap_before_them_to_the_next_run(
    run: Run, hotel: Hotelier, paid: Reservation
) -> None:
    reconciliation.reconcile_new(hotel.deps)
    hotel.clock.advance(hours=3)
    hotel.stripe.refund(hotel.intent(paid), 5_000)
    hotel.clock.advance(hours=60)
    run("reconcile", "--since", "2h")
    assert refunds_of(paid) == []
    reconciliation.reconcile_new(hotel.deps)
    assert refunds_of(paid) == [("external", 5_000, "succeeded")]
