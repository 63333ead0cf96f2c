"""A guest cancels, and gets back what the policy promises."""

from collections.abc import Callable

import pytest

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, Cancellation, Payment, Refund, Reservation, RoomNight
from portal.services import books
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of

Make = Callable[..., Reservation]


@pytest.fixture
def pays(guest: Guest, stripe: Control) -> Callable[[Reservation], None]:
    """The guest pays this stay with a card, and Stripe's messages arrive."""

    def pay(reservation: Reservation, card: str = "4242424242424242") -> None:
        guest.opens_link(reservation)
        stripe.pay(session_of(guest.presses_pay()), card)
        assert set(stripe.deliver()) == {200}

    return pay


@pytest.mark.parametrize(("in_days", "refund"), [(14, 112_500), (13, 56_250), (7, 56_250), (6, 0)])
def test_a_guest_gets_back_what_the_page_promised(
    in_days: int,
    refund: int,
    guest: Guest,
    deps: Deps,
    stripe: Control,
    make_reservation: Make,
    pays: Callable[..., None],
) -> None:
    reservation = make_reservation(in_days=in_days)
    pays(reservation)
    guest.goes_to(f"/reservations/{reservation.code}/cancel")
    page = guest.sends("/cancel")
    assert page.status == 200
    assert page.reservation_status == "cancelled"
    made = stripe.truth()["refunds"]
    assert [r["amount"] for r in made] == ([refund] if refund else [])
    assert [(r.amount, r.status) for r in rows(Refund)] == ([(refund, "succeeded")] if refund else [])
    (cancellation,) = rows(Cancellation)
    assert cancellation.refund_due == refund
    assert rows(RoomNight) == []
    assert set(stripe.deliver()) <= {200}
    assert books.audit(deps, since=reservation.created_at) == []
    assert rows(Alert) == []


def test_an_unpaid_stay_is_cancelled_and_its_session_closed(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    guest.goes_to(f"/reservations/{reservation.code}/cancel")
    page = guest.sends("/cancel")
    assert page.reservation_status == "cancelled"
    assert "You have not been charged." in page.text
    assert stripe.pay(session)["status"] == "not_open"
    assert [p.status for p in rows(Payment)] == ["expired"]


def test_a_sum_that_changed_meanwhile_is_shown_and_asked_again(
    guest: Guest, clock: Clock, stripe: Control, make_reservation: Make, pays: Callable[..., None]
) -> None:
    reservation = make_reservation(in_days=14)
    pays(reservation)
    page = guest.goes_to(f"/reservations/{reservation.code}/cancel")
    assert "€1,125.00" in page.text
    clock.advance(hours=24)
    page = guest.sends("/cancel")
    assert page.status == 409
    assert page.reservation_status == "confirmed"
    assert "€562.50" in page.text
    assert rows(Refund) == []
    page = guest.sends("/cancel")
    assert page.reservation_status == "cancelled"
    assert [r["amount"] for r in stripe.truth()["refunds"]] == [56_250]


def test_a_refund_that_fails_later_is_told_to_guest_and_staff(
    guest: Guest, deps: Deps, clock: Clock, stripe: Control, make_reservation: Make, pays: Callable[..., None]
) -> None:
    reservation = make_reservation()
    pays(reservation, "4000000000005126")
    guest.goes_to(f"/reservations/{reservation.code}/cancel")
    guest.sends("/cancel")
    clock.advance(seconds=10)
    assert set(stripe.deliver()) == {200}
    assert [r.status for r in rows(Refund)] == ["failed"]
    assert [a.kind for a in rows(Alert)] == ["refund failed"]
    page = guest.goes_to(f"/reservations/{reservation.code}/cancel")
    assert "You still get €1,125.00" in page.text


def test_money_that_came_too_late_goes_back_by_itself(
    guest: Guest, deps: Deps, clock: Clock, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    guest.goes_to(f"/reservations/{reservation.code}/cancel")
    stripe.fault("500", path="/v1/checkout/sessions/*", times=10)
    guest.sends("/cancel")
    stripe.clear_faults()
    stripe.pay(session)
    assert set(stripe.deliver()) == {200}
    assert [r.status for r in rows(Refund)] == ["todo"]
    jobs.run_once(deps)
    assert [r.status for r in rows(Refund)] == ["succeeded"]
    assert [r["amount"] for r in stripe.truth()["refunds"]] == [112_500]
    assert books.audit(deps, since=reservation.created_at) == []
