"""A refund is followed to its end; what failed is tried again once; staff refund parts."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.models import Payment, Refund, Reservation
from portal.services import cancellations, refund_sending, staff_refunds
from portal.services.money_back import MoneyBack
from stripe_simulator import Control
from tests.actors import rows
from tests.refunds.hotel import SUCCEEDS_LATER, WHOLE, Hotelier, alerts, only_refund, refunds_of, status

Make = Callable[..., Reservation]


def test_a_pending_refund_is_followed_ever_more_rarely_until_it_succeeds(
    hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    hotel.is_paid(reservation, SUCCEEDS_LATER)
    hotel.cancels(reservation)
    assert refunds_of(reservation) == [("policy", WHOLE, "pending")]
    hotel.clock.advance(seconds=1)
    pauses, last = [], hotel.clock.now()
    stuck = only_refund()
    Refund.update(next_try_at=None).where(Refund.id == stuck.id).execute()
    hotel.stripe.move_refund(str(stuck.stripe_id), "requires_action")
    for _ in range(200):
        if refund_sending.follow(hotel.deps):
            pauses.append(hotel.clock.now() - last)
            last = hotel.clock.now()
        hotel.clock.advance(minutes=30)
    assert pauses[1:] == sorted(pauses[1:])
    assert len(pauses) < 25
    assert pauses[-1] <= timedelta(hours=12.5)
    assert refunds_of(reservation) == [("policy", WHOLE, "requires_action")]
    hotel.stripe.move_refund(str(stuck.stripe_id), "succeeded")
    hotel.works(hours=13)
    assert refunds_of(reservation) == [("policy", WHOLE, "succeeded")]
    hotel.books_are_right()


def test_only_our_own_question_takes_a_refund_from_requires_action_back_to_pending(
    hotel: Hotelier, make_reservation: Make, stripe: Control
) -> None:
    reservation = make_reservation()
    hotel.is_paid(reservation, SUCCEEDS_LATER)
    hotel.cancels(reservation)
    stripe_id = str(only_refund().stripe_id)
    stripe.move_refund(stripe_id, "requires_action")
    hotel.clock.advance(seconds=10)
    stripe.move_refund(stripe_id, "pending")
    first, second = (event for event in stripe.events("refund.updated"))
    hotel.takes(first)
    hotel.takes(second)
    assert refunds_of(reservation) == [("policy", WHOLE, "requires_action")], "an old message proves nothing"
    hotel.works(minutes=10)
    assert refunds_of(reservation) == [("policy", WHOLE, "pending")]
    stripe.move_refund(stripe_id, "requires_action")
    hotel.works(hours=1)
    assert refunds_of(reservation) == [("policy", WHOLE, "requires_action")]
    stripe.move_refund(stripe_id, "canceled")
    hotel.hears(reverse=True)
    assert refunds_of(reservation) == [("policy", WHOLE, "canceled")]
    assert alerts() == ["refund failed"]
    again = staff_refunds.retry(hotel.deps, only_refund().id, actor="staff")
    assert again.retry_of_id == only_refund_canceled().id
    refund_sending.send_due(hotel.deps)
    hotel.works(minutes=5)
    assert refunds_of(reservation)[1] == ("policy", WHOLE, "succeeded")
    hotel.books_are_right()


def only_refund_canceled() -> Refund:
    (refund,) = rows(Refund, status="canceled")
    found: Refund = refund
    return found


def test_no_retry_beside_another_refund_of_the_same_payment(hotel: Hotelier, paid: Reservation) -> None:
    hotel.cancels(paid)
    failed = only_refund()
    hotel.stripe.move_refund(str(failed.stripe_id), "failed")
    hotel.hears()
    staff_refunds.retry(hotel.deps, failed.id, actor="staff")
    second = rows(Refund)[-1]
    refund_sending.send_due(hotel.deps)
    hotel.stripe.move_refund(str(Refund.get_by_id(second.id).stripe_id), "failed")
    hotel.hears()
    staff_refunds.retry(hotel.deps, second.id, actor="staff")
    with pytest.raises(staff_refunds.BadRefund):
        staff_refunds.retry(hotel.deps, second.id, actor="staff")
    with pytest.raises(staff_refunds.BadRefund):
        staff_refunds.retry(hotel.deps, failed.id, actor="staff")
    hotel.works()
    assert [state for _, _, state in refunds_of(paid)] == ["failed", "failed", "succeeded"]
    hotel.books_are_right()


def test_staff_refund_a_part_and_a_cancellation_gives_the_rest(hotel: Hotelier, paid: Reservation) -> None:
    payment = MoneyBack(paid).kept[0]
    staff_refunds.refund_by_staff(hotel.deps, payment.id, 12_500, reason="no hot water", actor="staff")
    assert cancellations.quote(hotel.deps, Reservation.get_by_id(paid.id)).due == 100_000, (
        "what waits to be sent counts"
    )
    refund_sending.send_due(hotel.deps)
    assert status(paid) == ("confirmed", WHOLE)
    with pytest.raises(staff_refunds.BadRefund, match="At most 100000"):
        staff_refunds.refund_by_staff(hotel.deps, payment.id, 100_001, reason="", actor="staff")
    hotel.cancels(paid)
    assert refunds_of(paid) == [("staff", 12_500, "succeeded"), ("policy", 100_000, "succeeded")]
    hotel.hears()
    hotel.books_are_right()


def test_staff_cancel_for_another_sum_than_the_policy_gives(hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation(in_days=2)
    hotel.is_paid(reservation)
    quote = hotel.cancels(reservation, actor="staff", other=30_000)
    assert (quote.percent, quote.due) == (None, 30_000)
    assert refunds_of(reservation) == [("policy", 30_000, "succeeded")]
    assert Payment.select().count() == 1
    hotel.hears()
    hotel.books_are_right()
