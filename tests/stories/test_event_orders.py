"""Stripe promises no order of its messages: whatever order they come in, the books end the same."""

import random
from collections.abc import Callable, Iterator
from itertools import islice, permutations
from typing import Any

import pytest

from portal import db
from portal.models import Alert, Payment, Refund, Reservation, WebhookEvent
from stripe_simulator import Control
from tests.actors import Clock, Guest, names_of, rows, session_of

pytestmark = pytest.mark.exhaustive

MOST_ON_POSTGRES = 5
"""What is decided from an order is the same there; only locks and SQL differ."""

Make = Callable[..., Reservation]
Ids = list[str]


def test_a_paid_stay_in_every_order(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    def story(reservation: Reservation) -> None:
        stripe.pay(session_of(guest.presses_pay()))

    ends = list(_told_in_orders(story, guest, stripe, make_reservation, permutations(range(4))))
    assert len(ends) == (MOST_ON_POSTGRES if db.is_postgres() else 24)
    assert all(end == ends[0] for end in ends)
    assert ends[0]["reservation"] == ("confirmed", 112_500)


def test_a_card_that_was_declined_first_in_every_order(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    def story(reservation: Reservation) -> None:
        session = session_of(guest.presses_pay())
        stripe.pay(session, card="4000000000009995")
        clock.advance(seconds=40)
        stripe.pay(session)

    ends = list(_told_in_orders(story, guest, stripe, make_reservation, _some_orders(6, 12)))
    assert all(end == ends[0] for end in ends)
    assert ends[0]["reservation"] == ("confirmed", 112_500)
    assert ends[0]["payments"][0]["declines"] == ["insufficient_funds"]


def test_a_second_session_after_a_decline_in_many_orders(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    def story(reservation: Reservation) -> None:
        stripe.pay(session_of(guest.presses_pay()), card="4000000000000002")
        guest.goes_to(f"/reservations/{reservation.code}/failed")
        clock.advance(seconds=40)
        stripe.pay(session_of(guest.presses_pay()))

    ends = list(_told_in_orders(story, guest, stripe, make_reservation, _some_orders(8, 12)))
    assert all(end == ends[0] for end in ends)
    assert [payment["status"] for payment in ends[0]["payments"]] == ["expired", "succeeded"]


def test_a_slow_payment_that_fails_in_many_orders(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    def story(reservation: Reservation) -> None:
        session = stripe.complete_unpaid(session_of(guest.presses_pay()))["session"]
        clock.advance(hours=1)
        stripe.settle(session["payment_intent"], "failed")

    ends = list(_told_in_orders(story, guest, stripe, make_reservation, _some_orders(7, 12)))
    assert all(end == ends[0] for end in ends)
    assert [payment["status"] for payment in ends[0]["payments"]] == ["failed"]
    assert ends[0]["reservation"] == ("pending", 0)


def test_two_payments_for_one_stay_keep_one_and_return_one_in_every_order(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    def story(reservation: Reservation) -> None:
        stripe.pay(session_of(guest.presses_pay()))
        stripe.charge_elsewhere(112_500, metadata=names_of(reservation, f"PAY-OTHER{reservation.id}"))

    for end in _told_in_orders(story, guest, stripe, make_reservation, _some_orders(7, 12)):
        assert end["reservation"] == ("confirmed", 112_500)
        assert sorted(payment["disposition"] for payment in end["payments"]) == ["kept", "returned"]
        assert end["refunds"] == [("returned", "todo", 112_500)]
        assert end["alerts"] == ["money returned"]


def _told_in_orders(
    story: Callable[[Reservation], None],
    guest: Guest,
    stripe: Control,
    make_reservation: Make,
    orders: Iterator[tuple[int, ...]],
) -> Iterator[dict[str, Any]]:
    """Tell the same story of another stay in each order, every event twice; what the books then say of it."""
    known = {event["id"] for event in stripe.events()}
    for number, order in enumerate(islice(orders, MOST_ON_POSTGRES) if db.is_postgres() else orders):
        reservation = make_reservation(in_days=3 + 3 * number)
        guest.opens_link(reservation)
        story(reservation)
        news: Ids = [event["id"] for event in stripe.events() if event["id"] not in known]
        assert len(news) == len(order), [event["type"] for event in stripe.events() if event["id"] in news]
        for position in order:
            assert stripe.deliver(news[position], copies=2) == [200, 200]
        known.update(news)
        assert all(event.processed_at for event in rows(WebhookEvent))
        yield _books(reservation)


def _some_orders(length: int, number: int) -> Iterator[tuple[int, ...]]:
    """First as it happened, then backwards, then others; the same ones in every run."""
    chance = random.Random(2026)
    yield tuple(range(length))
    yield tuple(reversed(range(length)))
    for _ in range(number - 2):
        yield tuple(chance.sample(range(length), length))


def _books(reservation: Reservation) -> dict[str, Any]:
    found = Reservation.get_by_id(reservation.id)
    payments = rows(Payment, reservation=reservation.id)
    refunds = [refund for payment in payments for refund in rows(Refund, payment=payment.id)]
    return {
        "reservation": (found.status, found.paid),
        "payments": [_facts(payment) for payment in payments],
        "refunds": [(refund.kind, refund.status, refund.amount) for refund in refunds],
        "alerts": [alert.kind for alert in rows(Alert, reservation=reservation.id)],
    }


def _facts(payment: Payment) -> dict[str, Any]:
    """All that the orders must agree on; instants as seconds since the row was made."""
    same = ("status", "disposition", "amount", "received_amount", "attempt_number", "decline_code", "error_code")
    since = {
        name: at and (at - payment.created_at).total_seconds()
        for name in ("declined_at", "completed_at")
        for at in [getattr(payment, name)]
    }
    ids = {name: getattr(payment, name) is not None for name in ("payment_intent_id", "charge_id")}
    return {
        **{name: getattr(payment, name) for name in same},
        **since,
        **ids,
        "declines": sorted(code for code, _ in payment.declines.values()),
    }
