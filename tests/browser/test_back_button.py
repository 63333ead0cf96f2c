"""The Back button, which restores pages as they were: what they say has to be true all the same."""

from collections.abc import Callable

from playwright.sync_api import expect

from portal.models import Payment, Reservation
from stripe_simulator import Control
from tests.actors import rows, session_of
from tests.browser.situations import ON_SQLITE
from tests.browser.visitor import DECLINED, PAID, Visitor

Make = Callable[..., Reservation]
pytestmark = ON_SQLITE


def test_back_from_stripes_page_pay_can_be_pressed_again(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    visitor.opens_link(make_reservation())
    visitor.presses_pay()
    first = session_of(visitor.page.url)
    visitor.goes_back()
    expect(visitor.pay_button).to_have_text("Pay €1,125.00")
    expect(visitor.pay_button).not_to_have_attribute("aria-disabled", "true")
    visitor.presses_pay()
    assert session_of(visitor.page.url) == first
    assert len(stripe.truth()["sessions"]) == 1
    visitor.pays_with(PAID)
    visitor.is_confirmed()


def test_back_after_paying_tells_that_it_is_paid_all_the_way(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    visitor.presses_pay()
    visitor.pays_with(PAID)
    visitor.is_confirmed()

    visitor.goes_back()
    assert visitor.page.url.startswith(stripe.url)
    visitor.goes_back()
    visitor.is_confirmed()
    expect(visitor.pay_button).to_have_count(0)
    _paid_once(stripe)


def test_paying_once_more_on_stripes_restored_page_charges_nothing(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    visitor.presses_pay()
    visitor.pays_with(PAID)
    visitor.is_confirmed()
    visitor.goes_back()
    if visitor.page.locator("#pay").is_visible():
        visitor.pays_with(PAID)
    else:  # loaded anew it says that it is paid
        visitor.page.locator("#back").click()
    visitor.is_confirmed()
    _paid_once(stripe)


def test_the_link_on_stripes_paid_page_leads_to_the_confirmation(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    visitor.presses_pay()
    visitor.pays_with(PAID)
    visitor.is_confirmed()
    visitor.goes_back()
    visitor.page.reload()
    visitor.reads("This is already paid")
    visitor.page.locator("#back").click()
    visitor.is_confirmed()
    _paid_once(stripe)


def test_the_page_of_a_try_that_was_given_up_has_expired(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    visitor.opens_link(reservation := make_reservation())
    visitor.presses_pay()
    old = visitor.page.url
    stripe.pay(session_of(old), card=DECLINED)
    stripe.deliver()
    visitor.goes_back()
    visitor.stands_at("pending", "declined", 112_500)
    _tries_again_in_another_tab(visitor, reservation)

    visitor.expects(410)
    visitor.goes_forward()
    assert visitor.page.url == old
    visitor.page.reload()
    visitor.reads("This page has expired", "Nothing was charged here.")
    visitor.page.locator("#back").click()
    visitor.stands_at("pending", "open", 112_500)
    visitor.presses_pay()
    assert session_of(visitor.page.url) == stripe.truth()["sessions"][-1]["id"]
    assert len(stripe.truth()["sessions"]) == 2


def test_a_form_of_a_try_that_was_given_up_charges_nothing_when_it_is_sent_after_all(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    visitor.opens_link(reservation := make_reservation())
    visitor.presses_pay()
    visitor.fills_in(PAID)
    stripe.pay(session_of(visitor.page.url), card=DECLINED)
    stripe.deliver()
    _tries_again_in_another_tab(visitor, reservation)

    visitor.expects(410)
    visitor.page.locator("#pay").click()
    visitor.reads("This page has expired", "Nothing was charged here.")
    assert not any(charge["paid"] for charge in stripe.truth()["charges"])


def test_after_leaving_back_shows_nothing_of_the_stay(visitor: Visitor, make_reservation: Make) -> None:
    """The next person at a shared computer presses Back."""
    visitor.expects(404)
    visitor.opens_link(make_reservation())
    visitor.presses("Leave this page")
    visitor.reads("Find your reservation")
    visitor.goes_back()
    visitor.reads("Find your reservation first")
    expect(visitor.page.locator("body")).not_to_contain_text("Inês Carvalho")


def _tries_again_in_another_tab(visitor: Visitor, reservation: Reservation) -> None:
    first = visitor.opens_tab()
    visitor.goes_to(f"/reservations/{reservation.code}/failed")
    visitor.stands_at("pending", "declined", 112_500)
    visitor.presses_pay()
    visitor.turns_to(first)


def _paid_once(stripe: Control) -> None:
    assert len(stripe.truth()["charges"]) == len(stripe.truth()["sessions"]) == 1
    assert [payment.status for payment in rows(Payment)] == ["succeeded"]
