"""The portal is killed while it applies Stripe's message; Stripe repeats it, or the worker asks."""

import pytest

from portal.models import Reservation
from tests.actors import Guest, session_of
from tests.crash import points
from tests.crash.house import House
from tests.crash.points import Point, each

pytestmark = pytest.mark.exhaustive


def pay_and_die_at_the_message(house: House, death: Point) -> tuple[Reservation, Guest]:
    reservation = house.add_stay()
    guest = house.guest_of(reservation)
    assert house.stripe.pay(session_of(guest.presses_pay()))["status"] == "paid"
    house.will_die_at(death)
    assert house.hears_of_payment(reservation) == [None]
    assert not house.is_armed()
    guest.browser.close()  # its kept connection was to the dead process
    return reservation, guest


@each(points.WEBHOOK)
def test_killed_while_a_message_was_applied_and_stripe_repeats_it(house: House, death: Point) -> None:
    reservation, _ = pay_and_die_at_the_message(house, death)
    assert house.hears_of_payment(reservation) == [200]  # this one alone: another message would hide that it was lost
    assert Reservation.get_by_id(reservation.id).status == "confirmed"
    house.hears_everything()
    house.is_confirmed(reservation)


@each(points.WEBHOOK)
def test_killed_while_a_message_was_applied_and_the_worker_alone(house: House, death: Point) -> None:
    reservation, _ = pay_and_die_at_the_message(house, death)
    house.worker_runs()
    house.is_confirmed(reservation)
    house.hears_everything()
    house.is_confirmed(reservation)
