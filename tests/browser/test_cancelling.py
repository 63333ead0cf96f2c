"""A guest cancels in a real browser, sees the refund arrive, and sees one fail."""

from collections.abc import Callable

from playwright.sync_api import expect

from portal import jobs
from portal.deps import Deps
from portal.models import Refund, Reservation
from stripe_simulator import Control
from tests.actors import Clock, rows
from tests.browser.situations import ON_SQLITE
from tests.browser.visitor import PAID, Visitor

Make = Callable[..., Reservation]
pytestmark = ON_SQLITE
REFUND_FAILS_LATER = "4000000000005126"


def test_a_guest_cancels_and_sees_the_refund_arrive(
    visitor: Visitor, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    reservation = _pays(visitor, make_reservation, PAID)
    _opens_the_cancel_page(visitor)
    visitor.reads("If you cancel now, you get back", "€1,125.00", "Visa ending 4242", "23:59 Lisbon time")
    visitor.page.get_by_label("My plans changed").check()
    visitor.presses("Cancel stay and refund €1,125.00")
    visitor.stands_at("cancelled", "refunded", 0)
    visitor.reads("Your stay is cancelled", "€1,125.00 goes back to you.", "Sent to your bank", "Visa ending 4242")
    expect(visitor.main.locator("[data-refund-state]")).to_have_attribute("data-refund-state", "sent")
    assert [(r["amount"], r["status"]) for r in stripe.truth()["refunds"]] == [(112_500, "succeeded")]

    clock.advance(days=15)  # the bank's ten working days are over
    visitor.opens_link(reservation)
    visitor.goes_to(f"/reservations/{reservation.code}/cancel")
    expect(visitor.main.locator("[data-refund-state]")).to_have_attribute("data-refund-state", "refunded")
    visitor.reads("€1,125.00 went back to you.")


def test_a_guest_sees_that_a_refund_failed_and_that_the_money_is_still_owed(
    visitor: Visitor, deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = _pays(visitor, make_reservation, REFUND_FAILS_LATER)
    stripe.deliver()
    _opens_the_cancel_page(visitor)
    visitor.presses("Cancel stay and refund €1,125.00")
    visitor.stands_at("cancelled", "refunded", 0)
    clock.advance(seconds=10)
    stripe.deliver()
    assert [refund.status for refund in rows(Refund)] == ["failed"]
    visitor.goes_to(f"/reservations/{reservation.code}/cancel")
    visitor.reads("Refund delayed", "You still get €1,125.00.", "We are working on it")
    jobs.run_once(deps)
    visitor.follows("Payments and refunds")
    visitor.reads("We are sorting out your refund.")


def test_two_tabs_cancel_once(visitor: Visitor, stripe: Control, make_reservation: Make) -> None:
    reservation = _pays(visitor, make_reservation, PAID)
    stripe.deliver()
    _opens_the_cancel_page(visitor)
    first = visitor.opens_tab()
    visitor.goes_to(f"/reservations/{reservation.code}/cancel")
    visitor.presses("Cancel stay and refund €1,125.00")
    visitor.stands_at("cancelled", "refunded", 0)
    visitor.turns_to(first)
    visitor.presses("Cancel stay and refund €1,125.00")
    visitor.stands_at("cancelled", "refunded", 0)
    assert len(stripe.truth()["refunds"]) == 1


def test_without_javascript_a_guest_cancels_as_well(
    visitor_without_javascript: Visitor, stripe: Control, make_reservation: Make
) -> None:
    visitor = visitor_without_javascript
    _pays(visitor, make_reservation, PAID, in_days=10)
    stripe.deliver()
    _opens_the_cancel_page(visitor)
    visitor.reads("€562.50", "50%")
    visitor.presses("Cancel stay and refund €562.50")
    visitor.stands_at("cancelled", "partly_refunded", 0)


def _pays(visitor: Visitor, make: Make, card: str, **changes: object) -> Reservation:
    reservation = make(**changes)
    visitor.opens_link(reservation)
    visitor.presses_pay()
    visitor.pays_with(card)
    visitor.is_confirmed()
    return reservation


def _opens_the_cancel_page(visitor: Visitor) -> None:
    visitor.follows("View reservation")
    visitor.follows("Cancel this reservation")
    expect(visitor.page.get_by_role("heading", name="Cancel your stay?")).to_be_visible()
