"""What the cancel form may carry, who may send it, and what the guest reads afterwards."""

from collections.abc import Callable

import pytest

from portal import jobs
from portal.models import Cancellation, Hotel, Refund, Reservation
from tests.actors import Clock, Guest, rows
from tests.refunds.hotel import SUCCEEDS_LATER, WHOLE, Hotelier, status

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]
Pays = Callable[..., None]


def looks(guest: Guest, reservation: Reservation) -> None:
    guest.goes_to(f"/reservations/{reservation.code}/cancel")


@pytest.mark.parametrize(
    "changes",
    [
        {"percent": "100"},
        {"due": "112500"},
        {"percent": "100", "due": "112500"},
        {"percent": "50", "due": "56251"},
        {"percent": "", "due": ""},
        {"percent": "5O", "due": "56250"},
        {"percent": "-50", "due": "-56250"},
        {"percent": "50.0", "due": "5.6e4"},
        {"percent": "٥٠", "due": "٥٦٢٥٠"},
        {"percent": "50", "due": "9" * 400},
        {"due": "0"},
    ],
)
def test_a_form_that_was_tampered_with_shows_the_true_sum_and_does_nothing(
    changes: dict[str, str], guest: Guest, guest_pays: Pays, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation(in_days=10)
    guest_pays(reservation)
    looks(guest, reservation)
    page = guest.sends("/cancel", **changes)
    assert (page.status, page.reservation_status) == (409, "confirmed")
    assert "€562.50" in page.text
    assert rows(Refund) == rows(Cancellation) == hotel.sent() == []
    assert guest.sends("/cancel", reason="<script>").reservation_status == "cancelled"
    assert rows(Cancellation)[0].reason == ""
    hotel.hears()
    hotel.books_are_right()


def test_the_button_pressed_twice_cancels_once_and_shows_the_result(
    guest: Guest, guest_pays: Pays, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest_pays(reservation)
    looks(guest, reservation)
    stale = guest.page
    first = guest.sends("/cancel", reason="health")
    guest.page = stale
    second = guest.sends("/cancel", reason="plans")
    assert (first.status, second.status, second.reservation_status) == (200, 200, "cancelled")
    assert [row.reason for row in rows(Cancellation)] == ["health"]
    assert len(hotel.sent()) == 1
    hotel.hears()
    hotel.books_are_right()


def test_nobody_cancels_another_guests_stay(
    guest: Guest, guest_pays: Pays, hotel: Hotelier, make_reservation: Make
) -> None:
    mine, theirs = make_reservation(), make_reservation(room="River room", email="other@guest.example")
    hotel.is_paid(theirs)
    guest_pays(mine)
    looks(guest, mine)
    data = guest.page.fields(guest.page.forms("/cancel")[0])
    address = f"{guest.portal_url}/reservations/{theirs.code}/cancel"
    for answer in (guest.browser.get(address), guest.browser.post(address, data=data)):
        assert answer.status_code == 404
        assert theirs.guest_name not in answer.text
    assert status(theirs) == ("confirmed", WHOLE)
    hotel.books_are_right()


@pytest.mark.parametrize("token", [None, "", "x" * 90])
def test_another_site_cannot_press_the_button(
    token: str | None, guest: Guest, guest_pays: Pays, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest_pays(reservation)
    looks(guest, reservation)
    data = guest.page.fields(guest.page.forms("/cancel")[0])
    data.pop("csrf_token")
    if token is not None:
        data["csrf_token"] = token
    answer = guest.browser.post(f"{guest.portal_url}/reservations/{reservation.code}/cancel", data=data)
    assert answer.status_code == 400
    assert status(reservation) == ("confirmed", WHOLE)
    hotel.books_are_right()


# Afterwards


def test_the_guest_follows_the_refund_to_the_bank(
    guest: Guest, guest_pays: Pays, clock: Clock, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation(in_days=60)
    guest_pays(reservation, SUCCEEDS_LATER)
    hotel.works()
    looks(guest, reservation)
    page = guest.sends("/cancel")
    assert 'data-refund-state="on_its_way"' in page.html
    clock.advance(seconds=10)
    hotel.hears()
    looks(guest, reservation)
    assert 'data-refund-state="sent"' in guest.page.html
    assert "Visa ending 7726" in guest.page.text
    clock.advance(days=15)
    looks(guest, reservation)
    assert 'data-refund-state="refunded"' in guest.page.html
    assert "went back to you" in guest.page.text
    jobs.run_once(hotel.deps)
    hotel.books_are_right()


def test_later_edits_of_the_hotels_policy_change_no_deal(
    guest: Guest, guest_pays: Pays, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation(in_days=10)
    Hotel.update(policy=[[30, 100]]).where(Hotel.id == 1).execute()
    guest_pays(reservation)
    looks(guest, reservation)
    assert "€562.50" in guest.page.text
    hotel.books_are_right()
