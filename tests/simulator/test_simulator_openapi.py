"""The judge itself: Stripe's description accepts what is right and refuses what is not."""

import pytest

from tests.simulator import openapi, shop

REFUND = {"id": "re_1", "object": "refund", "amount": 100, "created": 1, "currency": "eur", "status": "succeeded"}


def test_a_right_object_passes_and_null_only_where_stripe_has_it():
    openapi.check_object("refund", REFUND | {"charge": None})
    with pytest.raises(AssertionError, match="amount"):
        openapi.check_object("refund", REFUND | {"amount": None})


@pytest.mark.parametrize("change", [{"amount": "100"}, {"bogus": 1}, {"object": "charge"}, {"reason": "whim"}])
def test_a_wrong_object_fails(change):
    with pytest.raises(AssertionError, match=next(iter(change))):
        openapi.check_object("refund", REFUND | change)


def test_a_nested_mistake_is_named():
    with pytest.raises(AssertionError, match=r"metadata\.a"):
        openapi.check_object("refund", REFUND | {"metadata": {"a": 1}})


def test_an_unknown_event_type_fails():
    event = {"id": "evt_1", "object": "event", "created": 1, "livemode": False, "pending_webhooks": 0}
    event |= {"type": "refund.exploded", "data": {"object": REFUND}}
    with pytest.raises(AssertionError, match=r"refund\.exploded"):
        openapi.check_event(event)
    openapi.check_event(event | {"type": "refund.created"})


def test_form_strings_are_read_by_their_type():
    openapi.check_request("POST", "/v1/refunds", {"amount": "100", "payment_intent": "pi_1", "metadata": {"a": "1"}})
    openapi.check_request("GET", "/v1/events", {"limit": "3", "delivery_success": "false", "created": {"gte": "1"}})
    openapi.check_request("POST", "/v1/checkout/sessions", shop.order())
    openapi.check_request("POST", "/v1/checkout/sessions/cs_test_1/expire", {})
    with pytest.raises(AssertionError, match="amount"):
        openapi.check_request("POST", "/v1/refunds", {"amount": "10.50"})


def test_a_parameter_that_stripe_lacks_fails():
    with pytest.raises(AssertionError, match="payment_method_types"):
        openapi.check_request("POST", "/v1/checkout/sessions", shop.order(payment_method_types=["card"]))
    with pytest.raises(AssertionError, match="colour"):
        openapi.check_request("POST", "/v1/checkout/sessions", shop.order(adaptive_pricing={"colour": "red"}))
    with pytest.raises(AssertionError, match="no POST"):
        openapi.check_request("POST", "/v1/nonsense", {})
