"""The portal is killed while a guest cancels: the stay and its refund are both there or neither, and the money goes back once."""

import pytest

from portal.models import Cancellation, Payment, Refund, Reservation
from tests.actors import Guest, session_of
from tests.crash import points
from tests.crash.house import House
from tests.crash.points import Point, each

pytestmark = pytest.mark.exhaustive

NOT_COMMITTED = points.CANCEL[:2]


def cancel_and_die(house: House, death: Point) -> tuple[Reservation, Guest]:
    reservation = house.add_stay()
    guest = house.guest_of(reservation)
    house.stripe.pay(session_of(guest.presses_pay()))
    house.hears_everything()
    guest.goes_to(f"/reservations/{reservation.code}/cancel")
    house.will_die_at(death)
    house.dies(lambda: guest.sends("/cancel"))
    return reservation, guest


@each(points.CANCEL)
def test_killed_while_cancelling_and_pressed_again(house: House, death: Point) -> None:
    reservation, guest = cancel_and_die(house, death)
    page = guest.sends("/cancel")
    assert page.reservation_status == "cancelled"
    house.worker_runs()
    is_returned_once(house, reservation)


@each(points.CANCEL)
def test_killed_while_cancelling_and_the_worker_alone(house: House, death: Point) -> None:
    reservation, guest = cancel_and_die(house, death)
    house.worker_runs()
    if death in NOT_COMMITTED:
        house.is_confirmed(reservation)  # as if the guest had never pressed it
        assert refunds_of(reservation) == []
        guest.sends("/cancel")
        house.worker_runs()
    is_returned_once(house, reservation)


def is_returned_once(house: House, reservation: Reservation) -> None:
    """All the money, by one refund, in our books as at Stripe; messages that come late change nothing."""
    for _ in range(2):
        assert Reservation.get_by_id(reservation.id).status == "cancelled"
        assert [(r.amount, r.status) for r in refunds_of(reservation)] == [(112_500, "succeeded")]
        assert Cancellation.select().where(Cancellation.reservation == reservation.id).count() == 1
        (payment,) = Payment.select().where(Payment.reservation == reservation.id)
        at_stripe = [r for r in house.stripe.truth()["refunds"] if r["payment_intent"] == payment.payment_intent_id]
        assert [(r["amount"], r["status"]) for r in at_stripe] == [(112_500, "succeeded")]
        house.agrees(reservation)
        house.hears_everything()


def refunds_of(reservation: Reservation) -> list[Refund]:
    return list(Refund.select().join(Payment).where(Payment.reservation == reservation.id).order_by(Refund.id))
