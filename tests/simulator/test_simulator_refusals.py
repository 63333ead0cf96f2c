"""What Stripe refuses is refused here, with the same words and codes."""

import pytest
import stripe

from tests.simulator import shop


def refusal(api, **changes):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.v1.checkout.sessions.create(params=shop.order(**changes))
    assert caught.value.http_status == 400
    return caught.value


def test_expiry_must_be_between_half_an_hour_and_a_day(api, control):
    now = control.freeze()
    early = refusal(api, expires_at=now + 30 * 60 - 1)
    assert early.user_message == (
        "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
    )
    assert (early.code, early.param) == (None, None)
    late = refusal(api, expires_at=now + 24 * 3600 + 1)
    assert late.user_message == "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
    for moment in (now + 30 * 60, now + 24 * 3600):
        assert api.v1.checkout.sessions.create(params=shop.order(expires_at=moment)).expires_at == moment
    assert api.v1.checkout.sessions.create(params=shop.order(expires_at=None)).expires_at == now + 24 * 3600


def test_the_smallest_amount_is_fifty_cents(api):
    error = refusal(api, amount=49)
    assert error.code == "amount_too_small"
    assert "€0.50" in error.user_message
    assert api.v1.checkout.sessions.create(params=shop.order(amount=50)).amount_total == 50


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"bogus": "1"}, "parameter_unknown", "bogus"),
        ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        ({"adaptive_pricing": {"on": True}}, "parameter_unknown", "adaptive_pricing[on]"),
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"mode": None}, "parameter_missing", "mode"),
        ({"line_items": None}, "parameter_missing", "line_items"),
        ({"line_items": [{"quantity": 1}]}, "parameter_missing", "line_items[0][price_data]"),
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, "resource_missing", "line_items[0][price]"),
        ({"customer_email": "nobody"}, "email_invalid", "customer_email"),
        ({"customer": "cus_1"}, "resource_missing", "customer"),
        ({"success_url": "nowhere"}, "url_invalid", "success_url"),
        ({"cancel_url": ""}, "parameter_invalid_empty", "cancel_url"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
        ({"currency": "eur", "amount": "x"}, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, None, "metadata"),
        ({"metadata": {"k" * 41: "v"}}, None, "metadata"),
        ({"metadata": {"k": "v" * 501}}, None, "metadata"),
        ({"client_reference_id": "x" * 201}, None, "client_reference_id"),
        ({"mode": "subscription"}, None, "mode"),
        ({"locale": "xx"}, None, "locale"),
    ],
)
def test_what_stripe_refuses_is_refused(api, control, changes, code, param):
    changes = dict(changes)
    if changes.pop("currency", None):
        changes = {"amount": changes["amount"]}
    error = refusal(api, **changes)
    assert (error.code, error.param) == (code, param)
    assert control.truth()["sessions"] == []


@pytest.mark.parametrize(("currency", "amount"), [("usd", 50), ("gbp", 30), ("jpy", 50)])
def test_other_currencies(api, currency, amount):
    assert api.v1.checkout.sessions.create(params=shop.order(amount, currency)).currency == currency
    assert refusal(api, currency=currency, amount=amount - 1).code == "amount_too_small"


def test_a_currency_that_is_unknown(api):
    assert "Invalid currency: xyz" in refusal(api, currency="xyz").user_message


def test_unknown_ids_use_stripes_words(api):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.v1.checkout.sessions.retrieve("cs_test_x")
    error = caught.value
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "session")
    assert error.user_message == "No such checkout.session: 'cs_test_x'"
    for call in (
        lambda: api.v1.payment_intents.retrieve("pi_x"),
        lambda: api.v1.charges.retrieve("ch_x"),
        lambda: api.v1.refunds.retrieve("re_x"),
        lambda: api.v1.disputes.retrieve("du_x"),
        lambda: api.v1.events.retrieve("evt_x"),
        lambda: api.v1.checkout.sessions.expire("cs_test_x"),
        lambda: api.v1.checkout.sessions.line_items.list("cs_test_x"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="No such ") as missing:
            call()
        assert missing.value.code == "resource_missing"


@pytest.mark.parametrize("key", ["sk_live_real", "rk_test_x", "nonsense"])
def test_only_test_keys_are_let_in(simulator, key):
    with pytest.raises(stripe.AuthenticationError) as caught:
        shop.client(simulator.url, key).v1.checkout.sessions.list()
    assert caught.value.http_status == 401
    assert "Invalid API Key provided" in caught.value.user_message
