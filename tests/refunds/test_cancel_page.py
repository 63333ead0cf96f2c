"""The cancel page tells the truth before and after the click, and takes only what it has shown."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest

from portal.models import Cancellation, Payment, Refund, Reservation, RoomNight
from portal.services import hotels
from stripe_simulator import Control
from tests.actors import Clock, Guest, everything_stored, rows, session_of
from tests.refunds.hotel import WHOLE, Hotelier, refunds_of, status

Make = Callable[..., Reservation]
Pays = Callable[..., None]


def looks(guest: Guest, reservation: Reservation) -> None:
    guest.goes_to(f"/reservations/{reservation.code}/cancel")


@pytest.mark.parametrize(
    ("total", "in_days", "due", "words"),
    [
        (11_111, 10, 5_555, "€55.55"),
        (11_111, 14, 11_111, "€111.11"),
        (101, 7, 50, "€0.50"),
        (50, 13, 25, "€0.25"),
        (99_999, 6, 0, "€0.00"),
    ],
)
def test_the_sum_is_rounded_down_to_the_cent_in_the_guests_sight(
    total: int,
    in_days: int,
    due: int,
    words: str,
    guest: Guest,
    guest_pays: Pays,
    hotel: Hotelier,
    make_reservation: Make,
) -> None:
    reservation = make_reservation(total=total, in_days=in_days)
    guest_pays(reservation)
    looks(guest, reservation)
    assert words in guest.page.text
    page = guest.sends("/cancel")
    assert (page.reservation_status, status(reservation)) == ("cancelled", ("cancelled", total))
    assert [amount for _, amount, _ in hotel.sent()] == ([due] if due else [])
    assert page.payment_status == ("paid" if not due else "refunded" if due == total else "partly_refunded")
    hotel.hears()
    hotel.books_are_right()


def test_a_guest_reads_how_the_sum_comes_about(
    guest: Guest, guest_pays: Pays, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation(in_days=10)
    guest_pays(reservation)
    hotel.stripe.refund(hotel.intent(reservation), 6_250)
    hotel.hears()
    looks(guest, reservation)
    for words in ("€1,125.00", "−€562.50", "−€62.50", "€500.00", "because check-in is 10 days away"):
        assert words in guest.page.text.replace("-€", "−€"), words
    guest.sends("/cancel")
    assert [amount for _, amount, _ in hotel.sent()] == [6_250, 50_000]
    hotel.books_are_right()


def test_looking_changes_nothing(guest: Guest, guest_pays: Pays, hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest_pays(reservation)
    before = everything_stored()
    for _ in range(3):
        looks(guest, reservation)
    assert everything_stored() == before
    hotel.books_are_right()


# What may be cancelled, and when


def test_an_unpaid_stay_is_given_up_and_nobody_is_charged(
    guest: Guest, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    looks(guest, reservation)
    assert "You have not paid anything, so nothing is owed." in guest.page.text
    page = guest.sends("/cancel")
    assert page.reservation_status == "cancelled"
    assert "You have not been charged." in page.text
    assert rows(RoomNight) == rows(Refund) == rows(Payment) == []
    assert len(rows(Cancellation)) == 1
    hotel.books_are_right()


def test_a_slow_payment_that_arrives_after_cancelling_goes_back(
    guest: Guest, stripe: Control, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    intent = stripe.complete_unpaid(session_of(guest.presses_pay()))["session"]["payment_intent"]
    hotel.hears()
    assert guest.goes_to(f"/reservations/{reservation.code}").payment_status == "checking"
    looks(guest, reservation)
    assert guest.sends("/cancel").reservation_status == "cancelled"
    stripe.settle(intent)
    hotel.hears()
    hotel.works()
    assert refunds_of(reservation) == [("returned", WHOLE, "succeeded")]
    looks(guest, reservation)
    assert "goes back to you" in guest.page.text
    hotel.books_are_right()


def test_a_stay_whose_hold_is_over_has_nothing_to_cancel(
    guest: Guest, clock: Clock, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    looks(guest, reservation)
    clock.advance(hours=25)
    hotel.works()
    page = guest.sends("/cancel")  # the button of a page from yesterday
    assert (page.status, page.reservation_status) == (409, "expired")
    assert "There is nothing to cancel." in page.text
    assert page.forms("/cancel") == rows(Cancellation) == []
    hotel.books_are_right()


@pytest.mark.parametrize(
    ("zone", "day", "opens", "instant"),
    [
        ("Europe/Lisbon", "2030-07-10", time(15), datetime(2030, 7, 10, 14, tzinfo=UTC)),
        ("Pacific/Kiritimati", "2030-07-10", time(15), datetime(2030, 7, 10, 1, tzinfo=UTC)),
        ("Pacific/Midway", "2030-07-10", time(15), datetime(2030, 7, 11, 2, tzinfo=UTC)),
        ("Europe/Berlin", "2030-03-31", time(2, 30), datetime(2030, 3, 31, 1, 30, tzinfo=UTC)),
        ("Europe/Berlin", "2030-10-27", time(2, 30), datetime(2030, 10, 27, 0, 30, tzinfo=UTC)),
        ("Europe/Berlin", "2030-10-27", time(15), datetime(2030, 10, 27, 14, tzinfo=UTC)),
    ],
    ids=["summer", "far east", "far west", "hour that is left out", "hour that comes twice", "day of 25 hours"],
)
def test_until_check_in_at_the_hotel_the_guest_may_cancel_and_then_only_staff(
    zone: str,
    day: str,
    opens: time,
    instant: datetime,
    guest: Guest,
    clock: Clock,
    hotel: Hotelier,
    make_reservation: Make,
) -> None:
    hotels.set_hotel(timezone=zone, check_in_from=opens)
    clock.move_to(instant - timedelta(days=3))
    check_in = datetime.fromisoformat(day).date()
    reservation = make_reservation(check_in=check_in, check_out=check_in + timedelta(days=2))
    hotel.is_paid(reservation)
    clock.move_to(instant)
    clock.advance(seconds=-1)
    guest.opens_link(reservation)
    looks(guest, reservation)
    assert guest.page.forms("/cancel"), "a second before check-in"
    clock.advance(seconds=1)
    page = guest.sends("/cancel")
    assert (page.status, page.reservation_status) == (409, "confirmed")
    assert "Nothing was cancelled, and nothing was refunded." in page.text
    assert page.forms("/cancel") == rows(Cancellation) == []
    assert hotel.cancels(reservation, actor="staff").due == 0
    hotel.books_are_right()


def test_at_midnight_at_the_hotel_the_next_tier_is_shown_and_asked_for_again(
    guest: Guest, guest_pays: Pays, clock: Clock, hotel: Hotelier, make_reservation: Make
) -> None:
    hotels.set_hotel(timezone="Asia/Tokyo")
    clock.move_to(datetime(2030, 5, 1, 14, 59, 59, tzinfo=UTC))  # 23:59:59 in Tokyo
    reservation = make_reservation(in_days=14)
    guest_pays(reservation)
    looks(guest, reservation)
    clock.advance(seconds=1)
    page = guest.sends("/cancel")
    assert (page.status, page.reservation_status) == (409, "confirmed")
    assert "The refund has changed. It is now €562.50." in page.text
    assert rows(Refund) == []
    page = guest.sends("/cancel")
    assert page.reservation_status == "cancelled"
    assert [amount for _, amount, _ in hotel.sent()] == [56_250]
    assert rows(Cancellation)[0].zone == "Asia/Tokyo"
    hotel.hears()
    hotel.books_are_right()
