"""What a message from Stripe and a click on Pay ask of the database, statement by statement. What begins and ends a
transaction is looked at by itself and does not count as a statement."""

from collections.abc import Callable
from typing import Any

import pytest

from portal.models import Reservation, WebhookEvent
from stripe_simulator import Control
from tests.actors import Guest, rows, session_of
from tests.statements import BEGIN, COMMIT, STRIPE, in_order, outside, statements_of
from tests.web.conftest import Sender

Make = Callable[..., Reservation]

CONFIRMS_A_STAY = [
    *("INSERT webhook_event", "SELECT reservation", "SELECT payment"),
    *("UPDATE reservation", "INSERT audit_log", "INSERT outgoing_mail"),
    *("INSERT cursor", "UPDATE payment", "INSERT audit_log", "UPDATE webhook_event"),
]
"""Each row is read once, under its lock, and written once. The cursor counts the receipts, and its lock is what other
payments wait for, so it comes late."""

MOST_FOR_A_NEW_SESSION = 13
"""Of them two find out whether this browser may see the stay."""


@pytest.fixture
def event(guest: Guest, stripe: Control, make_reservation: Make) -> dict[str, Any]:
    guest.opens_link(make_reservation())
    stripe.pay(session_of(guest.presses_pay()))
    return stripe.events("checkout.session.completed")[0]


def test_a_new_message_takes_one_commit_and_each_row_is_read_and_written_once(
    send: Sender, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_order(monkeypatch) as happened:
        assert send(event).json()["processing_result"] == "success"
    assert happened == [BEGIN, *CONFIRMS_A_STAY, COMMIT]
    assert rows(Reservation)[0].status == "confirmed"


def test_a_copy_takes_two_statements_and_one_commit(
    send: Sender, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(event)
    with in_order(monkeypatch) as happened:
        assert send(event).json()["processing_result"] == "duplicate"
    assert happened == [BEGIN, "INSERT webhook_event", "SELECT webhook_event", COMMIT]


def test_news_that_is_known_already_or_not_ours_takes_one_commit_too(
    send: Sender, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(event)
    unknown = event | {"id": "evt_unknown", "type": "customer.created"}
    for other in (event | {"id": "evt_again"}, unknown):
        with in_order(monkeypatch) as happened:
            assert send(other).status_code == 200
        assert [name for name in happened if name in (BEGIN, COMMIT, STRIPE)] == [BEGIN, COMMIT]
        assert len(statements_of(happened)) <= 4
    assert len(rows(WebhookEvent)) == 3


def test_pay_writes_down_asks_stripe_with_nothing_open_and_writes_the_answer(
    guest: Guest, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    _first_payment_of_all(guest, make_reservation)
    guest.opens_link(make_reservation(in_days=60))
    with in_order(monkeypatch) as happened:
        guest.presses_pay()
    assert outside(happened).count(STRIPE) == happened.count(STRIPE) == 1
    assert happened.count(BEGIN) == happened.count(COMMIT) == 2, "before Stripe is asked, and after"
    assert happened.index(COMMIT) < happened.index(STRIPE) < len(happened) - 1 - happened[::-1].index(BEGIN)
    assert len(statements_of(happened)) <= MOST_FOR_A_NEW_SESSION, happened


def test_no_way_through_pay_keeps_a_transaction_open_while_stripe_is_asked(
    guest: Guest, stripe: Control, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.opens_link(make_reservation())
    with in_order(monkeypatch) as happened:
        session = session_of(guest.presses_pay())
        assert session_of(guest.presses_pay()) == session, "the session that is open is used again"
        stripe.pay(session, "4000000000000002")
        assert session_of(guest.presses_pay()) != session, "after a decline it makes way for a new one"
    assert outside(happened).count(STRIPE) == happened.count(STRIPE) >= 5
    assert happened.count(BEGIN) == happened.count(COMMIT)


def test_a_click_that_finds_an_open_session_costs_less_than_the_first(
    guest: Guest, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.opens_link(make_reservation())
    guest.presses_pay()
    with in_order(monkeypatch) as happened:
        guest.presses_pay()
    assert len(statements_of(happened)) <= 8, happened


def _first_payment_of_all(guest: Guest, make_reservation: Make) -> None:
    """It notes which of Stripe's modes this database is used with, once."""
    guest.opens_link(make_reservation())
    guest.presses_pay()
