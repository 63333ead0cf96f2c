"""The portal is killed while it shows the page after paying; the guest looks again, or the worker asks."""

import pytest

from portal.models import Reservation
from tests import processes
from tests.actors import Guest, session_of
from tests.crash import points
from tests.crash.house import House
from tests.crash.points import Point, each

pytestmark = pytest.mark.exhaustive


def pay_and_die_on_the_way_back(house: House, death: Point) -> tuple[Reservation, Guest]:
    reservation = house.add_stay()
    guest = house.guest_of(reservation)
    house.stripe.pay(session_of(guest.presses_pay()))
    house.will_die_at(death)
    house.dies(lambda: guest.goes_to(f"/reservations/{reservation.code}/success"))
    return reservation, guest


@each(points.RETURN_PAGE)
def test_killed_on_the_return_page_and_opened_again(house: House, death: Point) -> None:
    reservation, guest = pay_and_die_on_the_way_back(house, death)
    address = f"/reservations/{reservation.code}/success"
    # The dead process may have claimed the question for two seconds: until then nobody knows.
    assert guest.goes_to(address).payment_status in ("paid", "checking"), guest.page.text
    if death == points.RETURN_PAGE[1]:
        processes.wait_until(lambda: guest.goes_to(address).payment_status == "paid", "the truth", within=5)
    elif guest.page.payment_status != "paid":
        house.worker_runs()
    page = guest.goes_to(address)
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")
    house.is_confirmed(reservation)


@each(points.RETURN_PAGE)
def test_killed_on_the_return_page_and_pay_pressed_again(house: House, death: Point) -> None:
    reservation, guest = pay_and_die_on_the_way_back(house, death)
    guest._post("/pay", {}, follow=True)  # the form is still open in another tab
    house.is_confirmed(reservation)
    house.hears_everything()
    house.is_confirmed(reservation)


@each(points.RETURN_PAGE)
def test_killed_on_the_return_page_and_the_worker_alone(house: House, death: Point) -> None:
    reservation, _ = pay_and_die_on_the_way_back(house, death)
    house.worker_runs()
    house.is_confirmed(reservation)
