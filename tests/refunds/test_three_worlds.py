"""The same stories where only messages come, where none ever comes, and where both do: all end alike."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.models import Reservation
from portal.services import refund_sending, webhook_events
from tests.refunds.hotel import (
    FAILS_LATER,
    SUCCEEDS_LATER,
    WHOLE,
    Hotelier,
    alerts,
    disputes,
    refunds_of,
    status,
)

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]
World = Callable[..., None]


@pytest.fixture(params=["messages only", "sweeps only", "both"])
def time_passes(request: pytest.FixtureRequest, hotel: Hotelier) -> World:
    """Some time, in which the portal hears of things in the ways that this world has."""

    def messages_only() -> None:
        """Refunds are sent and stored messages retried, but nobody asks Stripe of his own accord."""
        hotel.hears(copies=2)
        webhook_events.retry_waiting(hotel.deps)
        refund_sending.send_due(hotel.deps)
        hotel.hears()

    def both() -> None:
        messages_only()
        hotel.works()

    ways = {"messages only": messages_only, "sweeps only": hotel.works, "both": both}

    def passes(**time: float) -> None:
        end = hotel.clock.now() + timedelta(**time)
        while hotel.clock.now() < end:
            hotel.clock.advance(seconds=min(1_800.0, (end - hotel.clock.now()).total_seconds()))
            ways[request.param]()

    return passes


def pays(hotel: Hotelier, reservation: Reservation, card: str = "4242424242424242") -> str:
    return str(hotel.stripe.pay(hotel.opens_session(reservation), card)["session"]["payment_intent"])


def test_paid_cancelled_refunded(hotel: Hotelier, make_reservation: Make, time_passes: World) -> None:
    reservation = make_reservation(in_days=10)
    pays(hotel, reservation)
    time_passes(minutes=10)
    assert status(reservation) == ("confirmed", WHOLE)
    hotel.stripe.fault("500", method="POST", path="/v1/refunds", times=1)
    hotel.cancels(reservation)
    time_passes(hours=1)
    assert refunds_of(reservation) == [("policy", 56_250, "succeeded")]
    assert len(hotel.sent()) == 1
    hotel.books_are_right()


def test_a_refund_that_is_pending_and_then_succeeds(
    hotel: Hotelier, make_reservation: Make, time_passes: World
) -> None:
    reservation = make_reservation()
    pays(hotel, reservation, SUCCEEDS_LATER)
    time_passes(minutes=5)
    hotel.cancels(reservation)
    assert refunds_of(reservation) == [("policy", WHOLE, "pending")]
    time_passes(hours=1)
    assert refunds_of(reservation) == [("policy", WHOLE, "succeeded")]
    hotel.books_are_right()


def test_a_refund_that_fails_after_it_succeeded(hotel: Hotelier, make_reservation: Make, time_passes: World) -> None:
    reservation = make_reservation()
    pays(hotel, reservation, FAILS_LATER)
    time_passes(minutes=5)
    hotel.cancels(reservation)
    assert refunds_of(reservation) == [("policy", WHOLE, "succeeded")]
    time_passes(minutes=40)
    assert refunds_of(reservation) == [("policy", WHOLE, "failed")]
    assert alerts() == ["refund failed"]
    hotel.books_are_right()


def test_money_for_a_cancelled_stay(hotel: Hotelier, make_reservation: Make, time_passes: World) -> None:
    reservation = make_reservation()
    session = hotel.opens_session(reservation)
    hotel.stripe.fault("500", path="/v1/checkout/sessions/*", times=2)
    hotel.cancels(reservation)
    hotel.stripe.clear_faults()
    hotel.stripe.pay(session)
    time_passes(hours=1)
    assert refunds_of(reservation) == [("returned", WHOLE, "succeeded")]
    assert alerts() == ["money returned"]
    hotel.books_are_right()


def test_a_dashboard_refund_and_then_a_cancellation(
    hotel: Hotelier, make_reservation: Make, time_passes: World
) -> None:
    reservation = make_reservation()
    intent = pays(hotel, reservation)
    time_passes(minutes=5)
    hotel.stripe.refund(intent, 12_500)
    time_passes(hours=1)
    assert hotel.cancels(reservation).due == 100_000
    time_passes(minutes=30)
    assert refunds_of(reservation) == [("external", 12_500, "succeeded"), ("policy", 100_000, "succeeded")]
    hotel.books_are_right()


@pytest.mark.parametrize(("word", "end"), [("won", "succeeded"), ("lost", "canceled")])
def test_a_dispute_that_ends(word: str, end: str, hotel: Hotelier, make_reservation: Make, time_passes: World) -> None:
    reservation = make_reservation()
    intent = pays(hotel, reservation)
    time_passes(minutes=5)
    dispute = hotel.stripe.dispute(intent)
    time_passes(minutes=30)
    hotel.cancels(reservation)
    time_passes(hours=1)
    assert refunds_of(reservation) == [("policy", WHOLE, "todo")]
    hotel.stripe.move_dispute(dispute["id"], word)
    time_passes(hours=1)
    assert disputes() == [word]
    assert refunds_of(reservation) == [("policy", WHOLE, end)]
    assert len(hotel.sent()) == (word == "won")
    hotel.books_are_right()
