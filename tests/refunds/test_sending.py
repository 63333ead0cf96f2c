"""Sending a refund while Stripe answers badly, late or not at all: it is made once, and never in a hot loop."""

from collections.abc import Callable

import pytest

from portal.gateways.stripe_gateway import StripeRefused
from portal.models import Reservation
from portal.services import refund_sending
from stripe_simulator import Control
from tests.refunds.hotel import REFUNDS, WHOLE, Hotelier, alerts, only_refund, refunds_of, status

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]


def posts(stripe: Control) -> int:
    """How often Stripe was asked to make a refund."""
    return len([call for call in stripe.requests() if (call["method"], call["path"]) == ("POST", REFUNDS)])


# Answers that are lost


@pytest.mark.parametrize("hours", [0.1, 1, 25, 24 * 4])
def test_a_refund_whose_answer_was_lost_is_found_and_not_made_again(
    hours: float, hotel: Hotelier, make_reservation: Make, stripe: Control
) -> None:
    """Also after a day, when Stripe has forgotten the key; half a payment could go back twice."""
    reservation = make_reservation(in_days=10)
    hotel.is_paid(reservation)
    stripe.fault("lost_answer", method="POST", path=REFUNDS)
    hotel.cancels(reservation)
    assert refunds_of(reservation) == [("policy", 56_250, "sent")]
    hotel.clock.advance(hours=hours)
    assert refund_sending.send_due(hotel.deps) == 1
    assert refunds_of(reservation) == [("policy", 56_250, "succeeded")]
    assert hotel.sent() == [(only_refund().public_id, 56_250, "succeeded")]
    assert posts(stripe) == 1
    hotel.hears()
    hotel.books_are_right()


def test_a_refund_that_is_made_while_we_no_longer_listen_is_found(hotel: Hotelier, paid: Reservation) -> None:
    hotel.stripe.fault("timeout_after", method="POST", path=REFUNDS, seconds=1.2)
    hotel.cancels(paid)
    assert refunds_of(paid) == [("policy", WHOLE, "sent")]
    hotel.works(minutes=6)
    assert refunds_of(paid) == [("policy", WHOLE, "succeeded")]
    assert len(hotel.sent()) == 1
    hotel.books_are_right()


# Stripe is not well


@pytest.mark.parametrize("trouble", ["429", "500", "not_json", "reset_before", "timeout_before", "401"])
@pytest.mark.parametrize("where", ["GET", "POST"])
def test_a_guest_cancels_whatever_stripe_answers_and_gets_the_money_later(
    trouble: str, where: str, hotel: Hotelier, paid: Reservation
) -> None:
    hotel.stripe.fault(trouble, method=where, path=REFUNDS, times=1, seconds=1.2)
    assert hotel.cancels(paid).due == WHOLE
    assert status(paid) == ("cancelled", WHOLE)
    assert hotel.sent() == []
    assert refunds_of(paid) == [("policy", WHOLE, "todo" if where == "GET" else "sent")]
    assert refund_sending.send_due(hotel.deps) == 0, "not again at once"
    hotel.works(minutes=6)
    assert refunds_of(paid) == [("policy", WHOLE, "succeeded")]
    assert len(hotel.sent()) == 1
    assert alerts() == (["Stripe refuses the API key"] if trouble == "401" else [])
    hotel.hears()
    hotel.books_are_right()


def test_an_error_that_stripe_keeps_under_the_key_does_not_hold_the_guests_money_for_a_day(
    hotel: Hotelier, paid: Reservation
) -> None:
    hotel.stripe.fault("500_stored", method="POST", path=REFUNDS)
    hotel.cancels(paid)
    assert hotel.sent() == []
    hotel.works_until_quiet(1)
    assert refunds_of(paid) == [("policy", WHOLE, "succeeded")]
    assert hotel.sent() == [(only_refund().public_id, WHOLE, "succeeded")]
    hotel.books_are_right()


def test_a_day_without_stripe_costs_few_calls_and_one_refund(hotel: Hotelier, paid: Reservation) -> None:
    hotel.stripe.fault("500", path=REFUNDS, times=10_000)
    hotel.cancels(paid)
    for _ in range(24 * 12):
        hotel.clock.advance(minutes=5)
        refund_sending.send_due(hotel.deps)
    tried = only_refund().tries
    assert tried <= 12, "the pauses grow"
    hotel.stripe.clear_faults()
    hotel.works(hours=12)
    assert refunds_of(paid) == [("policy", WHOLE, "succeeded")]
    assert len(hotel.sent()) == 1
    hotel.hears()
    hotel.books_are_right()


def test_one_refund_that_stripe_refuses_to_list_does_not_stop_the_others(
    hotel: Hotelier, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays = [make_reservation(in_days=20 + 3 * number) for number in range(3)]
    for stay in stays:
        hotel.is_paid(stay)
    foreign = hotel.intent(stays[0])
    hotel.stripe.fault("500", path=REFUNDS, times=10_000)
    for stay in stays:
        hotel.cancels(stay)
    hotel.stripe.clear_faults()
    hotel.clock.advance(minutes=6)
    listed = hotel.deps.stripe.list_refunds

    def refuses(intent_id: str) -> object:
        if intent_id == foreign:
            raise StripeRefused("resource_missing")
        return listed(intent_id)

    with monkeypatch.context() as trouble:
        trouble.setattr(hotel.deps.stripe, "list_refunds", refuses)
        refund_sending.send_due(hotel.deps)
    assert [refunds_of(stay)[0][2] for stay in stays] == ["todo", "succeeded", "succeeded"]
    assert alerts() == ["refund refused by Stripe"]
    hotel.works(minutes=10)
    assert refunds_of(stays[0]) == [("policy", WHOLE, "succeeded")]
    hotel.books_are_right()


# Stripe refuses


def refuses_because_refunded_between(hotel: Hotelier, monkeypatch: pytest.MonkeyPatch, amount: int | None) -> None:
    """Somebody refunds in the dashboard after we looked and before we send."""
    create = hotel.deps.stripe.create_refund

    def late(intent_id: str, *rest: object) -> object:
        hotel.stripe.refund(intent_id, amount)
        return create(intent_id, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(hotel.deps.stripe, "create_refund", late)


def test_a_dashboard_refund_at_the_last_moment_leaves_the_rest_to_us(
    hotel: Hotelier, paid: Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as moment:
        refuses_because_refunded_between(hotel, moment, 50_000)
        hotel.cancels(paid)
    assert refunds_of(paid) == [("policy", WHOLE, "sent")]
    assert alerts() == ["refund refused by Stripe"]
    hotel.works_until_quiet(1)
    assert [amount for _, amount, _ in hotel.sent()] == [50_000, 62_500]
    left = [row for row in refunds_of(paid) if row[2] != "canceled"]
    assert sorted(left) == [("external", 50_000, "succeeded"), ("policy", 62_500, "succeeded")]
    assert posts(hotel.stripe) == 2
    hotel.hears()
    hotel.books_are_right()


def test_a_dashboard_refund_of_everything_at_the_last_moment_ends_ours(
    hotel: Hotelier, paid: Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as moment:
        refuses_because_refunded_between(hotel, moment, None)
        hotel.cancels(paid)
    hotel.works_until_quiet(1)
    assert refunds_of(paid) == [("policy", WHOLE, "canceled"), ("external", WHOLE, "succeeded")]
    assert (len(hotel.sent()), posts(hotel.stripe)) == (1, 1)
    assert sorted(alerts()) == ["refund made at Stripe", "refund refused by Stripe"]
    hotel.books_are_right()


def test_a_half_that_went_back_at_the_last_moment_in_the_dashboard_is_still_only_a_half(
    hotel: Hotelier, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The charge has room for both, so Stripe refuses nothing: both exist, and staff are told of the other."""
    reservation = make_reservation(in_days=10)
    hotel.is_paid(reservation)
    with monkeypatch.context() as moment:
        refuses_because_refunded_between(hotel, moment, 10_000)
        hotel.cancels(reservation)
    hotel.works()
    assert refunds_of(reservation) == [("policy", 56_250, "succeeded"), ("external", 10_000, "succeeded")]
    assert alerts() == ["refund made at Stripe"]
    hotel.books_are_right()


def test_a_refund_that_stripe_keeps_refusing_is_asked_for_ever_more_rarely_and_told_once(
    hotel: Hotelier, paid: Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> object:
        raise StripeRefused("insufficient_funds_on_the_moon")

    with monkeypatch.context() as trouble:
        trouble.setattr(hotel.deps.stripe, "create_refund", refuses)
        hotel.cancels(paid)
        for _ in range(100):
            hotel.clock.advance(minutes=30)
            refund_sending.send_due(hotel.deps)
    assert only_refund().tries <= 14
    assert alerts() == ["refund refused by Stripe"]
    hotel.works(hours=13)
    assert refunds_of(paid) == [("policy", WHOLE, "succeeded")]
    hotel.books_are_right()
