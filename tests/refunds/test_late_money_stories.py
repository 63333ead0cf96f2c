"""Money that comes late, twice or after all: it ends as a stay or back on the card, whatever goes wrong between."""

from collections.abc import Callable

import pytest

from portal.models import Payment, Refund, Reservation, RoomNight
from stripe_simulator import Control
from tests.actors import Clock, Guest, names_of, rows, session_of
from tests.refunds.hotel import WHOLE, Hotelier, alerts, refunds_of, status

Make = Callable[..., Reservation]


@pytest.fixture
def lapsed(hotel: Hotelier, make_reservation: Make) -> Reservation:
    """Its hold is over, nobody paid, and its nights are on sale again."""
    reservation = make_reservation()
    hotel.opens_session(reservation)
    hotel.works(hours=25)
    hotel.hears()
    assert status(reservation) == ("expired", 0)
    return reservation


def pays_late(hotel: Hotelier, reservation: Reservation, amount: int = WHOLE) -> None:
    (payment,) = rows(Payment, reservation=reservation.id)
    hotel.stripe.charge_elsewhere(amount, metadata=names_of(reservation, payment.public_id))
    hotel.hears(copies=2)


def test_late_money_confirms_while_the_room_is_free(hotel: Hotelier, lapsed: Reservation) -> None:
    pays_late(hotel, lapsed)
    hotel.works_until_quiet(1)
    assert status(lapsed) == ("confirmed", WHOLE)
    assert len(rows(RoomNight, reservation=lapsed.id)) == 3
    assert hotel.sent() == []
    hotel.books_are_right()


def test_late_money_for_a_room_that_was_sold_is_back_on_the_card_at_once(
    hotel: Hotelier, lapsed: Reservation, make_reservation: Make
) -> None:
    other = make_reservation(check_in=lapsed.check_in, check_out=lapsed.check_out, email="other@guest.example")
    hotel.is_paid(other)
    pays_late(hotel, lapsed)
    hotel.works()
    assert status(lapsed) == ("expired", 0)
    assert refunds_of(lapsed) == [("returned", WHOLE, "succeeded")]
    assert [amount for _, amount, _ in hotel.sent()] == [WHOLE]
    assert status(other) == ("confirmed", WHOLE)
    assert alerts() == ["money returned"]
    hotel.hears()
    hotel.books_are_right()


def test_late_money_after_arrival_goes_back_although_the_room_is_free(
    hotel: Hotelier, lapsed: Reservation, clock: Clock
) -> None:
    clock.advance(days=(lapsed.check_in - clock.now().date()).days + 1)
    pays_late(hotel, lapsed)
    hotel.works()
    assert status(lapsed) == ("expired", 0)
    assert refunds_of(lapsed) == [("returned", WHOLE, "succeeded")]
    assert rows(RoomNight) == []
    hotel.books_are_right()


def test_of_two_sessions_that_were_both_paid_one_is_kept_and_one_goes_back(
    hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    hotel.is_paid(reservation)
    hotel.stripe.charge_elsewhere(WHOLE, metadata=names_of(reservation, "PAY-OFALOSTSESSION"))
    hotel.hears(copies=2, reverse=True)
    hotel.works()
    assert status(reservation) == ("confirmed", WHOLE)
    assert sorted(payment.disposition for payment in rows(Payment)) == ["kept", "returned"]
    assert refunds_of(reservation) == [("returned", WHOLE, "succeeded")]
    returned = rows(Payment, disposition="returned")[0]
    assert [r["payment_intent"] for r in hotel.stripe.truth()["refunds"]] == [returned.payment_intent_id]
    hotel.hears()
    hotel.books_are_right()


def test_a_stay_with_a_second_payment_gives_back_each_once_when_it_is_cancelled(
    hotel: Hotelier, paid: Reservation
) -> None:
    hotel.stripe.charge_elsewhere(WHOLE, metadata=names_of(paid, "PAY-OFALOSTSESSION"))
    hotel.hears()
    assert hotel.cancels(paid).due == WHOLE
    hotel.works()
    assert sorted(refunds_of(paid)) == [("policy", WHOLE, "succeeded"), ("returned", WHOLE, "succeeded")]
    assert len({r["payment_intent"] for r in hotel.stripe.truth()["refunds"]}) == 2
    hotel.hears()
    hotel.books_are_right()


@pytest.mark.parametrize("told_by", ["webhook", "worker", "reconciling"])
def test_money_for_a_stay_that_was_cancelled_unpaid_goes_back_whole(
    told_by: str, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation(in_days=1)  # the policy would give nothing; money that was never wanted goes back
    session = hotel.opens_session(reservation)
    hotel.stripe.fault("500", path="/v1/checkout/sessions/*", times=10)
    hotel.cancels(reservation)
    hotel.stripe.clear_faults()
    assert hotel.stripe.pay(session)["status"] == "paid"
    if told_by == "webhook":
        hotel.hears()
    hotel.works(minutes=6)
    hotel.works()
    assert status(reservation) == ("cancelled", 0)
    assert refunds_of(reservation) == [("returned", WHOLE, "succeeded")]
    hotel.hears()
    assert alerts() == ["money returned"]
    hotel.books_are_right()


def test_a_guest_whose_card_was_declined_pays_the_old_page_and_is_never_asked_twice(
    hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    old = hotel.opens_session(reservation)
    hotel.stripe.pay(old, "4000000000000002")
    hotel.hears()
    new = hotel.opens_session(reservation)
    assert new != old
    assert hotel.stripe.pay(old)["status"] == "not_open", "the first page was closed before the second opened"
    hotel.stripe.pay(new)
    hotel.hears(reverse=True)
    assert status(reservation) == ("confirmed", WHOLE)
    assert [payment.status for payment in rows(Payment)] == ["expired", "succeeded"]
    hotel.books_are_right()


def test_a_guest_who_pays_the_old_page_while_it_is_being_closed_is_confirmed_by_it(
    guest: Guest, hotel: Hotelier, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    old = session_of(guest.presses_pay())
    stripe.pay(old, "4000000000000002")
    stripe.deliver()
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    stripe.fault("500", method="POST", path="/v1/checkout/sessions/*/expire", times=4)
    page = guest.presses_pay_in_vain()  # Try again, while Stripe closes nothing
    assert page.status == 503
    assert stripe.pay(old)["status"] == "paid"
    stripe.clear_faults()

    guest.goes_to(f"/reservations/{reservation.code}")
    assert guest.page.forms("/pay"), "nobody has told us yet"
    page = guest.presses_pay_in_vain()
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")
    assert len(stripe.truth()["sessions"]) == 1
    assert set(stripe.deliver()) == {200}
    assert status(reservation) == ("confirmed", WHOLE)
    assert rows(Refund) == []
    hotel.books_are_right()


def test_a_message_that_overtakes_the_answer_about_its_session_confirms_the_stay(
    hotel: Hotelier, make_reservation: Make, stripe: Control
) -> None:
    reservation = make_reservation()
    stripe.fault("lost_answer", method="POST", path="/v1/checkout/sessions")
    with pytest.raises(Exception, match="payments_unavailable"):
        hotel.opens_session(reservation)
    (payment,) = rows(Payment)
    assert (payment.status, payment.session_id) == ("creating", None)
    (session,) = stripe.truth()["sessions"]
    stripe.pay(session["id"])
    hotel.hears(reverse=True)
    assert status(reservation) == ("confirmed", WHOLE)
    assert [(p.status, p.session_id) for p in rows(Payment)] == [("succeeded", session["id"])]
    assert hotel.cancels(reservation).due == WHOLE
    hotel.hears(copies=2)
    hotel.works_until_quiet(1)
    assert refunds_of(reservation) == [("policy", WHOLE, "succeeded")]
    hotel.books_are_right()
