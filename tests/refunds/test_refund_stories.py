"""What becomes of a refund on its way, and of refunds that somebody made elsewhere."""

from collections.abc import Callable

import pytest

from portal.models import Alert, OutgoingMail, Refund, Reservation, RoomNight
from portal.services import cancellations, refund_sending, staff_refunds
from portal.services.staff_refunds import BadRefund
from tests.actors import Guest, rows
from tests.refunds.hotel import FAILS_LATER, WHOLE, Hotelier, alerts, cancellation_of, only_refund, refunds_of, status

Make = Callable[..., Reservation]


@pytest.fixture
def failed(hotel: Hotelier, make_reservation: Make) -> Reservation:
    """Cancelled for everything; the bank sent the refund back days after it had succeeded."""
    reservation = make_reservation()
    hotel.is_paid(reservation, FAILS_LATER)
    hotel.cancels(reservation)
    assert refunds_of(reservation) == [("policy", WHOLE, "succeeded")]
    hotel.clock.advance(days=3)
    hotel.hears()
    assert refunds_of(reservation) == [("policy", WHOLE, "failed")]
    return reservation


def test_a_refund_that_failed_after_it_succeeded_is_sent_again_by_staff(hotel: Hotelier, failed: Reservation) -> None:
    assert alerts() == ["refund failed"]
    assert [mail.kind for mail in rows(OutgoingMail)][-1] == "refund_failed"
    again = staff_refunds.retry(hotel.deps, only_refund().id, actor="staff")
    refund_sending.send_due(hotel.deps, failed)
    assert refunds_of(failed) == [("policy", WHOLE, "failed"), ("policy", WHOLE, "succeeded")]
    first, second = hotel.sent()
    assert (first[1:], second) == ((WHOLE, "failed"), (again.public_id, WHOLE, "succeeded"))
    hotel.stripe.move_refund(hotel.stripe.truth()["refunds"][1]["id"], "succeeded")
    hotel.hears(copies=2)
    hotel.books_are_right()


def test_a_refund_that_failed_is_tried_again_once_only(hotel: Hotelier, failed: Reservation) -> None:
    old = only_refund()
    staff_refunds.retry(hotel.deps, old.id, actor="staff")
    with pytest.raises(BadRefund, match="tried again already"):
        staff_refunds.retry(hotel.deps, old.id, actor="staff")
    assert len(rows(Refund)) == 2
    refund_sending.send_due(hotel.deps)
    hotel.hears()
    hotel.books_are_right()


def test_a_second_try_that_fails_too_can_be_tried_a_third_time(hotel: Hotelier, failed: Reservation) -> None:
    staff_refunds.retry(hotel.deps, only_refund().id, actor="staff")
    refund_sending.send_due(hotel.deps)
    hotel.works(days=3)  # nobody hears anything: the worker finds out
    assert [state for _, _, state in refunds_of(failed)] == ["failed", "failed"]
    last = rows(Refund)[-1]
    staff_refunds.retry(hotel.deps, last.id, actor="staff")
    refund_sending.send_due(hotel.deps)
    assert [state for _, _, state in refunds_of(failed)] == ["failed", "failed", "succeeded"]
    hotel.stripe.move_refund(hotel.stripe.truth()["refunds"][-1]["id"], "succeeded")
    hotel.books_are_right()


def test_a_refund_that_staff_paid_out_otherwise_is_not_tried_again(hotel: Hotelier, failed: Reservation) -> None:
    payment = only_refund().payment
    staff_refunds.refund_by_staff(hotel.deps, payment.id, WHOLE, reason="by hand", actor="staff")
    with pytest.raises(BadRefund, match="Nothing is left"):
        staff_refunds.retry(hotel.deps, only_failed().id, actor="staff")
    refund_sending.send_due(hotel.deps)
    assert sorted(refunds_of(failed)) == [("policy", WHOLE, "failed"), ("staff", WHOLE, "succeeded")]
    hotel.hears()
    hotel.books_are_right()


def only_failed() -> Refund:
    (refund,) = rows(Refund, status="failed")
    found: Refund = refund
    return found


def test_a_refund_that_is_fine_cannot_be_tried_again(hotel: Hotelier, paid: Reservation) -> None:
    hotel.cancels(paid)
    with pytest.raises(BadRefund, match="has not failed"):
        staff_refunds.retry(hotel.deps, only_refund().id, actor="staff")
    hotel.hears()
    hotel.books_are_right()


@pytest.mark.parametrize(
    ("in_days", "dashboard", "due"), [(30, 12_500, 100_000), (10, 12_500, 43_750), (10, 60_000, 0), (2, 12_500, 0)]
)
def test_what_the_dashboard_gave_back_is_taken_off_what_the_policy_gives(
    in_days: int, dashboard: int, due: int, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation(in_days=in_days)
    hotel.is_paid(reservation)
    hotel.stripe.refund(hotel.intent(reservation), dashboard)
    hotel.hears()
    assert refunds_of(reservation) == [("external", dashboard, "succeeded")]
    assert hotel.cancels(reservation).due == due
    hotel.hears()
    assert [amount for _, amount, _ in hotel.sent()] == ([dashboard, due] if due else [dashboard])
    assert cancellation_of(reservation).refund_due == due
    hotel.works()
    hotel.books_are_right()


def test_a_dashboard_refund_that_nobody_told_us_of_is_found_before_ours_is_sent(
    hotel: Hotelier, paid: Reservation
) -> None:
    hotel.stripe.refund(hotel.intent(paid), 12_500)
    assert hotel.cancels(paid).due == WHOLE
    hotel.works()
    assert [amount for _, amount, _ in hotel.sent()] == [12_500, 100_000]
    assert sorted(refunds_of(paid)) == [
        ("external", 12_500, "succeeded"),
        ("policy", 100_000, "succeeded"),
        ("policy", WHOLE, "canceled"),
    ]
    hotel.hears(reverse=True)
    hotel.books_are_right()


def test_a_full_dashboard_refund_leaves_the_stay_and_asks_staff_to_decide(
    guest: Guest, guest_pays: Callable[..., None], hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest_pays(reservation)
    hotel.stripe.refund(hotel.intent(reservation))
    hotel.hears(reverse=True)
    assert status(reservation) == ("confirmed", WHOLE)
    assert len(rows(RoomNight)) == 3
    (alert,) = rows(Alert)
    assert (alert.kind, alert.reservation_id, alert.details["amount"]) == (
        "refund made at Stripe",
        reservation.id,
        WHOLE,
    )
    page = guest.goes_to(f"/reservations/{reservation.code}")
    assert (page.reservation_status, page.payment_status) == ("confirmed", "refunded")
    page = guest.goes_to(f"/reservations/{reservation.code}/cancel")
    assert "All that is owed has gone back to you already." in page.text
    page = guest.sends("/cancel")
    assert page.reservation_status == "cancelled"
    assert "€1,125.00" in page.text
    assert len(hotel.sent()) == 1
    assert rows(RoomNight) == []
    hotel.works()
    hotel.books_are_right()


def test_a_dashboard_refund_that_fails_is_owed_again(hotel: Hotelier, paid: Reservation) -> None:
    made = hotel.stripe.refund(hotel.intent(paid), 50_000)
    hotel.hears()
    hotel.stripe.move_refund(made["id"], "failed")
    hotel.hears()
    assert refunds_of(paid) == [("external", 50_000, "failed")]
    assert sorted(alerts()) == ["refund failed", "refund made at Stripe"]
    assert cancellations.quote(hotel.deps, paid.get_by_id(paid.id)).due == WHOLE
    hotel.cancels(paid)
    assert refunds_of(paid) == [("external", 50_000, "failed"), ("policy", WHOLE, "succeeded")]
    hotel.hears()
    hotel.books_are_right()
