"""The process dies at every step between Stripe's answer and our commit: whoever comes next finishes, once.

Not killed for real but raised through everything, like a process that is told to stop; `tests/crash` kills."""

from collections.abc import Callable
from typing import Any

import pytest

from portal import jobs
from portal.db import db
from portal.models import Refund, Reservation
from portal.services import (
    cancellations,
    checkout_sessions,
    mails,
    nights,
    refund_sending,
    refunds,
    state,
    webhook_events,
)
from portal.services.cancellations import MayNotCancel
from tests.actors import rows
from tests.refunds.hotel import WHOLE, Hotelier, refunds_of, status

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]


class Dies(BaseException):
    """Nothing catches it."""


def dies_once(owner: Any, name: str, when: str, patch: pytest.MonkeyPatch) -> list[str]:
    """The first call dies before or after it did its work; the others live. The list fills when it happened."""
    function, happened = getattr(owner, name), []

    def dying(*args: Any, **named: Any) -> Any:
        if not happened and when == "before":
            happened.append(name)
            raise Dies
        answer = function(*args, **named)
        if not happened:
            happened.append(name)
            raise Dies
        return answer

    patch.setattr(owner, name, dying)
    return happened


STEPS = [
    (cancellations, "_cancel"),
    (cancellations, "_write"),
    (state, "move"),
    (refunds, "insert"),
    (nights, "free_nights"),
    (mails, "queue"),
    (checkout_sessions, "close_unwanted"),
    (refund_sending, "send_due"),
    (refund_sending, "_claim"),
    ("stripe", "list_refunds"),
    (refund_sending, "_decide"),
    ("stripe", "create_refund"),
    (refunds, "settle_refund_inside"),
]
NAMES = [f"{getattr(owner, '__name__', owner).rsplit('.', 1)[-1]}.{name}" for owner, name in STEPS]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), STEPS, ids=NAMES)
def test_a_cancellation_that_dies_anywhere_is_finished_once(
    owner: Any, name: str, when: str, hotel: Hotelier, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    reservation = make_reservation(in_days=10)
    hotel.is_paid(reservation)
    with monkeypatch.context() as patch:
        happened = dies_once(hotel.deps.stripe.__class__ if owner == "stripe" else owner, name, when, patch)
        with pytest.raises(Dies):
            hotel.cancels(reservation)
        assert happened
    assert not db.in_transaction()
    done = status(reservation)[0] == "cancelled"
    assert len(rows(Refund)) == done, "both or none"

    hotel.works(minutes=6)
    if done:
        with pytest.raises(MayNotCancel):
            hotel.cancels(reservation)
    else:
        hotel.cancels(reservation)
    hotel.works(minutes=6)
    hotel.hears(copies=2)
    assert status(reservation) == ("cancelled", WHOLE)
    assert refunds_of(reservation) == [("policy", 56_250, "succeeded")]
    assert [amount for _, amount, _ in hotel.sent()] == [56_250]
    hotel.books_are_right()


@pytest.mark.parametrize("hours", [0.1, 25])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), STEPS[8:], ids=NAMES[8:])
def test_a_worker_that_dies_while_sending_is_followed_by_another(
    owner: Any,
    name: str,
    when: str,
    hours: float,
    hotel: Hotelier,
    make_reservation: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reservation = make_reservation(in_days=10)
    hotel.is_paid(reservation)
    hotel.stripe.fault("500", path="/v1/refunds", times=10)
    hotel.cancels(reservation)
    hotel.stripe.clear_faults()
    hotel.clock.advance(minutes=6)
    with monkeypatch.context() as patch:
        happened = dies_once(hotel.deps.stripe.__class__ if owner == "stripe" else owner, name, when, patch)
        with pytest.raises(Dies):
            jobs.run_once(hotel.deps)
        assert happened
    hotel.works(hours=hours)
    hotel.works(minutes=6)
    hotel.hears(copies=2)
    assert refunds_of(reservation) == [("policy", 56_250, "succeeded")]
    assert [amount for _, amount, _ in hotel.sent()] == [56_250]
    hotel.books_are_right()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["_insert", "_apply", "_finish"])
def test_a_message_about_a_refund_that_dies_is_taken_when_it_comes_again(
    name: str, when: str, hotel: Hotelier, paid: Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    hotel.stripe.refund(hotel.intent(paid), 50_000)
    with monkeypatch.context() as patch:
        dies_once(webhook_events, name, when, patch)
        with pytest.raises(Dies):
            hotel.hears(only=["refund.created"])
    assert refunds_of(paid) == []
    assert hotel.hears(copies=2)
    assert refunds_of(paid) == [("external", 50_000, "succeeded")]
    hotel.books_are_right()
