"""The bank takes its time: nobody is asked to pay twice, and the news comes by itself."""

from collections.abc import Callable

from playwright.sync_api import expect

from portal.models import Reservation
from stripe_simulator import Control
from tests.actors import Guest, session_of
from tests.browser.situations import ON_SQLITE
from tests.browser.visitor import Visitor

Make = Callable[..., Reservation]
pytestmark = ON_SQLITE


def test_the_page_becomes_the_confirmation_by_itself(
    visitor: Visitor, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    visitor.page.clock.install()
    intent = _waits_for_the_bank(visitor, guest, stripe, make_reservation())
    visitor.reads("This page looks again by itself")
    with visitor.page.expect_response(lambda answer: answer.url.endswith("/success")):
        visitor.page.clock.run_for(4_000)
    visitor.stands_at("pending", "checking", 112_500)

    stripe.settle(intent, "succeeded")
    stripe.deliver()
    visitor.page.clock.run_for(4_000)
    visitor.is_confirmed()
    visitor.reads("Your room is confirmed")


def test_the_page_becomes_the_refusal_by_itself(
    visitor: Visitor, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    visitor.page.clock.install()
    intent = _waits_for_the_bank(visitor, guest, stripe, make_reservation())
    stripe.settle(intent, "failed")
    stripe.deliver()
    visitor.page.clock.run_for(4_000)
    visitor.reads("You have not been charged.", "2 of 3 attempts left")
    visitor.presses_pay()


def test_after_two_minutes_it_stops_looking_and_says_so(
    visitor: Visitor, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    visitor.page.clock.install()
    _waits_for_the_bank(visitor, guest, stripe, make_reservation())
    visitor.page.clock.fast_forward(121_000)
    visitor.reads("This page has stopped looking by itself.")


def test_without_javascript_check_again_brings_the_news(
    visitor_without_javascript: Visitor, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    visitor = visitor_without_javascript
    intent = _waits_for_the_bank(visitor, guest, stripe, make_reservation())
    visitor.follows("Check again")
    visitor.stands_at("pending", "checking", 112_500)
    stripe.settle(intent, "succeeded")
    stripe.deliver()
    visitor.follows("Check again")
    visitor.is_confirmed()


def _waits_for_the_bank(visitor: Visitor, guest: Guest, stripe: Control, reservation: Reservation) -> str:
    """Stripe's page has no button for a slow method, so its session is completed for the visitor."""
    guest.opens_link(reservation)
    session = stripe.complete_unpaid(session_of(guest.presses_pay()))["session"]
    visitor.opens_link(reservation)
    visitor.goes_to(f"/reservations/{reservation.code}/success")
    visitor.stands_at("pending", "checking", 112_500)
    visitor.reads("We are checking your payment", "Please do not pay again.")
    expect(visitor.pay_button).to_have_count(0)
    return str(session["payment_intent"])
