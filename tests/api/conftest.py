"""Programs with the tokens that there are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal.deps import Deps
from portal.models import Reservation
from portal.services import reservations
from stripe_simulator import Control
from tests.actors import Clock, LivePortal
from tests.api.program import STAY, Program, link_token, make_token
from tests.refunds.hotel import Hotelier


@pytest.fixture
def program(portal: LivePortal, deps: Deps) -> Program:
    """A booking site with a token for everything."""
    return Program(portal.url, make_token(deps))


@pytest.fixture
def as_guest(portal: LivePortal, deps: Deps) -> Callable[[Reservation], Program]:
    """What a guest can do with the token of the private link."""
    return lambda reservation: Program(portal.url, link_token(deps, reservation))


@pytest.fixture
def new_stay(deps: Deps) -> dict[str, Any]:
    """Two nights in the River room, in 30 days."""
    day = reservations.today_at_hotel(deps) + timedelta(days=30)
    return {**STAY, "check_in": day.isoformat(), "check_out": (day + timedelta(days=2)).isoformat()}


@pytest.fixture
def hotel(deps: Deps, stripe: Control, clock: Clock) -> Hotelier:
    """Everything that happens at the hotel without the API, by the same services."""
    return Hotelier(deps, stripe, clock)


@pytest.fixture
def paid(hotel: Hotelier, make_reservation: Callable[..., Reservation]) -> Reservation:
    """A confirmed stay in 30 days, paid by card: €1,125.00."""
    reservation = make_reservation()
    hotel.is_paid(reservation)
    return reservation


@pytest.fixture
def allow_origin() -> str:
    """Another address that guests may be sent back to, as the tests' settings have it."""
    return "https://shop.hotel.example"
