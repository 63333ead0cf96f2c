"""Checkout sessions through Stripe's SDK: opened, paid, declined, expired."""

import time

import pytest
import stripe

from tests.simulator import openapi, shop


def test_a_new_session_is_open_and_has_no_payment_intent_yet(simulator, session):
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert session.url == f"{simulator.url}/c/pay/{session.id}"
    assert session.id.startswith("cs_test_")
    assert (session.amount_total, session.currency, session.livemode) == (112_500, "eur", False)
    assert session.metadata.to_dict() == {"payment": "PAY-1"}
    assert session.customer_details.email == "guest@example.com"
    assert session.last_response.headers["Stripe-Version"] == stripe.api_version
    assert session.last_response.request_id.startswith("req_")


def test_a_decline_makes_the_payment_intent_and_keeps_the_session_open(api, control, session):
    answer = control.pay(session.id, shop.DECLINED)
    assert answer["status"] == "declined"
    seen = api.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent.latest_charge"]})
    intent, charge = seen.payment_intent, seen.payment_intent.latest_charge
    assert (seen.status, seen.payment_status, intent.status) == ("open", "unpaid", "requires_payment_method")
    error = intent.last_payment_error
    assert (error.code, error.decline_code, error.message) == (
        "card_declined",
        "generic_decline",
        "Your card was declined.",
    )
    assert (error.charge, error.payment_method.card.last4) == (charge.id, "0002")
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, "card_declined")
    assert charge.outcome.reason == "generic_decline"


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("4000000000009995", ("card_declined", "insufficient_funds", "Your card has insufficient funds.")),
        ("4000000000000069", ("expired_card", "expired_card", "Your card has expired.")),
        ("4000000000000127", ("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")),
    ],
)
def test_each_declining_card_gives_its_reason(api, control, session, card, reason):
    answer = control.pay(session.id, card)
    error = api.v1.payment_intents.retrieve(answer["session"]["payment_intent"]).last_payment_error
    assert (error.code, error.decline_code, error.message) == reason


def test_a_mistyped_number_never_reaches_a_bank(control, session):
    answer = control.pay(session.id, "4111111111111111")
    assert (answer["status"], answer["error"]["code"]) == ("declined", "incorrect_number")
    assert control.truth()["payment_intents"] == control.events() == []


def test_a_payment_after_a_decline_keeps_the_same_payment_intent(api, control, session, receiver):
    first = control.pay(session.id, shop.DECLINED)["session"]["payment_intent"]
    answer = control.pay(session.id, email="other@example.com", name="Maria")
    assert answer["status"] == "paid"
    seen = api.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent", "line_items"]})
    assert (seen.status, seen.payment_status, seen.url) == ("complete", "paid", None)
    assert (seen.payment_intent.id, seen.payment_intent.amount_received) == (first, 112_500)
    assert seen.payment_intent.metadata.to_dict() == {"payment": "PAY-1"}
    assert (seen.customer_details.email, seen.customer_email) == ("other@example.com", "guest@example.com")
    assert [item.description for item in seen.line_items.data] == ["Three nights"]
    assert [event["type"] for event in control.events()] == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    receiver.wait_for("checkout.session.completed")
    assert control.pay(session.id)["status"] == "not_open"


def test_session_metadata_does_not_reach_the_payment_intent(api, control):
    params = shop.order(metadata={"a": "1"}, payment_intent_data={"metadata": {"b": "2"}})
    session = api.v1.checkout.sessions.create(params=params)
    intent_id = control.pay(session.id)["session"]["payment_intent"]
    intent = api.v1.payment_intents.retrieve(intent_id, params={"expand": ["latest_charge"]})
    assert intent.metadata.to_dict() == intent.latest_charge.metadata.to_dict() == {"b": "2"}


@pytest.mark.parametrize(("outcome", "status"), [("pass", "paid"), ("fail", "authentication_failed")])
def test_three_d_secure_both_ways(api, control, session, outcome, status):
    assert control.pay(session.id, shop.SECURE)["status"] == "authentication_required"
    intent_id = api.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert api.v1.payment_intents.retrieve(intent_id).status == "requires_action"
    assert control.authenticate(session.id, outcome)["status"] == status
    intent = api.v1.payment_intents.retrieve(intent_id)
    if outcome == "pass":
        assert intent.status == "succeeded"
    else:
        assert intent.status == "requires_payment_method"
        assert intent.last_payment_error.code == "payment_intent_authentication_failure"
        assert (intent.latest_charge, control.truth()["charges"]) == (None, [])
        assert control.pay(session.id)["status"] == "paid"


def test_expiring_is_for_open_sessions_only(api, control, session):
    expired = api.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    assert control.pay(session.id)["status"] == "not_open"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.v1.checkout.sessions.expire(session.id)
    assert caught.value.code is None
    assert caught.value.user_message == (
        'Only Checkout Sessions with a status in ["open"] can be expired.'
        " This Checkout Session has a status of `expired`."
    )
    assert [event["type"] for event in control.events()] == ["checkout.session.expired"]


def test_a_challenge_cannot_be_passed_after_the_session_expired(api, control, session):
    control.pay(session.id, shop.SECURE)
    api.v1.checkout.sessions.expire(session.id)
    assert control.authenticate(session.id)["status"] == "not_open"
    assert control.truth()["charges"] == []


def test_a_session_expires_by_itself(api, control, receiver, session):
    control.freeze()
    control.set_now(session.expires_at - 1)
    assert api.v1.checkout.sessions.retrieve(session.id).status == "open"
    control.advance(1)
    assert api.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert receiver.wait_for("checkout.session.expired")[0].event.created == session.expires_at


def test_a_slow_method_settles_later(api, control, session):
    answer = control.complete_unpaid(session.id)["session"]
    assert (answer["status"], answer["payment_status"]) == ("complete", "unpaid")
    assert api.v1.payment_intents.retrieve(answer["payment_intent"]).status == "processing"
    control.settle(answer["payment_intent"])
    seen = api.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]})
    assert (seen.payment_status, seen.payment_intent.status) == ("paid", "succeeded")
    kinds = [event["type"] for event in control.events()]
    assert kinds[-3:] == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"]


def test_a_slow_method_fails_later(api, control, session):
    intent_id = control.complete_unpaid(session.id)["session"]["payment_intent"]
    control.settle(intent_id, "failed")
    seen = api.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]})
    assert (seen.status, seen.payment_status) == ("complete", "unpaid")
    assert seen.payment_intent.status == "requires_payment_method"
    kinds = [event["type"] for event in control.events()]
    assert kinds[-2:] == ["payment_intent.payment_failed", "checkout.session.async_payment_failed"]


def test_recovery_appears_when_the_session_expires(api):
    params = shop.order(after_expiration={"recovery": {"enabled": True}})
    session = api.v1.checkout.sessions.create(params=params)
    assert session.after_expiration.recovery.url is None
    assert api.v1.checkout.sessions.expire(session.id).after_expiration.recovery.url is not None


def test_the_account_and_the_balance_answer_a_health_check(api, paid):
    paid()
    balance = api.v1.balance.retrieve()
    assert [(one.currency, one.amount) for one in balance.available] == [("eur", 112_500)]
    openapi.check_object("balance", balance)
    openapi.check_object("account", api.v1.accounts.retrieve_current())


def test_what_was_sent_can_be_read_and_is_what_stripe_takes(control, session):
    (request,) = control.requests()
    assert (request["method"], request["path"], request["status"]) == ("POST", "/v1/checkout/sessions", 200)
    assert request["params"]["line_items"][0]["price_data"]["unit_amount"] == "112500"
    assert request["idempotency_key"]
    openapi.check_request(request["method"], request["path"], request["params"])


def test_a_charge_of_another_program_has_no_session(api, control):
    intent = control.charge_elsewhere(2_000, metadata={"from": "the bar"})
    assert api.v1.payment_intents.retrieve(intent["id"]).amount_received == 2_000
    assert api.v1.checkout.sessions.list(params={"payment_intent": intent["id"]}).data == []
    assert "charge.succeeded" in [event["type"] for event in control.events()]


def test_no_card_number_is_kept(control, session):
    control.pay(session.id, shop.SECURE, authentication="pass")
    assert shop.SECURE not in str([control.truth(), control.events(), control.requests()])


def test_creation_follows_the_simulators_clock(api, control):
    control.set_now(int(time.time()) + 1000)
    control.freeze()
    now = control.now()
    assert api.v1.checkout.sessions.create(params=shop.order(expires_at=now + 1800)).created == now
