"""Somebody refunds in Stripe's dashboard, and that refund comes to nothing: what we promised the guest is still sent."""

from collections.abc import Callable

import pytest

from portal.models import Alert, Reservation
from portal.services import books, cancel_pages
from tests.actors import rows
from tests.refunds.hotel import WHOLE, Hotelier, refunds_of

Make = Callable[..., Reservation]


@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_one_that_failed_before_the_guest_cancels_takes_nothing_off_the_refund(
    end: str, hotel: Hotelier, paid: Reservation
) -> None:
    made = hotel.stripe.refund(hotel.intent(paid), WHOLE)
    hotel.stripe.move_refund(made["id"], end)
    hotel.cancels(paid)
    hotel.works_until_quiet(24)
    assert [(amount, state) for _, amount, state in hotel.sent()].count((WHOLE, "succeeded")) == 1
    assert ("policy", WHOLE, "succeeded") in refunds_of(paid)
    hotel.hears()
    assert books.audit(hotel.deps) == []


def test_one_that_fails_after_ours_made_way_for_it_is_followed_by_ours(hotel: Hotelier, paid: Reservation) -> None:
    hotel.stripe.fault("500", path="/v1/refunds", times=4)
    hotel.cancels(paid)
    hotel.stripe.clear_faults()
    made = hotel.stripe.refund(hotel.intent(paid), WHOLE)
    hotel.hears()
    assert ("policy", WHOLE, "canceled") in refunds_of(paid)
    hotel.stripe.move_refund(made["id"], "failed")
    hotel.hears()
    hotel.works_until_quiet(24)
    assert ("policy", WHOLE, "succeeded") in refunds_of(paid)
    assert [(amount, state) for _, amount, state in hotel.sent()].count((WHOLE, "succeeded")) == 1
    assert books.audit(hotel.deps) == []


def test_where_a_smaller_one_of_ours_is_gone_already_a_person_is_told_what_is_missing(
    hotel: Hotelier, paid: Reservation
) -> None:
    hotel.stripe.fault("500", path="/v1/refunds", times=4)
    hotel.cancels(paid)
    hotel.stripe.clear_faults()
    made = hotel.stripe.refund(hotel.intent(paid), 50_000)
    hotel.hears()
    hotel.works_until_quiet(24)
    assert ("policy", WHOLE - 50_000, "succeeded") in refunds_of(paid)
    hotel.stripe.move_refund(made["id"], "failed")
    hotel.hears()
    (told,) = rows(Alert, kind="promised refund not sent")
    assert told.details["amount"] == 50_000


def test_a_failed_refund_whose_payment_the_bank_took_back_promises_nothing_more(
    hotel: Hotelier, paid: Reservation
) -> None:
    hotel.cancels(paid)
    (refund,) = hotel.stripe.truth()["refunds"]
    hotel.stripe.move_refund(refund["id"], "failed")
    hotel.hears()
    assert cancel_pages.read_cancelled_page(hotel.deps, Reservation.get_by_id(paid.id)).missing == WHOLE
    hotel.stripe.dispute(hotel.intent(paid))
    hotel.hears()
    (dispute,) = hotel.stripe.truth()["disputes"]
    hotel.stripe.move_dispute(dispute["id"], "lost")
    hotel.hears()
    page = cancel_pages.read_cancelled_page(hotel.deps, Reservation.get_by_id(paid.id))
    assert page.missing == 0
    assert page.taken_by_bank
