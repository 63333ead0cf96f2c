"""Letters that are from Stripe: each has its effect once, and what is not ours is left alone."""

from collections.abc import Callable
from typing import Any

import pytest

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, Hotel, Payment, Reservation, WebhookEvent
from portal.services import settlement, webhook_events
from stripe_simulator import Control
from tests.actors import Clock, Guest, everything_stored, names_of, rows, session_of
from tests.web.conftest import Sender

Make = Callable[..., Reservation]


@pytest.fixture
def event(guest: Guest, stripe: Control, make_reservation: Make) -> dict[str, Any]:
    guest.opens_link(make_reservation())
    stripe.pay(session_of(guest.presses_pay()))
    return stripe.events("checkout.session.completed")[0]


def test_a_copy_is_a_duplicate(send: Sender, event: dict[str, Any]) -> None:
    assert send(event).json()["processing_result"] == "success"
    (row,), (payment,) = rows(WebhookEvent), rows(Payment)
    assert (row.payment_id, row.reservation_id) == (payment.id, payment.reservation_id)
    assert (row.result, row.tries, row.payload, row.next_try_at) == ("success", 1, None, None)
    assert row.processed_at is not None
    before = everything_stored()
    for _ in range(3):
        answer = send(event)
        assert (answer.status_code, answer.json()["processing_result"]) == (200, "duplicate")
    assert everything_stored() == before


def test_many_copies_at_the_same_moment_have_one_effect(stripe: Control, event: dict[str, Any]) -> None:
    assert set(stripe.deliver(copies=6, at_once=True)) == {200}
    (reservation,) = rows(Reservation)
    assert (reservation.status, reservation.paid) == ("confirmed", 112_500)
    assert len(rows(WebhookEvent)) == len(stripe.events())


def test_the_same_news_under_another_name_changes_nothing(send: Sender, event: dict[str, Any]) -> None:
    send(event)
    assert send(event | {"id": "evt_of_a_second_endpoint"}).json()["processing_result"] == "success"
    assert rows(Reservation)[0].paid == 112_500
    assert rows(Alert) == []


@pytest.mark.parametrize("kind", ["customer.created", "checkout.session.something_new", "x"])
def test_an_unknown_kind_is_skipped(kind: str, send: Sender, event: dict[str, Any]) -> None:
    answer = send(event | {"type": kind, "id": "evt_unknown"})
    assert (answer.status_code, answer.json()["processing_result"]) == (200, "skipped")
    assert rows(Reservation)[0].status == "pending"
    (row,) = rows(WebhookEvent)
    assert (row.result, row.payload) == ("skipped", None)


@pytest.mark.parametrize("metadata", [{}, {"order": "77"}, {"portal": "another", "reservation": "7H4K2MQX9TBC"}])
def test_what_another_program_earned_is_left_alone(
    metadata: dict[str, str], stripe: Control, portal: object, database: str
) -> None:
    stripe.charge_elsewhere(5_000, metadata=metadata)
    assert set(stripe.deliver()) == {200}
    assert {row.result for row in rows(WebhookEvent)} == {"skipped"}
    assert rows(Payment) == rows(Alert) == []


def test_money_of_another_portal_that_knows_our_codes_is_left_alone(
    stripe: Control, portal: object, make_reservation: Make
) -> None:
    reservation = make_reservation()
    stripe.charge_elsewhere(112_500, metadata=names_of(reservation, "PAY-X") | {"portal": "another"})
    stripe.deliver()
    assert Reservation.get_by_id(reservation.id).status == "pending"
    assert rows(Payment) == []


def test_money_for_a_reservation_that_we_lost_needs_a_person(stripe: Control, portal: object, database: str) -> None:
    names = {"portal": Hotel.get_by_id(1).installation, "reservation": "7H4K2MQX9TBC", "payment": "PAY-LOST"}
    stripe.charge_elsewhere(112_500, metadata=names)
    assert set(stripe.deliver(copies=2)) == {200}
    assert {row.result for row in rows(WebhookEvent)} == {"skipped"}
    (alert,) = rows(Alert)
    assert (alert.kind, alert.details["reservation_code"]) == ("money for an unknown reservation", "7H4K2MQX9TBC")
    assert (alert.details["amount"], alert.details["currency"]) == (112_500, "EUR")


@pytest.mark.parametrize("name", ["\x00", "\ud800", "x" * 500, "' OR 1=1 --"], ids=repr)
def test_odd_names_in_metadata_are_nobody_of_ours(
    name: str, send: Sender, event: dict[str, Any], stripe: Control
) -> None:
    for portal in ("another", Hotel.get_by_id(1).installation):
        odd = {"portal": portal, "reservation": name, "payment": name}
        letter = event | {"id": f"evt_{portal[:9]}", "data": {"object": event["data"]["object"] | {"metadata": odd}}}
        answer = send(letter)
        assert (answer.status_code, answer.json()["processing_result"]) == (200, "skipped")


def test_a_fault_of_ours_is_told_to_stripe_which_repeats(
    send: Sender, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(settlement, "_keep", _fails)
        answer = send(event)
    assert (answer.status_code, answer.json()["error_code"]) == (500, "ERR_INTERNAL")
    assert "secret detail" not in answer.text
    (row,) = rows(WebhookEvent)
    assert (row.result, row.error_message, row.processed_at, row.tries) == ("error", "ZeroDivisionError", None, 1)
    assert rows(Reservation)[0].status == "pending"
    assert rows(Payment)[0].status == "open", "nothing of the broken try was kept"

    assert send(event).json()["processing_result"] == "success"
    (row,) = rows(WebhookEvent)
    assert (row.result, row.error_message, row.payload) == ("success", None, None)
    assert rows(Reservation)[0].status == "confirmed"


def test_what_came_of_an_event_is_written_with_its_effect_or_not_at_all(
    send: Sender, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown, finish = event | {"type": "customer.created", "id": "evt_unknown"}, webhook_events._finish

    def dies_once(*given: Any, **named: Any) -> None:
        monkeypatch.setattr(webhook_events, "_finish", finish)
        raise MemoryError

    monkeypatch.setattr(webhook_events, "_finish", dies_once)
    assert send(unknown).status_code == 500
    assert [(row.result, row.processed_at, row.tries) for row in rows(WebhookEvent)] == [("error", None, 1)]
    assert send(unknown).json()["processing_result"] == "skipped"
    (row,) = rows(WebhookEvent)
    assert (row.result, row.error_message, row.payload, row.tries, row.next_try_at) == ("skipped", None, None, 2, None)
    assert row.processed_at is not None


def test_the_worker_repeats_what_failed_and_tells_staff_of_what_keeps_failing(
    send: Sender, event: dict[str, Any], deps: Deps, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(settlement, "settle_inside", _fails)
        send(event)
        for _ in range(9):
            clock.advance(hours=1)
            jobs.webhook_events.retry_waiting(deps)
    (row,) = rows(WebhookEvent)
    assert (row.result, row.tries) == ("error", 10)
    assert [alert.kind for alert in rows(Alert)] == ["webhook event keeps failing"]
    clock.advance(hours=1)
    assert jobs.webhook_events.retry_waiting(deps) == 1, "it is never given up"
    assert send(event).json()["processing_result"] == "duplicate"


def test_the_worker_applies_an_event_that_failed_once(
    send: Sender, event: dict[str, Any], deps: Deps, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(settlement, "settle_inside", _fails)
        send(event)
    clock.advance(seconds=30)
    assert jobs.webhook_events.retry_waiting(deps) == 1
    assert rows(Reservation)[0].status == "confirmed"
    assert rows(WebhookEvent)[0].payload is None


def test_events_are_forgotten_after_ninety_days(send: Sender, event: dict[str, Any], deps: Deps, clock: Clock) -> None:
    send(event)
    clock.advance(days=89)
    jobs.run_once(deps)
    assert len(rows(WebhookEvent)) == 1
    clock.advance(days=2)
    jobs.run_once(deps)
    assert rows(WebhookEvent) == []


def _fails(*_: object, **__: object) -> None:
    raise ZeroDivisionError("secret detail")
