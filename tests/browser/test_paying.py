"""A guest pays in a real browser: link, review, Stripe's page, and the room is theirs."""

import time
from collections.abc import Callable

import pytest

from portal.models import Payment, Reservation
from stripe_simulator import Control
from tests.actors import rows
from tests.browser.situations import ON_SQLITE
from tests.browser.visitor import ASKS_3D_SECURE, PAID, Visitor

Make = Callable[..., Reservation]


def test_a_guest_pays_in_a_few_clicks(visitor: Visitor, stripe: Control, make_reservation: Make) -> None:
    """The one story here that runs on both databases."""
    stripe.webhooks("on")
    _pays(visitor, make_reservation())
    assert [payment.status for payment in rows(Payment)] == ["succeeded"]
    assert len(stripe.truth()["charges"]) == 1


@ON_SQLITE
def test_a_guest_without_javascript_pays_just_as_well(
    visitor_without_javascript: Visitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    _pays(visitor_without_javascript, make_reservation())
    assert len(stripe.truth()["charges"]) == 1


@ON_SQLITE
def test_a_guest_whose_webhook_never_comes_is_confirmed_on_the_way_back(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("off")
    _pays(visitor, make_reservation())


@ON_SQLITE
def test_a_guest_who_passes_3d_secure_has_a_room(visitor: Visitor, stripe: Control, make_reservation: Make) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    visitor.presses_pay()
    visitor.pays_with(ASKS_3D_SECURE)
    visitor.reads("Is it you?", "€1,125.00")
    visitor.page.locator("#pass").click()
    visitor.is_confirmed()


@ON_SQLITE
def test_a_guest_who_fails_3d_secure_is_not_charged_and_pays_with_the_next_try(
    visitor: Visitor, stripe: Control, make_reservation: Make
) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    visitor.presses_pay()
    visitor.pays_with(ASKS_3D_SECURE)
    visitor.page.locator("#fail").click()
    visitor.reads("unable to authenticate your payment method")
    visitor.goes_back_to_the_hotel()
    visitor.stands_at("pending", "declined", 112_500)
    visitor.reads("You have not been charged.", "could not confirm that it was you", "2 of 3 attempts left")
    assert not any(charge["paid"] for charge in stripe.truth()["charges"])

    visitor.presses_pay()
    visitor.pays_with(PAID)
    visitor.is_confirmed()


@ON_SQLITE
@pytest.mark.parametrize("size", [(320, 600), (1280, 900)])
def test_the_pay_button_is_found_without_a_search(
    size: tuple[int, int], visitor: Visitor, make_reservation: Make
) -> None:
    """Beside the stay on a desk; on a phone right below it, before the small print."""
    visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
    visitor.opens_link(make_reservation())
    button = visitor.pay_button.bounding_box()
    policy = visitor.page.get_by_role("heading", name="If your plans change").bounding_box()
    assert button is not None
    assert policy is not None
    if size[0] == 1280:
        assert button["y"] + button["height"] < size[1], "Pay is not on the first screen"
    else:
        assert button["y"] < policy["y"]


def _pays(visitor: Visitor, reservation: Reservation) -> None:
    visitor.opens_link(reservation)
    visitor.stands_at("pending", "unpaid", 112_500)
    visitor.presses_pay()
    visitor.fills_in(PAID)

    before = time.monotonic()
    visitor.page.locator("#pay").click()
    visitor.is_confirmed()
    print(f"from the click on Stripe's Pay to the confirmation: {time.monotonic() - before:.2f} s")
    visitor.reads("Your room is confirmed", "We received your payment of €1,125.00", "Visa ending 4242")
    assert visitor.page.url.split("?")[0].endswith("/success")
    assert visitor.pay_button.count() == 0
