"""A guest leaves Stripe's page, comes back, opens two tabs, presses twice, and uses the Back button."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, Payment, Reservation, RoomNight
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of

Make = Callable[..., Reservation]


def test_walking_away_leads_back_to_the_same_page_and_costs_no_attempt(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    page = guest.goes_to(stripe.truth()["sessions"][0]["cancel_url"])
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("pending", "open", 112_500)
    assert "Nothing was charged." in page.text
    assert "attempts left" not in page.text

    assert session_of(guest.presses_pay()) == session
    assert len(rows(Payment)) == 1
    stripe.pay(session)
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "confirmed"


def test_clicking_pay_twice_opens_the_same_page(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    guest.opens_link(make_reservation())
    assert guest.presses_pay() == guest.presses_pay()
    assert len(stripe.truth()["sessions"]) == len(rows(Payment)) == 1


def test_two_devices_that_pay_at_once_end_on_the_same_page(
    guest: Guest, new_browser: Callable[[], Guest], stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    browsers = [guest, *(new_browser() for _ in range(3))]
    for browser in browsers:
        browser.opens_link(reservation)
    with ThreadPoolExecutor(4) as pool:
        addresses = list(pool.map(Guest.presses_pay, browsers))
    assert len(set(addresses)) == 1
    assert len(stripe.truth()["sessions"]) == len(rows(Payment)) == 1


def test_after_35_minutes_the_page_is_closed_and_a_new_one_opens(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    first = session_of(guest.presses_pay())
    clock.advance(minutes=34, seconds=59)
    assert session_of(guest.presses_pay()) == first
    clock.advance(seconds=1)
    stripe.deliver()

    page = guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert (page.reservation_status, page.payment_status) == ("pending", "unpaid")
    assert "You have not been charged." in page.text
    second = session_of(guest.presses_pay())
    assert second != first
    assert [(p.status, p.attempt_number) for p in rows(Payment)] == [("expired", 1), ("open", 1)]


def test_a_closed_page_that_nobody_told_us_about_is_noticed_in_the_same_click(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    stripe.webhooks("off")
    guest.opens_link(make_reservation())
    first = session_of(guest.presses_pay())
    clock.advance(hours=2)
    assert session_of(guest.presses_pay()) != first
    assert [payment.status for payment in rows(Payment)] == ["expired", "open"]


def test_the_back_button_leads_to_an_old_page_that_can_no_longer_be_paid(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    old = session_of(guest.presses_pay())
    stripe.pay(old, card="4000000000000002")
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    new = session_of(guest.presses_pay())

    assert stripe.pay(old)["status"] == "not_open"
    states = {session["id"]: session["status"] for session in stripe.truth()["sessions"]}
    assert states == {old: "expired", new: "open"}


def test_a_guest_who_paid_the_old_page_first_is_not_asked_again(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    old = session_of(guest.presses_pay())
    stripe.pay(old, card="4000000000000002")
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    stripe.pay(old)  # in another tab, before pressing Try again here

    page = guest.presses_pay_in_vain()
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")
    assert len(stripe.truth()["sessions"]) == len(rows(Payment)) == 1


def test_pressing_pay_on_a_paid_stay_without_webhooks_shows_that_it_is_paid(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("off")
    guest.opens_link(make_reservation())
    stripe.pay(session_of(guest.presses_pay()))
    page = guest.presses_pay_in_vain()
    assert (page.url.rsplit("/", 1)[-1], page.reservation_status) == ("success", "confirmed")
    assert len(stripe.truth()["charges"]) == 1


def test_a_guest_who_never_comes_back_loses_the_hold_after_a_day(
    guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    guest.presses_pay()
    clock.advance(hours=23, minutes=59)
    jobs.run_once(deps)
    assert len(rows(RoomNight, reservation=reservation.id)) == 3
    clock.advance(minutes=1)
    jobs.run_once(deps)
    assert Reservation.get_by_id(reservation.id).status == "expired"
    assert rows(RoomNight) == rows(Alert) == []


def test_the_eleventh_session_is_not_opened(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    """Walking away costs no attempt, so something has to end it."""
    reservation = make_reservation()
    guest.opens_link(reservation)
    for _ in range(9):
        guest.presses_pay()
        clock.advance(minutes=36)
    tenth = guest.presses_pay()
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert guest.presses_pay() == tenth, "while it is open the guest may go back to it"
    assert rows(Alert) == []

    clock.advance(minutes=36)
    page = guest.presses_pay_in_vain()
    assert page.reservation_status == "pending"
    assert "You have not been charged." in page.text
    assert "+351 21 000 0140" in page.text
    assert page.forms("/pay") == []
    assert len(stripe.truth()["sessions"]) == 10
    assert [alert.kind for alert in rows(Alert)] == ["sessions used up"]
