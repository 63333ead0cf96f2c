"""Killed again while it recovers, and killed at every commit that there is, whatever it is for."""

from collections.abc import Callable
from itertools import product

import pytest
import requests

from portal.models import Reservation
from tests.actors import session_of
from tests.crash import points
from tests.crash.books import ours
from tests.crash.house import House
from tests.crash.points import PAY, RETRY, RETURN_PAGE, WEBHOOK, Point
from tests.crash.test_kill_message import pay_and_die_at_the_message
from tests.crash.test_kill_pay import press_pay_and_die
from tests.crash.test_kill_retry import DECLINED, decline_and_die_while_trying_again

pytestmark = pytest.mark.exhaustive

Pair = tuple[Point, Point]
ALWAYS = ((PAY[1], PAY[3]), (PAY[3], PAY[5]), (PAY[5], PAY[6]))
"""The other pairs take minutes: `make deep`."""


def each_pair_of_pay() -> list[object]:
    deep = pytest.mark.deep
    return [pytest.param(pair, marks=() if pair in ALWAYS else deep, id=_id(pair)) for pair in product(PAY, PAY)]


def _id(pair: Pair) -> str:
    return " then ".join(point.name for point in pair)


def dies_or_lives(house: House, act: Callable[[], object]) -> bool:
    """Whether it died: the second death may be at a step that recovering does not come by."""
    try:
        act()
    except requests.ConnectionError:
        assert not house.is_armed()
        return True
    house.will_die_at()
    return False


@pytest.mark.parametrize("pair", each_pair_of_pay())
def test_killed_twice_while_pay_was_pressed(house: House, pair: Pair) -> None:
    reservation = press_pay_and_die(house, pair[0])
    guest = house.guest_of(reservation)
    house.will_die_at(pair[1])
    assert dies_or_lives(house, guest.presses_pay) or pair not in ALWAYS
    house.becomes_paid(reservation)


@pytest.mark.parametrize("pair", [(RETRY[2], RETRY[5]), (RETRY[4], RETRY[6])], ids=_id)
def test_killed_twice_while_trying_again(house: House, pair: Pair) -> None:
    reservation, first = decline_and_die_while_trying_again(house, pair[0])
    guest = house.guest_of(reservation)
    house.will_die_at(Point(pair[1].name, pair[1].target, pair[1].when))
    assert dies_or_lives(house, guest.presses_pay)
    house.becomes_paid(reservation)
    assert house.stripe.pay(first)["status"] == "not_open"


@pytest.mark.parametrize("pair", [(WEBHOOK[3], RETURN_PAGE[4]), (WEBHOOK[1], RETURN_PAGE[2])], ids=_id)
def test_killed_at_the_message_and_on_the_return_page(house: House, pair: Pair) -> None:
    reservation, guest = pay_and_die_at_the_message(house, pair[0])
    house.will_die_at(pair[1])
    house.dies(lambda: guest.goes_to(f"/reservations/{reservation.code}/success"))
    house.worker_runs()
    house.is_confirmed(reservation)
    house.hears_everything()
    house.is_confirmed(reservation)


# Every commit

Doing = tuple[Reservation, Callable[[], object]]


def dies_at_every_commit(house: House, begin: Callable[[House], Doing], least: int) -> None:
    """Do something with a death at its first commit, at its second…, until it lives; each time all comes right."""
    for turn in range(1, 20):
        for point in points.COMMIT:
            reservation, act = begin(house)
            house.will_die_at(Point(point.name, point.target, point.when, turn))
            died = dies_or_lives(house, act)
            finish(house, reservation)
            if not died:
                assert turn > least
                return
    raise AssertionError("it never lived")


def finish(house: House, reservation: Reservation) -> None:
    sessions = ours(house.stripe.truth()["sessions"], reservation)
    if any(session["status"] == "complete" for session in sessions):
        house.worker_runs()
        house.is_confirmed(reservation)
    else:
        house.becomes_paid(reservation)


def begin_pay(house: House) -> Doing:
    reservation = house.add_stay()
    return reservation, house.guest_of(reservation).presses_pay


def begin_message(house: House) -> Doing:
    reservation = house.add_stay()
    house.stripe.pay(session_of(house.guest_of(reservation).presses_pay()))

    def deliver() -> None:
        if house.hears_of_payment(reservation) == [None]:
            raise requests.ConnectionError

    return reservation, deliver


def begin_return(house: House) -> Doing:
    reservation = house.add_stay()
    guest = house.guest_of(reservation)
    house.stripe.pay(session_of(guest.presses_pay()))
    return reservation, lambda: guest.goes_to(f"/reservations/{reservation.code}/success")


def begin_retry(house: House) -> Doing:
    reservation = house.add_stay()
    guest = house.guest_of(reservation)
    house.stripe.pay(session_of(guest.presses_pay()), DECLINED)
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    return reservation, guest.presses_pay


@pytest.mark.parametrize(
    ("begin", "least"),
    [
        pytest.param(begin_pay, 2, id="pay"),
        pytest.param(begin_message, 1, id="message"),
        pytest.param(begin_return, 2, id="return page"),
        pytest.param(begin_retry, 5, id="trying again", marks=pytest.mark.deep),
    ],
)
def test_killed_at_every_commit(house: House, begin: Callable[[House], Doing], least: int) -> None:
    dies_at_every_commit(house, begin, least)
