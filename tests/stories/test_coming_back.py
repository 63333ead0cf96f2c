"""The two landing pages show what is true, whatever their address claims and whoever opens them."""

from collections.abc import Callable

import pytest

from portal.deps import Deps
from portal.models import Payment, Reservation
from portal.services import sweeps
from stripe_simulator import Control
from tests.actors import Clock, Guest, everything_stored, rows, session_of

Make = Callable[..., Reservation]


@pytest.mark.parametrize("path", ["success", "failed"])
def test_a_guest_who_has_not_pressed_pay_reads_that_nothing_was_charged(
    path: str, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    page = guest.goes_to(f"/reservations/{reservation.code}/{path}")
    assert (page.url.rsplit("/", 1)[-1], page.reservation_status, page.payment_status) == (
        "failed",
        "pending",
        "unpaid",
    )
    assert "Nothing was charged." in page.text
    assert page.forms("/pay")
    assert stripe.requests() == []


def test_a_forged_success_page_confirms_nothing(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    mine, other = make_reservation(), make_reservation(room="River room", email="other@guest.example")
    guest.opens_link(other)
    paid = session_of(guest.presses_pay())
    stripe.pay(paid)
    guest.opens_link(mine)
    guest.presses_pay()

    for question in ("", "?session_id=" + paid, "?paid=1&status=succeeded", "?code=" + other.code):
        page = guest.goes_to(f"/reservations/{mine.code}/success{question}")
        assert (page.url.rsplit("/", 1)[-1], page.reservation_status) == ("failed", "pending")
        assert "Nothing was charged." in page.text
        clock.advance(seconds=2)
    assert Reservation.get_by_id(mine.id).paid == 0


def test_the_cancel_address_after_paying_shows_the_truth_and_cancels_nothing(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    cancel = stripe.pay(session_of(guest.presses_pay()))["session"]["cancel_url"]
    page = guest.goes_to(cancel)
    assert (page.url.rsplit("/", 1)[-1], page.reservation_status, page.payment_status) == (
        "success",
        "confirmed",
        "paid",
    )


def test_an_old_return_address_shows_today_s_truth_and_changes_nothing(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    success = stripe.pay(session_of(guest.presses_pay()))["session"]["success_url"]
    guest.goes_to(success)
    stripe.deliver()
    before = everything_stored()
    clock.advance(hours=1)
    for _ in range(3):
        assert guest.goes_to(success).reservation_status == "confirmed"
    assert everything_stored() == before


@pytest.mark.parametrize("path", ["success", "failed"])
def test_on_another_device_the_page_is_neutral(
    path: str, guest: Guest, new_browser: Callable[[], Guest], stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    before = everything_stored()

    other = new_browser()
    page = other.goes_to(f"/reservations/{reservation.code}/{path}")
    assert (page.status, page.reservation_status) == (200, "")
    assert "do not pay again" in page.text
    for private in ("Carvalho", "ines@", reservation.code, "1,125", "confirmed"):
        assert private not in page.html
    assert everything_stored() == before, "a stranger cannot make the portal ask Stripe"
    unknown = other.goes_to(f"/reservations/7H4K2MQX9TBC/{path}")
    assert (unknown.status, unknown.text) == (page.status, page.text)

    page = other.opens_link(reservation)
    assert other.goes_to(f"/reservations/{reservation.code}/success").reservation_status == "confirmed"


def test_stripe_is_asked_at_most_once_in_two_seconds(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    guest.presses_pay()
    asked = len(stripe.requests())
    for _ in range(5):
        guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert len(stripe.requests()) == asked + 1
    clock.advance(seconds=2)
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert len(stripe.requests()) == asked + 2


def test_only_the_landing_pages_ask_stripe(guest: Guest, stripe: Control, clock: Clock, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    asked = len(stripe.requests())
    clock.advance(minutes=1)
    for path in ("", "/payments"):
        page = guest.goes_to(f"/reservations/{reservation.code}{path}")
        assert (page.reservation_status, page.payment_status) == ("pending", "open")
    assert len(stripe.requests()) == asked


def test_every_page_agrees_about_the_state(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    for card in ("4000000000000002", "4242424242424242"):
        stripe.pay(session, card=card)
        stripe.deliver()
        pages = [
            guest.goes_to(f"/reservations/{reservation.code}{path}")
            for path in ("", "/success", "/failed", "/payments")
        ]
        assert len({(p.reservation_status, p.payment_status, p.amount_due) for p in pages}) == 1
    assert rows(Payment)[0].status == "succeeded"


def test_paying_in_the_second_after_the_worker_asked_is_not_called_leaving(
    guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    clock.advance(minutes=3)
    sweeps.ask_live_payments(deps)
    clock.advance(seconds=1)
    stripe.pay(session)
    page = guest.goes_to(f"/reservations/{reservation.code}/success")
    assert page.payment_status == "checking"
    assert "do not pay again" in page.text
    clock.advance(seconds=2)
    assert guest.goes_to(f"/reservations/{reservation.code}/success").reservation_status == "confirmed"
