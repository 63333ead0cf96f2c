"""Money comes when the portal no longer expects it: it is kept if that is honest, and goes back otherwise."""

from collections.abc import Callable

import pytest

from portal import jobs
from portal.db import transaction
from portal.deps import Deps
from portal.models import Alert, Payment, Refund, Reservation, RoomNight
from portal.services import nights, state
from stripe_simulator import Control
from tests.actors import Clock, Guest, names_of, rows, session_of

Make = Callable[..., Reservation]


@pytest.fixture
def expired(guest: Guest, clock: Clock, deps: Deps, make_reservation: Make) -> Reservation:
    """The hold and the payment page are over, and the room was given back."""
    reservation = make_reservation()
    guest.opens_link(reservation)
    guest.presses_pay()
    clock.advance(hours=25)
    jobs.run_once(deps)
    assert Reservation.get_by_id(reservation.id).status == "expired"
    assert rows(RoomNight) == []
    return reservation


def test_late_money_takes_the_nights_again_when_they_are_free(
    guest: Guest, stripe: Control, expired: Reservation
) -> None:
    _pays_late(stripe, expired)
    page = guest.opens_link(expired)
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("confirmed", "paid", 0)
    assert len(rows(RoomNight, reservation=expired.id)) == 3
    assert rows(Refund) == rows(Alert) == []


def test_late_money_goes_back_when_the_nights_are_sold(
    guest: Guest, stripe: Control, expired: Reservation, make_reservation: Make
) -> None:
    other = make_reservation(check_in=expired.check_in, check_out=expired.check_out, email="other@guest.example")
    _pays_late(stripe, expired)

    _goes_back(expired, "paid too late")
    for path in ("/success", "/failed"):
        guest.opens_link(expired)
        page = guest.goes_to(f"/reservations/{expired.code}{path}")
        assert (page.reservation_status, page.payment_status) == ("expired", "refunded")
        assert "€1,125.00" in page.text
        assert "goes back to you" in page.text
        assert "have not been charged" not in page.text
        assert page.forms("/pay") == []
    assert "+351 21 000 0140" in page.text
    history = guest.goes_to(f"/reservations/{expired.code}/payments").text
    assert "all of it goes back to you" in history
    assert {night.reservation_id for night in rows(RoomNight)} == {other.id}
    assert Reservation.get_by_id(other.id).status == "pending"


def test_one_night_that_is_sold_is_enough(stripe: Control, expired: Reservation, make_reservation: Make) -> None:
    make_reservation(in_days=28, nights=2)  # its second night is the first of the late guest
    taken = len(rows(RoomNight))
    _pays_late(stripe, expired)
    _goes_back(expired, "paid too late")
    assert len(rows(RoomNight)) == taken, "no night is taken half"


def test_on_the_day_of_arrival_late_money_still_confirms(
    guest: Guest, stripe: Control, clock: Clock, expired: Reservation
) -> None:
    clock.advance(days=(expired.check_in - clock.now().date()).days)
    assert clock.now().date() == expired.check_in
    _pays_late(stripe, expired)
    assert guest.opens_link(expired).reservation_status == "confirmed"


def test_after_the_day_of_arrival_late_money_goes_back(
    guest: Guest, stripe: Control, clock: Clock, expired: Reservation
) -> None:
    clock.advance(days=(expired.check_in - clock.now().date()).days + 1)
    _pays_late(stripe, expired)
    _goes_back(expired, "paid too late")
    page = guest.opens_link(expired)
    assert (page.reservation_status, page.payment_status) == ("expired", "refunded")
    assert "goes back to you" in page.text
    assert rows(RoomNight) == []


def test_money_after_a_cancellation_goes_back(
    guest: Guest, stripe: Control, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    _cancel(deps, reservation)
    stripe.pay(session)
    stripe.deliver()

    _goes_back(reservation, "paid after cancellation")
    for path in ("", "/success", "/failed", "/payments"):
        page = guest.goes_to(f"/reservations/{reservation.code}{path}")
        assert (page.reservation_status, page.payment_status) == ("cancelled", "refunded")
        assert "back to you" in page.text
        assert "not been charged" not in page.text
        assert page.forms("/pay") == []


def test_a_cancelled_stay_cannot_be_paid_any_more_once_the_worker_has_run(
    guest: Guest, stripe: Control, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    stale = guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    _cancel(deps, reservation)
    jobs.run_once(deps)

    assert stripe.pay(session)["status"] == "not_open"
    page = guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert (page.reservation_status, page.payment_status) == ("cancelled", "unpaid")
    assert "You have not been charged." in page.text
    guest.page = stale
    assert guest.presses_pay_in_vain().reservation_status == "cancelled"
    assert len(stripe.truth()["sessions"]) == 1
    assert rows(Refund) == rows(Alert) == []


def test_late_money_told_many_times_goes_back_once(
    stripe: Control, expired: Reservation, deps: Deps, make_reservation: Make
) -> None:
    make_reservation(check_in=expired.check_in, check_out=expired.check_out)
    _pays_late(stripe, expired)
    assert set(stripe.deliver(again=True, copies=3, reverse=True)) == {200}
    jobs.run_once(deps)
    _goes_back(expired, "paid too late", status="succeeded")


def _pays_late(stripe: Control, reservation: Reservation) -> None:
    """Money in the name of the payment that we had closed."""
    (payment,) = rows(Payment, reservation=reservation.id)
    assert payment.status == "expired"
    stripe.charge_elsewhere(112_500, metadata=names_of(reservation, payment.public_id))
    assert set(stripe.deliver()) == {200}


def _goes_back(reservation: Reservation, why: str, status: str = "todo") -> None:
    """All of it, once, and a person knows."""
    (payment,) = rows(Payment, reservation=reservation.id)
    assert (payment.status, payment.disposition) == ("succeeded", "returned")
    (refund,) = rows(Refund)
    assert (refund.payment_id, refund.kind, refund.status) == (payment.id, "returned", status)
    assert (refund.amount, refund.currency, refund.reason) == (112_500, "EUR", why)
    (alert,) = rows(Alert)
    assert (alert.kind, alert.reservation_id, alert.details["why"]) == ("money returned", reservation.id, why)
    assert Reservation.get_by_id(reservation.id).paid == 0


def _cancel(deps: Deps, reservation: Reservation) -> None:
    with transaction():
        row = Reservation.get_by_id(reservation.id)
        state.move(row, "cancelled", actor="staff", cause="test", now=deps.now())
        nights.free_nights(row)
