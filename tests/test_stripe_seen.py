"""What Stripe tells becomes plain values: from a message without expansion as well as from an answer with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.gateways.stripe_seen import DeclineSeen, PaymentSeen, read_event, read_intent, read_session

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
MADE = int((AT - timedelta(hours=1)).timestamp())
NAMES = {"portal": "p", "reservation": "7H4K2M0X1Z9Q", "payment": "PAY-1"}


def session(**changes: Any) -> dict[str, Any]:
    body = {
        "id": "cs_1", "object": "checkout.session", "status": "open", "payment_status": "unpaid", "amount_total": 112_500, "currency": "eur",
        "livemode": False, "metadata": NAMES, "payment_intent": None, "url": "https://checkout.stripe.com/c/cs_1", "created": MADE,
    }  # fmt: skip
    return {**body, **changes}


def intent(**changes: Any) -> dict[str, Any]:
    body = {
        "id": "pi_1", "object": "payment_intent", "status": "requires_payment_method", "amount": 112_500, "amount_received": 0, "currency": "eur",
        "livemode": False, "metadata": NAMES, "latest_charge": None, "last_payment_error": None, "created": MADE,
    }  # fmt: skip
    return {**body, **changes}


CHARGE = {
    "id": "ch_1", "amount_refunded": 0, "created": MADE + 60,
    "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
}  # fmt: skip
PAID = {"status": "succeeded", "amount_received": 112_500}


@pytest.mark.parametrize(
    ("thing", "status"),
    [
        (session(), "open"),
        (session(status="expired"), "expired"),
        (session(status="complete", payment_status="paid"), "succeeded"),
        (session(status="complete", payment_status="no_payment_required"), "succeeded"),
        (session(status="complete"), "processing"),
        (session(status="complete", payment_intent="pi_1"), "processing"),
        (session(status="complete", payment_intent=intent(status="processing")), "processing"),
        (session(status="complete", payment_intent=intent()), "failed"),
        (session(status="complete", payment_intent=intent(status="canceled")), "failed"),
        (session(payment_intent=intent()), "open"),
    ],
)
def test_a_session_is_in_one_of_our_states(thing: dict[str, Any], status: str) -> None:
    assert read_session(thing, AT).status == status


@pytest.mark.parametrize(
    ("status", "ours"),
    [("succeeded", "succeeded"), ("processing", "processing"), ("requires_payment_method", None), ("requires_action", None), ("canceled", None),
     ("requires_confirmation", None), ("something_new", None)],
)  # fmt: skip
def test_an_intent_alone_neither_opens_nor_ends_a_payment(status: str, ours: str | None) -> None:
    assert read_intent(intent(status=status, amount_received=112_500), AT).status == ours


def test_a_message_without_expansion_says_little_and_an_answer_with_it_all() -> None:
    bare = read_session(session(status="complete", payment_status="paid", payment_intent="pi_1"), AT)
    assert (bare.payment_intent_id, bare.charge_id, bare.card_last4, bare.at) == ("pi_1", None, None, AT)
    whole = read_session(
        session(status="complete", payment_status="paid", payment_intent=intent(**PAID, latest_charge=CHARGE)), AT
    )
    assert (whole.payment_intent_id, whole.charge_id, whole.card_brand, whole.card_last4) == (
        "pi_1",
        "ch_1",
        "visa",
        "4242",
    )
    told = read_intent(intent(**PAID, latest_charge="ch_1"), AT)
    assert (told.charge_id, told.refunded, told.card_last4, told.session_id) == ("ch_1", 0, None, None)


def test_the_sum_is_what_was_received_in_the_currency_of_the_charge() -> None:
    seen = read_intent(intent(status="succeeded", amount_received=99, currency="usd"), AT)
    assert (seen.amount, seen.currency) == (99, "USD")
    back = read_intent(intent(**PAID, latest_charge={**CHARGE, "amount_refunded": 500}), AT)
    assert back.refunded == 500
    assert read_session(session(amount_total=None, currency=None), AT).amount == 0


@pytest.mark.parametrize(
    ("error", "charge", "seen"),
    [
        (None, None, None),
        ({"code": "card_declined", "decline_code": "generic_decline", "charge": "ch_1"}, "ch_1", DeclineSeen("ch_1", "generic_decline", AT)),
        ({"code": "card_declined", "decline_code": "generic_decline", "charge": "ch_1"}, CHARGE, DeclineSeen("ch_1", "generic_decline", AT - timedelta(minutes=59))),
        ({"code": "expired_card", "charge": "ch_2"}, CHARGE, DeclineSeen("ch_2", "expired_card", AT)),
        ({"code": "payment_intent_authentication_failure"}, None, DeclineSeen("pi_1:payment_intent_authentication_failure", "payment_intent_authentication_failure", AT)),
        ({"type": "card_error"}, None, DeclineSeen("pi_1:unknown", "unknown", AT)),
    ],
)  # fmt: skip
def test_a_decline_is_known_by_its_charge(error: Any, charge: Any, seen: DeclineSeen | None) -> None:
    assert read_intent(intent(last_payment_error=error, latest_charge=charge), AT).decline == seen


@pytest.mark.parametrize("metadata", [None, {}, {"portal": 7}, {"portal": "é\0"}, {"portal": "a\nb"}, {"other": "x"}])
def test_names_that_are_not_ours_are_no_names(metadata: Any) -> None:
    assert read_session(session(metadata=metadata), AT).names.portal == ""


def event(type_: str, thing: Any) -> Any:
    return read_event(
        "{}", {"id": "evt_1", "type": type_, "created": MADE, "livemode": False, "data": {"object": thing}}
    ).about


def test_an_event_is_about_what_its_type_says() -> None:
    failed = event("checkout.session.async_payment_failed", session(status="complete", payment_intent="pi_1"))
    assert isinstance(failed, PaymentSeen)
    assert (failed.status, failed.source, failed.at) == ("failed", "session", datetime.fromtimestamp(MADE, UTC))
    assert event("payment_intent.succeeded", intent(**PAID)).source == "intent"
    assert event("customer.created", {"id": "cus_1"}) is None
    assert event("checkout.session.something_new", {"id": "cs_1"}) is None


@pytest.mark.parametrize(
    "missing", ["id", "status", "currency", "livemode", "created", "amount_total", "payment_status"]
)
def test_what_lacks_a_field_is_refused_and_nothing_is_guessed(missing: str) -> None:
    thing = session(status="complete")
    del thing[missing]
    with pytest.raises(KeyError):
        read_session(thing, AT)
