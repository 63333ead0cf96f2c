"""Two tabs, two clicks, two devices: one session, one charge."""

from collections.abc import Callable

from playwright.sync_api import expect

from portal.models import Payment, Reservation
from stripe_simulator import Control
from tests.actors import rows, session_of
from tests.browser.conftest import NewVisitor
from tests.browser.situations import ON_SQLITE
from tests.browser.visitor import PAID, Visitor

Make = Callable[..., Reservation]
pytestmark = ON_SQLITE


def test_a_guest_with_two_tabs_pays_once(visitor: Visitor, stripe: Control, make_reservation: Make) -> None:
    stripe.webhooks("on")
    reservation = make_reservation()
    visitor.opens_link(reservation)
    first = visitor.opens_tab()
    visitor.goes_to(f"/reservations/{reservation.code}")
    visitor.presses_pay()
    visitor.fills_in(PAID)
    second = visitor.turns_to(first)
    visitor.presses_pay()
    visitor.fills_in(PAID)
    assert session_of(first.url) == session_of(second.url)

    visitor.page.locator("#pay").click()
    visitor.is_confirmed()
    visitor.turns_to(second)
    visitor.page.locator("#pay").click()
    visitor.is_confirmed()
    _one_of_everything(stripe)


def test_an_old_tab_that_still_offers_to_pay_leads_to_the_confirmation(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    reservation = make_reservation()
    visitor.opens_link(reservation)
    old = visitor.opens_tab()
    visitor.goes_to(f"/reservations/{reservation.code}")
    visitor.presses_pay()
    visitor.pays_with(PAID)
    visitor.is_confirmed()

    visitor.turns_to(old)
    visitor.pay_button.click()
    visitor.is_confirmed()
    _one_of_everything(stripe)


def test_a_phone_and_a_laptop_pay_once(
    visitor: Visitor, new_visitor: NewVisitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    reservation = make_reservation()
    laptop = new_visitor(viewport={"width": 1280, "height": 900})
    for device in (visitor, laptop):
        device.opens_link(reservation)
        device.presses_pay()
        device.fills_in(PAID)
    for device in (visitor, laptop):
        device.page.locator("#pay").click()
        device.is_confirmed()
    _one_of_everything(stripe)


def test_a_double_click_on_pay_opens_one_session(visitor: Visitor, stripe: Control, make_reservation: Make) -> None:
    visitor.opens_link(make_reservation())
    visitor.pay_button.dblclick(no_wait_after=True)
    expect(visitor.page.locator("#card_number")).to_be_visible()
    assert len(stripe.truth()["sessions"]) == len(rows(Payment)) == 1
    created = [call for call in stripe.requests() if call["method"] == "POST" and call["path"].endswith("/sessions")]
    assert len(created) == 1, "the second click reached Stripe"


def test_a_double_click_on_stripes_pay_charges_once(visitor: Visitor, stripe: Control, make_reservation: Make) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    visitor.presses_pay()
    visitor.fills_in(PAID)
    visitor.may_give_up_requests()
    visitor.page.locator("#pay").dblclick(no_wait_after=True)
    visitor.is_confirmed()
    _one_of_everything(stripe)


def test_a_double_click_without_javascript_opens_one_session(
    visitor_without_javascript: Visitor, stripe: Control, make_reservation: Make
) -> None:
    visitor = visitor_without_javascript
    visitor.opens_link(make_reservation())
    visitor.may_give_up_requests()
    visitor.pay_button.dblclick(no_wait_after=True)
    expect(visitor.page.locator("#card_number")).to_be_visible()
    assert len(stripe.truth()["sessions"]) == len(rows(Payment)) == 1


def _one_of_everything(stripe: Control) -> None:
    assert len(stripe.truth()["charges"]) == len(stripe.truth()["sessions"]) == 1
    assert [(payment.status, payment.disposition) for payment in rows(Payment)] == [("succeeded", "kept")]
