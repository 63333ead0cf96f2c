"""The room waits for its money, but not for ever."""

from collections.abc import Callable
from datetime import timedelta

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, AuditLog, Payment, Reservation, RoomNight
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of

Make = Callable[..., Reservation]


def test_when_the_hold_is_over_pay_is_refused_and_nothing_was_charged(
    guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    stale = guest.opens_link(reservation)
    clock.move_to(reservation.hold_until)

    page = guest.opens_link(reservation)
    assert page.forms("/pay") == []
    guest.page = stale
    page = guest.presses_pay_in_vain()  # even before the worker has run
    assert (page.url.rsplit("/", 1)[-1], page.payment_status) == ("failed", "unpaid")
    assert "You have not been charged." in page.text
    assert "+351 21 000 0140" in page.text

    jobs.run_once(deps)
    page = guest.goes_to(f"/reservations/{reservation.code}")
    assert (page.reservation_status, page.forms("/pay")) == ("expired", [])
    assert "you have not been charged" in page.text
    assert rows(RoomNight) == rows(Payment) == stripe.truth()["sessions"] == []


def test_somebody_else_may_book_the_room_then(clock: Clock, deps: Deps, make_reservation: Make) -> None:
    first = make_reservation()
    clock.move_to(first.hold_until)
    jobs.run_once(deps)
    second = make_reservation(check_in=first.check_in, check_out=first.check_out)
    assert {night.reservation_id for night in rows(RoomNight)} == {second.id}


def test_pay_in_the_last_second_keeps_the_room_while_the_page_is_open(
    guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    clock.move_to(reservation.hold_until - timedelta(seconds=1))
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())

    clock.advance(minutes=30)
    jobs.run_once(deps)
    page = guest.goes_to(f"/reservations/{reservation.code}")
    assert (page.reservation_status, page.payment_status) == ("pending", "open")
    assert len(rows(RoomNight, reservation=reservation.id)) == 3
    assert session_of(guest.presses_pay()) == session, "back to the same page, no new one"

    stripe.pay(session)
    stripe.deliver()
    page = guest.goes_to(f"/reservations/{reservation.code}")
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")
    assert rows(Alert) == []


def test_a_page_left_open_past_the_hold_gives_the_room_back_when_it_closes(
    guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    stripe.webhooks("off")
    reservation = make_reservation()
    clock.move_to(reservation.hold_until - timedelta(seconds=1))
    guest.opens_link(reservation)
    guest.presses_pay()
    clock.advance(minutes=35)
    jobs.run_once(deps)

    page = guest.goes_to(f"/reservations/{reservation.code}/success")
    assert (page.reservation_status, page.payment_status) == ("expired", "unpaid")
    assert "You have not been charged." in page.text
    assert rows(RoomNight) == []


def test_a_decline_after_the_hold_leads_back_to_the_open_page(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    """No new session is opened after the hold, so the old one must not be closed either."""
    reservation = make_reservation()
    clock.move_to(reservation.hold_until - timedelta(seconds=1))
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    clock.advance(minutes=5)
    stripe.pay(session, card="4000000000000002")
    stripe.deliver()

    guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert session_of(guest.presses_pay()) == session
    stripe.pay(session)
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "confirmed"


def test_money_on_a_live_page_confirms_after_the_hold_although_nobody_told_us(
    guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    stripe.webhooks("off")
    reservation = make_reservation()
    clock.move_to(reservation.hold_until - timedelta(seconds=1))
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    clock.advance(minutes=20)
    stripe.pay(session)
    clock.advance(days=3)  # nothing of ours ran meanwhile
    jobs.run_once(deps)

    assert guest.opens_link(reservation).reservation_status == "confirmed"
    assert len(rows(RoomNight, reservation=reservation.id)) == 3
    assert not [entry for entry in rows(AuditLog) if entry.to_state == "expired"]
