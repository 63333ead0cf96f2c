"""A guest's bank takes the money back: refunds wait, and nobody is paid twice."""

from collections.abc import Callable

import pytest

from portal.models import Alert, Refund, Reservation
from portal.services import alerts as alerts_service
from portal.services import refund_sending, staff_refunds
from portal.services.money_back import MoneyBack
from portal.services.staff_refunds import BadRefund
from tests.actors import Guest, rows
from tests.refunds.hotel import WHOLE, Hotelier, alerts, disputes, refunds_of, status

Make = Callable[..., Reservation]
WAITS = "We can send a refund only once that is settled."


@pytest.fixture
def disputed(hotel: Hotelier, paid: Reservation) -> Reservation:
    hotel.stripe.dispute(hotel.intent(paid))
    hotel.hears()
    return paid


def moves(hotel: Hotelier, word: str) -> None:
    """The bank decides, and we hear of it."""
    (dispute,) = hotel.stripe.truth()["disputes"]
    hotel.stripe.move_dispute(dispute["id"], word)
    hotel.hears()


def test_a_dispute_is_told_to_staff_with_its_last_day(hotel: Hotelier, disputed: Reservation) -> None:
    (alert,) = rows(Alert)
    assert (alert.kind, alert.reservation_id, alert.details["amount"]) == ("dispute", disputed.id, WHOLE)
    assert (alert.due_by - hotel.clock.now()).days == 7
    assert status(disputed) == ("confirmed", WHOLE)
    hotel.books_are_right()


def test_a_refund_waits_while_the_dispute_is_open_and_goes_out_soon_after_it_is_won(
    hotel: Hotelier, disputed: Reservation
) -> None:
    assert hotel.cancels(disputed).due == WHOLE
    for _ in range(20):
        hotel.works(hours=12)
        assert refunds_of(disputed) == [("policy", WHOLE, "todo")]
    assert hotel.sent() == []
    assert sorted(alerts()) == ["cancelled while disputed", "dispute"]
    hotel.books_are_right()

    moves(hotel, "won")
    hotel.works(seconds=5)
    assert refunds_of(disputed) == [("policy", WHOLE, "succeeded")]
    assert [amount for _, amount, _ in hotel.sent()] == [WHOLE]
    hotel.hears()
    hotel.books_are_right()


def test_a_won_dispute_that_only_reconciling_finds_lets_the_refund_go(hotel: Hotelier, disputed: Reservation) -> None:
    hotel.cancels(disputed)
    hotel.works(days=20)
    (dispute,) = hotel.stripe.truth()["disputes"]
    hotel.stripe.move_dispute(dispute["id"], "won")
    hotel.works(days=20)  # by now the dispute is older than what is listed every night
    hotel.works(seconds=5)
    assert disputes() == ["won"]
    assert refunds_of(disputed) == [("policy", WHOLE, "succeeded")]
    hotel.books_are_right()


def test_a_lost_dispute_ends_the_refund_that_waits(hotel: Hotelier, disputed: Reservation) -> None:
    hotel.cancels(disputed)
    hotel.works(hours=1)
    moves(hotel, "lost")
    hotel.works_until_quiet()
    assert refunds_of(disputed) == [("policy", WHOLE, "canceled")]
    assert hotel.sent() == []
    with pytest.raises(BadRefund):
        staff_refunds.refund_by_staff(hotel.deps, rows(Refund)[0].payment_id, 1, reason="", actor="staff")
    hotel.books_are_right()


def test_after_a_lost_dispute_a_cancellation_owes_nothing(hotel: Hotelier, disputed: Reservation) -> None:
    moves(hotel, "lost")
    assert hotel.cancels(disputed).due == 0
    hotel.works()
    assert refunds_of(disputed) == []
    assert status(disputed) == ("cancelled", WHOLE)
    hotel.books_are_right()


@pytest.mark.parametrize("word", ["warning_needs_response", "warning_under_review", "warning_closed"])
def test_an_inquiry_only_tells_staff_and_holds_nothing_up(word: str, hotel: Hotelier, paid: Reservation) -> None:
    made = hotel.stripe.dispute(hotel.intent(paid))
    hotel.stripe.move_dispute(made["id"], word)
    hotel.works()  # reconciling sees the inquiry; its messages are lost
    assert disputes() == [word]
    assert alerts() == ([] if word == "warning_closed" else ["dispute"])
    hotel.cancels(paid)
    assert refunds_of(paid) == [("policy", WHOLE, "succeeded")]
    hotel.works()
    hotel.books_are_right()


def test_a_refund_that_stripe_refuses_because_of_a_dispute_we_have_not_heard_of_waits_and_is_told(
    hotel: Hotelier, paid: Reservation
) -> None:
    hotel.stripe.dispute(hotel.intent(paid))
    hotel.cancels(paid)
    assert refunds_of(paid) == [("policy", WHOLE, "sent")]
    assert alerts() == ["refund refused by Stripe"]
    hotel.hears()
    hotel.works_until_quiet()
    assert hotel.sent() == []
    moves(hotel, "won")
    hotel.works(seconds=5)
    assert refunds_of(paid) == [("policy", WHOLE, "succeeded")]
    assert [amount for _, amount, _ in hotel.sent()] == [WHOLE]
    hotel.books_are_right()


def test_a_dispute_after_the_refund_is_told_and_the_refund_stays(hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation(in_days=10)
    hotel.is_paid(reservation)
    hotel.cancels(reservation)
    hotel.stripe.dispute(hotel.intent(reservation), 56_250)
    hotel.hears()
    assert refunds_of(reservation) == [("policy", 56_250, "succeeded")]
    assert alerts() == ["dispute"]
    moves(hotel, "lost")
    hotel.works()
    hotel.books_are_right()


def test_staff_cannot_refund_what_a_bank_disputes(hotel: Hotelier, disputed: Reservation) -> None:
    payment = MoneyBack(disputed).kept[0]
    with pytest.raises(BadRefund, match="disputes this payment"):
        staff_refunds.refund_by_staff(hotel.deps, payment.id, 1_000, reason="kindness", actor="staff")
    assert rows(Refund) == []
    hotel.books_are_right()


def test_a_dispute_that_staff_have_dealt_with_is_not_told_again_every_night(
    hotel: Hotelier, disputed: Reservation
) -> None:
    (alert,) = rows(Alert)
    alerts_service.close_alert(alert.id, actor="staff", why="evidence sent", now=hotel.clock.now())
    hotel.works(days=1)
    hotel.works(days=1)
    assert alerts() == []
    moves(hotel, "lost")
    assert alerts() == ["dispute"], "its end is news"
    hotel.books_are_right()


def test_the_pages_say_that_a_refund_waits_for_the_bank(
    guest: Guest, guest_pays: Callable[..., None], hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest_pays(reservation)
    hotel.stripe.dispute(hotel.intent(reservation))
    hotel.hears()
    page = guest.goes_to(f"/reservations/{reservation.code}/cancel")
    assert WAITS in page.text
    assert "We send it to your bank" not in page.text
    page = guest.sends("/cancel")
    assert page.reservation_status == "cancelled"
    assert WAITS in page.text
    assert "It is on its way to" not in page.text
    assert hotel.sent() == []

    moves(hotel, "won")
    refund_sending.send_due(hotel.deps)
    page = guest.goes_to(f"/reservations/{reservation.code}/cancel")
    assert WAITS not in page.text
    assert "To the card you paid with." in page.text
    hotel.books_are_right()


def test_after_a_lost_dispute_the_page_does_not_say_that_nothing_comes_back(
    guest: Guest, guest_pays: Callable[..., None], hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest_pays(reservation)
    hotel.stripe.dispute(hotel.intent(reservation))
    hotel.hears()
    guest.goes_to(f"/reservations/{reservation.code}/cancel")
    guest.sends("/cancel")
    moves(hotel, "lost")
    page = guest.goes_to(f"/reservations/{reservation.code}/cancel")
    assert "nothing comes back" not in page.text
    assert "Your bank has taken this payment back for you." in page.text
    hotel.books_are_right()
