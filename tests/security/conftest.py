"""The application without its question for a form's token, so that what answers is what is being tested."""

from collections.abc import Callable

import pytest
from flask import Flask

from portal import create_app, logs
from portal.deps import Deps
from portal.models import Payment, Refund, Reservation
from stripe_simulator import Control
from tests.actors import Clock, keep_compiled_templates
from tests.refunds.hotel import Hotelier, only_refund


@pytest.fixture
def app(deps: Deps) -> Flask:
    made = create_app(deps.settings, deps)
    made.config["WTF_CSRF_ENABLED"] = False
    keep_compiled_templates(made)
    logs.configure("console", only_errors=True)
    return made


@pytest.fixture
def hotel(deps: Deps, stripe: Control, clock: Clock) -> Hotelier:
    return Hotelier(deps, stripe, clock)


@pytest.fixture
def theirs(hotel: Hotelier, make_reservation: Callable[..., Reservation]) -> tuple[Reservation, Payment, Refund]:
    """Another guest's stay: paid, cancelled, and its refund on the way."""
    stay = make_reservation(room="River room", guest_name="Bruno Teles", email="bruno@teles.example")
    payment = hotel.is_paid(stay)
    hotel.cancels(stay)
    hotel.works()
    hotel.hears()
    return stay, payment, only_refund()
