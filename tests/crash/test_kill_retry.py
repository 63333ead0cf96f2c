"""The portal is killed while somebody tries again after a declined card."""

import pytest

from portal.models import Reservation
from tests.actors import session_of
from tests.crash import points
from tests.crash.books import open_sessions
from tests.crash.house import House
from tests.crash.points import Point, each

pytestmark = pytest.mark.exhaustive

DECLINED = "4000000000000002"


def decline_and_die_while_trying_again(house: House, death: Point) -> tuple[Reservation, str]:
    reservation = house.add_stay()
    guest = house.guest_of(reservation)
    first = session_of(guest.presses_pay())
    assert house.stripe.pay(first, DECLINED)["status"] == "declined"
    house.hears_everything()
    guest.opens_link(reservation)
    house.will_die_at(death)
    house.dies(guest.presses_pay)
    return reservation, first


@each(points.RETRY)
def test_killed_while_trying_again_and_tried_once_more(house: House, death: Point) -> None:
    reservation, first = decline_and_die_while_trying_again(house, death)
    assert len(open_sessions(house.stripe.truth(), reservation)) <= 1
    house.becomes_paid(reservation)
    assert house.stripe.pay(first)["status"] == "not_open"


@each(points.RETRY)
def test_killed_while_trying_again_and_the_worker_alone(house: House, death: Point) -> None:
    reservation, _ = decline_and_die_while_trying_again(house, death)
    house.worker_runs()
    house.hears_everything()
    house.agrees(reservation)
    house.becomes_paid(reservation)


@each(points.RETRY[:2])
def test_killed_while_trying_again_and_the_old_session_paid_meanwhile(house: House, death: Point) -> None:
    reservation, first = decline_and_die_while_trying_again(house, death)
    assert house.stripe.pay(first)["status"] == "paid"
    guest = house.guest_of(reservation)
    guest._post("/pay", {}, follow=True)
    house.is_confirmed(reservation)
