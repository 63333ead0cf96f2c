"""Every page of every situation can be read and used by everyone."""

from collections.abc import Callable, Iterator

import pytest

from portal.deps import Deps
from portal.models import Reservation
from stripe_simulator import Control
from tests.actors import Clock, Guest
from tests.browser import looks, situations
from tests.browser.conftest import NewVisitor
from tests.browser.situations import ON_SQLITE, World

pytestmark = ON_SQLITE


@pytest.fixture
def world(
    guest: Guest,
    new_visitor: NewVisitor,
    stripe: Control,
    clock: Clock,
    deps: Deps,
    make_reservation: Callable[..., Reservation],
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    visitor = new_visitor(reduced_motion="reduce")
    return World(guest, visitor, stripe, clock, deps, make_reservation, monkeypatch)


@pytest.mark.parametrize("situation", situations.ALL, ids=lambda situation: situation.__name__)
def test_everyone_can_read_and_use_every_page(situation: Callable[[World], Iterator[str]], world: World) -> None:
    problems: list[str] = []
    for name in situation(world):
        problems += looks.check(world.visitor.page, name, ours=not name.startswith("stripe-"))
    assert not problems, "\n".join(problems)
