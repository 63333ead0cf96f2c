"""A bank says no, and the guest finds the way on from Stripe's page back to a room."""

from collections.abc import Callable

from playwright.sync_api import expect

from portal.models import Payment, Reservation
from stripe_simulator import Control
from tests.actors import Clock, rows, session_of
from tests.browser.situations import ON_SQLITE
from tests.browser.visitor import DECLINED, PAID, Visitor

Make = Callable[..., Reservation]
pytestmark = ON_SQLITE


def test_a_declined_guest_reads_why_tries_again_pays_and_finds_both_in_the_history(
    visitor: Visitor, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    _is_declined(visitor)
    visitor.stands_at("pending", "declined", 112_500)
    assert visitor.page.url.split("?")[0].endswith("/failed")
    visitor.reads("You have not been charged.", "Your bank did not tell us why.", "2 of 3 attempts left")
    assert not any(charge["paid"] for charge in stripe.truth()["charges"])

    clock.advance(minutes=1)
    expect(visitor.pay_button).to_have_text("Try again, pay €1,125.00")
    visitor.presses_pay()
    visitor.pays_with(PAID)
    visitor.is_confirmed()
    visitor.follows("Payments")
    entries = visitor.main.locator("ol.ledger > li")
    expect(entries).to_have_count(2)
    expect(entries.nth(0)).to_contain_text("We received this payment.")
    expect(entries.nth(0)).to_contain_text("€1,125.00")
    expect(entries.nth(1)).to_contain_text("The declined card was not charged.")
    expect(entries.nth(1)).to_contain_text("€0.00")


def test_after_three_declines_the_hotel_helps_and_the_last_page_may_be_gone_back_to(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    for left in (2, 1, 0):
        _is_declined(visitor)
        visitor.stands_at("pending", "declined", 112_500)
        visitor.reads("You have not been charged.")
        if left:
            visitor.reads(f"{left} of 3 attempts left")
    visitor.reads("Let us help you pay", "+351 21 000 0140", "stay@limoeiro.example")
    expect(visitor.page.get_by_role("button", name="Try again")).to_have_count(0)
    assert len(stripe.truth()["sessions"]) == len(rows(Payment)) == 3

    visitor.presses("Go back to the payment page")
    expect(visitor.page.locator("#card_number")).to_be_visible()
    assert session_of(visitor.page.url) == stripe.truth()["sessions"][-1]["id"]
    visitor.pays_with(PAID)
    visitor.is_confirmed()
    assert len(rows(Payment)) == 3


def test_a_second_card_on_stripes_own_page_confirms_without_a_detour(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    visitor.presses_pay()
    visitor.pays_with(DECLINED)
    visitor.reads("Your card was declined.")
    visitor.pays_with("5555555555554444")
    visitor.is_confirmed()
    visitor.reads("Mastercard ending 4444")


def _is_declined(visitor: Visitor) -> None:
    """Pay, read Stripe's own words about the card, and take the link back."""
    visitor.presses_pay()
    visitor.pays_with(DECLINED)
    visitor.reads("Your card was declined.")
    visitor.goes_back_to_the_hotel()
