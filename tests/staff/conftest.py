"""The front desk: a manager, a receptionist and somebody who is signed out."""

import pytest

from portal.deps import Deps
from stripe_simulator import Control
from tests.actors import Clock, LivePortal
from tests.refunds.hotel import Hotelier
from tests.staff.desk import Desk


@pytest.fixture
def manager(portal: LivePortal, deps: Deps) -> Desk:
    return Desk(portal.url, deps, "manager")


@pytest.fixture
def reception(portal: LivePortal, deps: Deps) -> Desk:
    return Desk(portal.url, deps, "reception")


@pytest.fixture
def stranger(portal: LivePortal, deps: Deps) -> Desk:
    return Desk(portal.url, deps, None)


@pytest.fixture
def hotel(deps: Deps, stripe: Control, clock: Clock) -> Hotelier:
    """What happens at the hotel away from the desk."""
    return Hotelier(deps, stripe, clock)
