"""Whatever order Stripe's messages come in, and however often: our books end the same, row by row.

Left out of the comparison, because they tell of the way and not of the end: when we wrote or asked (`created_at` of
rows that news made, `updated_at`, `asked_at`, `tries`, `next_try_at`, `first_sent_at`), row numbers, the random names of
rows that news made, the card (messages do not name it; the worker asks), and the audit log, which has one entry for
each step that was taken."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from portal import db
from portal.models import (
    Alert,
    Cancellation,
    Dispute,
    OutgoingMail,
    Payment,
    Refund,
    Reservation,
    RoomNight,
    WebhookEvent,
)
from portal.services import webhook_events
from stripe_simulator import Control
from tests.actors import names_of, rows
from tests.refunds.backup import Backup
from tests.refunds.hotel import SUCCEEDS_LATER, WHOLE, Hotelier, disputes, refunds_of, status

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]
BackUp = Callable[[], Backup]
Event = dict[str, Any]
OF_THE_WAY = {
    *("id", "created_at", "updated_at", "asked_at", "tries", "next_try_at", "first_sent_at"),
    *("idempotency_key", "retry_of", "card_brand", "card_last4"),
}


def end(hotel: Hotelier) -> dict[str, Any]:
    """All that the orders have to agree on."""
    tables = (Reservation, RoomNight, Payment, Refund, Dispute, Cancellation)
    books = {table.__name__: sorted(map(repr, map(_facts, table.select()))) for table in tables}
    for table in (Alert, OutgoingMail):
        books[table.__name__] = sorted({row.kind for row in table.select()})
    return books


def _facts(row: Any) -> dict[str, Any]:
    left_out = OF_THE_WAY | ({"public_id"} if isinstance(row, Refund) and row.kind == "external" else set())
    return {name: value for name, value in row.__data__.items() if name not in left_out}


def is_told(hotel: Hotelier, events: list[Event], copies: int) -> None:
    for event in events:
        for _ in range(copies):
            hotel.takes(event)
    later = replace(hotel.deps, now=lambda: hotel.clock.now() + timedelta(minutes=10))
    webhook_events.retry_waiting(later)  # what came before its payment was known
    assert [e.type for e in rows(WebhookEvent) if e.processed_at is None] == []


def all_ends(hotel: Hotelier, back_up: BackUp, events: list[Event], orders: Iterator[Any]) -> list[dict[str, Any]]:
    """The books after each order, each time on the same database as it was before the first of them. Whether they are
    right is looked at once: all others have to be the same, row by row."""
    ends: list[dict[str, Any]] = []
    for order in orders:
        backup = back_up()
        is_told(hotel, [events[number] for number in order], copies=2)
        if not ends:
            hotel.books_are_right()
        ends.append(end(hotel))
        backup.is_put_back()
    return ends


def all_the_same(ends: list[dict[str, Any]]) -> None:
    for number, other in enumerate(ends):
        different = {name: (other[name], ends[0][name]) for name in other if other[name] != ends[0][name]}
        assert not different, (number, different)


def some_orders(length: int, number: int) -> Iterator[tuple[int, ...]]:
    """As it happened, backwards, and others; the same ones in every run."""
    chance = random.Random(2026)
    yield tuple(range(length))
    yield tuple(reversed(range(length)))
    for _ in range(number - 2):
        yield tuple(chance.sample(range(length), length))


def many(sqlite: int, postgres: int) -> int:
    return postgres if db.is_postgres() else sqlite


def news(stripe: Control, known: set[str]) -> list[Event]:
    return [event for event in stripe.events() if event["id"] not in known]


def test_paid_partly_refunded_in_the_dashboard_and_disputed(
    hotel: Hotelier, make_reservation: Make, back_up: BackUp, stripe: Control
) -> None:
    reservation = make_reservation()
    session = hotel.opens_session(reservation)
    paid = stripe.pay(session)["session"]
    made = stripe.refund(paid["payment_intent"], 50_000)
    stripe.move_refund(made["id"], "failed")
    dispute = stripe.dispute(paid["payment_intent"])
    stripe.move_dispute(dispute["id"], "under_review")
    stripe.move_dispute(dispute["id"], "lost")
    events = news(stripe, set())
    assert {"charge.refunded", "refund.failed", "charge.dispute.closed"} <= {event["type"] for event in events}

    ends = all_ends(hotel, back_up, events, some_orders(len(events), many(40, 6)))
    all_the_same(ends)
    assert "confirmed" in ends[0]["Reservation"][0]
    assert ends[0]["Alert"] == ["dispute", "refund failed", "refund made at Stripe"]
    hotel.works()
    hotel.books_are_right()


def test_a_dispute_that_is_still_open(
    hotel: Hotelier, make_reservation: Make, back_up: BackUp, stripe: Control
) -> None:
    reservation = make_reservation()
    hotel.is_paid(reservation)
    known = {event["id"] for event in stripe.events()}
    dispute = stripe.dispute(hotel.intent(reservation))
    for word in ("warning_needs_response", "needs_response", "under_review"):
        stripe.move_dispute(dispute["id"], word)
    events = [event for event in news(stripe, known) if event["type"].startswith("charge.dispute")]
    ends = all_ends(hotel, back_up, events, some_orders(len(events), many(24, 5)))
    all_the_same(ends)
    assert "'status': 'under_review'" in ends[0]["Dispute"][0]
    hotel.works()
    assert disputes() == ["under_review"]
    hotel.books_are_right()


@pytest.mark.parametrize("last", ["succeeded", "failed"])
def test_a_refund_of_ours_whose_answer_was_lost_in_all_orders(
    last: str, hotel: Hotelier, make_reservation: Make, back_up: BackUp, stripe: Control
) -> None:
    reservation = make_reservation(in_days=10)
    hotel.is_paid(reservation, SUCCEEDS_LATER)
    known = {event["id"] for event in stripe.events()}
    stripe.fault("lost_answer", method="POST", path="/v1/refunds", times=2)
    hotel.cancels(reservation)
    stripe.clear_faults()
    assert refunds_of(reservation) == [("policy", 56_250, "sent")]
    stripe.advance(10)
    if last == "failed":
        stripe.move_refund(stripe.truth()["refunds"][0]["id"], "failed")
    events = news(stripe, known)
    kinds = ["refund.created", "charge.refunded", "refund.updated"]
    assert [event["type"] for event in events] == kinds + ["refund.updated", "refund.failed"] * (last == "failed")

    orders = permutations(range(len(events))) if not db.is_postgres() else some_orders(len(events), 5)
    ends = all_ends(hotel, back_up, events, orders)
    all_the_same(ends)
    assert [f"'status': '{last}'" in row for row in ends[0]["Refund"]] == [True]
    hotel.works(minutes=6)
    assert refunds_of(reservation) == [("policy", 56_250, last)]
    assert len(hotel.sent()) == 1
    hotel.books_are_right()


def test_money_for_a_cancelled_stay_that_the_dashboard_gave_back_in_part(
    hotel: Hotelier, make_reservation: Make, back_up: BackUp, stripe: Control
) -> None:
    reservation = make_reservation()
    session = hotel.opens_session(reservation)
    stripe.fault("500", path="/v1/checkout/sessions/*", times=10)
    hotel.cancels(reservation)
    stripe.clear_faults()
    intent = stripe.pay(session)["session"]["payment_intent"]
    stripe.refund(intent, 50_000)
    events = news(stripe, set())
    for order in some_orders(len(events), many(24, 5)):
        backup = back_up()
        is_told(hotel, [events[number] for number in order], copies=2)
        waiting = [row for row in refunds_of(reservation) if row[2] != "canceled"]
        assert sorted(waiting) == [("external", 50_000, "succeeded"), ("returned", 62_500, "todo")]
        backup.is_put_back()
    hotel.works()
    hotel.works(minutes=6)
    assert [amount for _, amount, _ in hotel.sent()] == [50_000, 62_500]
    hotel.books_are_right()


def test_what_comes_before_its_payment_waits_and_is_settled_by_the_worker(
    hotel: Hotelier, make_reservation: Make, stripe: Control
) -> None:
    reservation = make_reservation()
    intent = stripe.pay(hotel.opens_session(reservation))["session"]["payment_intent"]
    stripe.refund(intent, 1_000)
    stripe.dispute(intent)
    early = ("refund.created", "charge.refunded", "charge.dispute.created")
    assert hotel.hears(only=early) == ["pending"] * 3
    assert all(event.payload for event in rows(WebhookEvent))
    assert status(reservation) == ("pending", 0)
    hotel.works(minutes=1)
    assert [event.result for event in rows(WebhookEvent)] == ["success"] * 3
    assert all(event.payload is None for event in rows(WebhookEvent))
    assert status(reservation) == ("confirmed", WHOLE)
    assert refunds_of(reservation) == [("external", 1_000, "succeeded")]
    assert disputes() == ["needs_response"]
    hotel.hears(copies=2)
    hotel.books_are_right()


def test_another_programs_money_is_skipped_for_good(hotel: Hotelier, paid: Reservation, stripe: Control) -> None:
    for metadata in ({}, {"portal": "another", "reservation": paid.code, "payment": "PAY-THEIRS"}):
        intent = stripe.charge_elsewhere(5_000, metadata=metadata)["id"]
        stripe.refund(intent, 1_000)
        stripe.dispute(intent)
    results = hotel.hears(copies=2)
    assert "pending" in results
    hotel.works(minutes=1)
    theirs = [event for event in rows(WebhookEvent) if event.payment_id is None]
    assert {event.result for event in theirs} == {"skipped"}
    assert all(event.processed_at and event.payload is None for event in theirs)
    asked = len(stripe.requests())
    webhook_events.retry_waiting(hotel.deps)
    assert len(stripe.requests()) == asked
    assert len(rows(Payment)) == 1
    assert rows(Refund) == rows(Dispute) == rows(Alert) == []
    hotel.books_are_right()


@pytest.mark.parametrize("kind", ["refund.created", "charge.refunded", "charge.dispute.created"])
def test_a_charge_without_a_payment_intent_is_another_programs(
    kind: str, hotel: Hotelier, paid: Reservation, stripe: Control
) -> None:
    intent = stripe.charge_elsewhere(5_000)["id"]
    stripe.refund(intent, 1_000)
    stripe.dispute(intent)
    (event,) = stripe.events(kind)
    event["data"]["object"]["payment_intent"] = None
    assert hotel.takes(event) == "skipped"
    hotel.works(minutes=1)
    assert [e.result for e in rows(WebhookEvent, event_id=event["id"])] == ["skipped"]
    hotel.books_are_right()


def test_a_second_payment_named_like_the_first_is_told_and_not_settled(
    hotel: Hotelier, paid: Reservation, stripe: Control
) -> None:
    (payment,) = rows(Payment)
    stripe.charge_elsewhere(WHOLE, metadata=names_of(paid, payment.public_id))
    assert set(hotel.hears()) == {"skipped"}
    assert status(paid) == ("confirmed", WHOLE)
    assert [alert.kind for alert in rows(Alert)] == ["two Stripe objects for one payment"]
