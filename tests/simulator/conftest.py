"""A simulator per test; when the test is over, all that it emitted is checked against Stripe's description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

from stripe_simulator import Control, Simulator, start
from tests.simulator import openapi, shop
from tests.simulator.receiver import SECRET, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def simulator(receiver: Receiver) -> Iterator[Simulator]:
    simulator = start(webhook_url=receiver.url, webhook_secrets=(SECRET,))
    yield simulator
    check_everything(Control(simulator.url))
    simulator.stop()


def check_everything(control: Control) -> None:
    """Every object and every event is as Stripe describes it."""
    for event in control.events():
        openapi.check_event(event)
    for books in control.truth().values():
        for doc in books:
            openapi.check_object(doc["object"], doc)


@pytest.fixture
def control(simulator: Simulator) -> Control:
    return Control(simulator.url)


@pytest.fixture
def api(simulator: Simulator) -> stripe.StripeClient:
    return shop.client(simulator.url)


@pytest.fixture
def session(api: stripe.StripeClient) -> Any:
    """An open session over 1,125.00 euros."""
    return api.v1.checkout.sessions.create(params=shop.order())


@pytest.fixture
def paid(api: stripe.StripeClient, control: Control) -> Callable[..., Any]:
    """Makes a paid payment intent, with the card that the test names."""

    def pay(card: str = shop.OK, **changes: Any) -> Any:
        session = api.v1.checkout.sessions.create(params=shop.order(**changes))
        answer = control.pay(session.id, card, authentication="pass")
        assert answer["status"] == "paid"
        return api.v1.payment_intents.retrieve(answer["session"]["payment_intent"])

    return pay
