"""Cash and transfers that staff write down, beside cards."""

from collections.abc import Callable

import pytest

from portal.models import Alert, Payment, Refund, Reservation
from portal.services import offline_payments, staff_refunds
from portal.services.offline_payments import BadOfflinePayment
from portal.services.staff_refunds import BadRefund
from tests.actors import Guest, rows
from tests.refunds.hotel import WHOLE, Hotelier, alerts, refunds_of, status

Make = Callable[..., Reservation]


def takes_cash(hotel: Hotelier, reservation: Reservation, amount: int) -> Payment:
    return offline_payments.record_offline(hotel.deps, reservation.id, amount, "staff")


def test_cash_in_full_confirms_and_closes_the_page_at_stripe(hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation()
    session = hotel.opens_session(reservation)
    payment = takes_cash(hotel, reservation, WHOLE)
    assert status(reservation) == ("confirmed", WHOLE)
    assert payment.receipt_number
    assert hotel.stripe.pay(session)["status"] == "not_open"
    hotel.hears()
    hotel.works()
    hotel.books_are_right()


def test_cash_while_stripe_is_down_and_the_card_is_charged_all_the_same(
    hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    session = hotel.opens_session(reservation)
    hotel.stripe.fault("500", path="/v1/checkout/sessions/*", times=10)
    takes_cash(hotel, reservation, WHOLE)
    hotel.stripe.clear_faults()
    assert hotel.stripe.pay(session)["status"] == "paid"
    hotel.hears()
    hotel.works()
    assert status(reservation) == ("confirmed", WHOLE)
    assert refunds_of(reservation) == [("returned", WHOLE, "succeeded")]
    hotel.hears()
    hotel.books_are_right()


def test_part_in_cash_and_the_rest_by_card_go_back_the_way_they_came(hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation(in_days=10)
    old = hotel.opens_session(reservation)
    takes_cash(hotel, reservation, 40_000)
    assert status(reservation) == ("pending", 40_000)
    assert hotel.stripe.pay(old)["status"] == "not_open", "the old page asked for the whole price"
    hotel.is_paid(reservation)
    assert status(reservation) == ("confirmed", WHOLE)

    assert hotel.cancels(reservation).due == 56_250
    assert refunds_of(reservation) == [("policy", 56_250, "succeeded")], "half fits on the card"
    hotel.hears()
    hotel.books_are_right()


def test_more_than_the_card_gave_is_handed_back_in_cash(
    guest: Guest, hotel: Hotelier, make_reservation: Make, guest_pays: Callable[..., None]
) -> None:
    reservation = make_reservation()
    takes_cash(hotel, reservation, 100_000)
    guest_pays(reservation)
    hotel.works()  # learns the card
    page = guest.goes_to(f"/reservations/{reservation.code}/cancel")
    assert "€125.00 to Visa ending 4242, the card you paid with" in page.text
    assert "€1,000.00, which the hotel hands back to you" in page.text
    page = guest.sends("/cancel")
    assert page.reservation_status == "cancelled"
    assert refunds_of(reservation) == [("policy", 12_500, "succeeded"), ("policy", 100_000, "todo")]
    assert [amount for _, amount, _ in hotel.sent()] == [12_500]
    hotel.works_until_quiet(1)
    (alert,) = rows(Alert)
    by_hand = rows(Refund, provider="offline")[0]
    assert (alert.kind, alert.cause, alert.details["amount"]) == ("hand the cash back", by_hand.public_id, 100_000)
    page = guest.goes_to(f"/reservations/{reservation.code}/cancel")
    assert "The hotel hands it back" in page.text
    assert "It shows on your card statement" not in page.text

    staff_refunds.mark_handed_back(hotel.deps, by_hand.id, actor="staff")
    assert refunds_of(reservation) == [("policy", 12_500, "succeeded"), ("policy", 100_000, "succeeded")]
    with pytest.raises(BadRefund, match="not a sum to hand back"):
        staff_refunds.mark_handed_back(hotel.deps, by_hand.id, actor="staff")
    hotel.hears()
    hotel.books_are_right()


def test_cash_alone_is_handed_back_and_stripe_is_not_asked(hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation()
    takes_cash(hotel, reservation, WHOLE)
    before = len(hotel.stripe.requests())
    hotel.cancels(reservation, actor="staff")
    assert len(hotel.stripe.requests()) == before
    assert refunds_of(reservation) == [("policy", WHOLE, "todo")]
    hotel.works_until_quiet(1)
    assert alerts() == ["hand the cash back"]
    hotel.books_are_right()


@pytest.mark.parametrize("amount", [0, -1, WHOLE + 1, WHOLE - 1, WHOLE - 49])
def test_a_sum_that_would_leave_too_little_or_nothing_sensible_is_refused(
    amount: int, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    with pytest.raises(BadOfflinePayment, match="Nothing was recorded"):
        takes_cash(hotel, reservation, amount)
    assert rows(Payment) == []
    takes_cash(hotel, reservation, WHOLE - 50)
    assert status(reservation) == ("pending", WHOLE - 50)
    hotel.books_are_right()


def test_cash_for_a_stay_that_waits_for_none_is_refused(hotel: Hotelier, paid: Reservation) -> None:
    with pytest.raises(BadOfflinePayment, match="waits for no money"):
        takes_cash(hotel, paid, 100)
    hotel.cancels(paid)
    with pytest.raises(BadOfflinePayment, match="is cancelled"):
        takes_cash(hotel, paid, 100)
    hotel.books_are_right()


def test_a_part_paid_stay_that_is_cancelled_gives_its_part_back(hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation(in_days=8)
    takes_cash(hotel, reservation, 11_111)
    assert hotel.cancels(reservation).due == 5_555
    assert refunds_of(reservation) == [("policy", 5_555, "todo")]
    assert status(reservation) == ("cancelled", 11_111)
    hotel.works()
    hotel.books_are_right()
