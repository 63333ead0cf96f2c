"""The portal is killed while somebody presses Pay; another click or the worker alone put it right."""

import pytest

from portal.models import Reservation
from tests.crash import points
from tests.crash.books import open_sessions
from tests.crash.house import House
from tests.crash.points import Point, each

pytestmark = pytest.mark.exhaustive


def press_pay_and_die(house: House, death: Point) -> Reservation:
    reservation = house.add_stay()
    guest = house.guest_of(reservation)
    house.will_die_at(death)
    house.dies(guest.presses_pay)
    return reservation


@each(points.PAY)
def test_killed_while_pay_was_pressed_and_pressed_again(house: House, death: Point) -> None:
    reservation = press_pay_and_die(house, death)
    house.becomes_paid(reservation)


@each(points.PAY)
def test_killed_while_pay_was_pressed_and_the_worker_alone(house: House, death: Point) -> None:
    reservation = press_pay_and_die(house, death)
    made = open_sessions(house.stripe.truth(), reservation)
    house.worker_runs()
    assert open_sessions(house.stripe.truth(), reservation) == made  # a sweep never makes a session, nor loses one
    house.agrees(reservation)
    house.becomes_paid(reservation)


@each(tuple(p for p in points.PAY if "we do not know" in p.name or "opened" in p.name))
def test_paid_although_the_portal_died_before_it_knew_the_session(house: House, death: Point) -> None:
    reservation = press_pay_and_die(house, death)
    (session,) = open_sessions(house.stripe.truth(), reservation)
    house.stripe.pay(session)
    house.hears_everything()  # the message comes for a row that does not know its session
    house.is_confirmed(reservation)
