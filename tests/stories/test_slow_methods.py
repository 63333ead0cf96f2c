"""Money whose bank answers later: a wallet or debit that Stripe completes before it is paid."""

from collections.abc import Callable

import pytest

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, Payment, Reservation, RoomNight
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of

Make = Callable[..., Reservation]


def test_while_the_bank_thinks_the_guest_is_told_not_to_pay_again(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    _completes_unpaid(guest, stripe, reservation)
    for path in ("", "/success", "/failed", "/payments"):
        page = guest.goes_to(f"/reservations/{reservation.code}{path}")
        assert (page.reservation_status, page.payment_status) == ("pending", "checking")
        assert page.forms("/pay") == []
        assert "not pay again" in page.text


def test_the_retry_button_of_an_older_page_opens_nothing_meanwhile(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    stale = guest.opens_link(reservation := make_reservation())
    _completes_unpaid(guest, stripe, reservation)
    guest.page = stale
    page = guest.presses_pay_in_vain()
    assert page.payment_status == "checking"
    assert "Please do not pay again" in page.text
    assert len(stripe.truth()["sessions"]) == 1


@pytest.mark.parametrize("told_by", ["webhook", "return page", "worker"])
def test_a_slow_payment_that_succeeds_confirms(
    told_by: str, guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    intent = _completes_unpaid(guest, stripe, reservation)
    clock.advance(hours=30)  # long after the hold: live money keeps its nights
    jobs.run_once(deps)
    assert len(rows(RoomNight, reservation=reservation.id)) == 3

    clock.advance(minutes=1)
    stripe.settle(intent)
    _tell(told_by, stripe, deps)
    guest.opens_link(reservation)
    page = guest.goes_to(f"/reservations/{reservation.code}/success")
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("confirmed", "paid", 0)
    assert rows(Alert) == []


@pytest.mark.parametrize("told_by", ["webhook", "return page", "worker"])
def test_a_slow_payment_that_fails_costs_an_attempt_and_can_be_tried_again(
    told_by: str, guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    intent = _completes_unpaid(guest, stripe, reservation)
    clock.advance(hours=2)
    stripe.settle(intent, "failed")
    _tell(told_by, stripe, deps)

    page = guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert page.reservation_status == "pending"
    assert page.payment_status in ("declined", "unpaid")
    assert "You have not been charged." in page.text or "No money was taken." in page.text
    assert "2 of 3 attempts left" in page.text

    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "confirmed"
    assert [(p.status, p.attempt_number) for p in rows(Payment)] == [("failed", 1), ("succeeded", 2)]


def test_a_slow_payment_that_fails_after_the_hold_frees_the_room(
    guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    intent = _completes_unpaid(guest, stripe, reservation)
    clock.advance(hours=25)
    stripe.settle(intent, "failed")
    jobs.run_once(deps)

    page = guest.opens_link(reservation)
    assert (page.reservation_status, page.forms("/pay")) == ("expired", [])
    assert "not been charged" in page.text
    assert rows(RoomNight) == []


def _completes_unpaid(guest: Guest, stripe: Control, reservation: Reservation) -> str:
    guest.opens_link(reservation)
    session = stripe.complete_unpaid(session_of(guest.presses_pay()))["session"]
    stripe.deliver()
    return str(session["payment_intent"])


def _tell(told_by: str, stripe: Control, deps: Deps) -> None:
    """Who is first to hear of the bank's answer; the return page asks by itself."""
    if told_by == "webhook":
        stripe.deliver()
    elif told_by == "worker":
        jobs.run_once(deps)
