"""The door to Stripe: every answer becomes one of our words, and nothing passes inside a transaction."""

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
import stripe as sdk

from portal.db import transaction
from portal.deps import Deps
from portal.gateways.stripe_gateway import (
    ApiKeyRefused,
    BadSignature,
    ExpiresTooNear,
    KeyInFlight,
    Patience,
    SessionOrder,
    StripeGateway,
    StripeRefused,
    StripeUnavailable,
    parse_event,
    session_params,
)
from stripe_simulator import Control
from tests.actors import Clock

SECRET = "whsec_of_the_tests"


@pytest.fixture
def gateway(deps: Deps) -> StripeGateway:
    return StripeGateway("sk_test_x", deps.settings.stripe_api_base, Patience(1, 0.6, 0, None), deps.now)


def order(deps: Deps, **changes: Any) -> dict[str, Any]:
    values = {
        "portal": "p", "reservation_code": "7H4K2M0X1Z9Q", "payment_id": "PAY-1", "amount": 112_500, "currency": "EUR",
        "title": "Room", "description": "3 nights", "email": "ines@carvalho.example", "success_url": "http://127.0.0.1/s",
        "cancel_url": "http://127.0.0.1/c", "expires_at": deps.now() + timedelta(minutes=35),
    }  # fmt: skip
    return session_params(SessionOrder(**{**values, **changes}))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", StripeUnavailable),
        ("500", StripeUnavailable),
        ("500_stored", StripeUnavailable),
        ("401", ApiKeyRefused),
        ("not_json", StripeUnavailable),
        ("reset_before", StripeUnavailable),
        ("lost_answer", StripeUnavailable),
        ("timeout_before", StripeUnavailable),
        ("timeout_after", StripeUnavailable),
    ],
)
def test_each_kind_of_trouble_has_a_name(
    fault: str, error: type[Exception], deps: Deps, gateway: StripeGateway, stripe: Control
) -> None:
    stripe.fault(fault, method="POST", path="/v1/checkout/sessions")
    with pytest.raises(error) as raised:
        gateway.create_checkout_session(order(deps), "pay:PAY-1")
    assert type(raised.value) is error


def test_refusals_are_told_apart(deps: Deps, gateway: StripeGateway) -> None:
    for changes, code in (({"email": "x"}, "email_invalid"), ({"amount": 49}, "amount_too_small")):
        with pytest.raises(StripeRefused) as refused:
            gateway.create_checkout_session(order(deps, **changes), f"pay:{code}")
        assert refused.value.code == code
    with pytest.raises(ExpiresTooNear):
        gateway.create_checkout_session(order(deps, expires_at=deps.now() + timedelta(minutes=29)), "pay:near")
    gateway.create_checkout_session(order(deps), "pay:one")
    with pytest.raises(StripeRefused) as refused:
        gateway.create_checkout_session(order(deps, amount=100), "pay:one")
    assert refused.value.code == "idempotency_error"


def test_a_key_in_flight_is_told_from_an_outage(deps: Deps, stripe: Control) -> None:
    patient = StripeGateway("sk_test_x", deps.settings.stripe_api_base, Patience(2, 5, 0, None), deps.now)
    stripe.fault("slow", method="POST", path="/v1/checkout/sessions", seconds=1.5)
    first = Thread(target=patient.create_checkout_session, args=(order(deps), "pay:both"))
    first.start()
    while stripe.faults():  # until the first call is being answered, slowly
        pass
    with pytest.raises(KeyInFlight):
        patient.create_checkout_session(order(deps), "pay:both")
    first.join()
    assert len(stripe.truth()["sessions"]) == 1


def test_no_call_is_begun_once_a_requests_time_is_used_up(deps: Deps, stripe: Control) -> None:
    hasty = StripeGateway("sk_test_x", deps.settings.stripe_api_base, Patience(1, 1, 0, -1), deps.now)
    with pytest.raises(StripeUnavailable, match="out_of_time"):
        hasty.for_one_request().create_checkout_session(order(deps), "pay:late")
    assert stripe.requests() == []


def test_all_calls_of_a_request_share_its_time_and_each_request_has_its_own(deps: Deps, stripe: Control) -> None:
    hasty = StripeGateway("sk_test_x", deps.settings.stripe_api_base, Patience(1, 2, 0, 0.3), deps.now)
    one_request = hasty.for_one_request()
    stripe.fault("slow", method="POST", path="/v1/checkout/sessions", seconds=0.5)
    made = one_request.create_checkout_session(order(deps), "pay:slow")  # begun in time, and answered late
    asked = len(stripe.requests())
    with pytest.raises(StripeUnavailable, match="out_of_time"):
        one_request.get_session(str(made.session_id))
    assert len(stripe.requests()) == asked
    assert hasty.for_one_request().get_session(str(made.session_id)).status == "open"
    assert hasty.get_session(str(made.session_id)).status == "open"  # a worker is in no hurry


def test_closing_what_stripe_does_not_know_is_a_refusal(gateway: StripeGateway) -> None:
    for call in (gateway.close_session, gateway.get_session):
        with pytest.raises(StripeRefused) as refused:
            call("cs_test_nothing")
        assert refused.value.code == "resource_missing"


def test_closing_twice_and_closing_while_the_answer_is_lost_tell_the_same(
    deps: Deps, gateway: StripeGateway, stripe: Control
) -> None:
    session = str(gateway.create_checkout_session(order(deps), "pay:1").session_id)
    stripe.fault("lost_answer", method="POST", path="/v1/checkout/sessions/*/expire")
    with pytest.raises(StripeUnavailable):
        gateway.close_session(session)
    assert [gateway.close_session(session).status for _ in range(2)] == ["expired", "expired"]


def test_the_same_key_brings_the_same_session_also_when_its_answer_was_lost(
    deps: Deps, gateway: StripeGateway, stripe: Control
) -> None:
    stripe.fault("lost_answer", method="POST", path="/v1/checkout/sessions")
    with pytest.raises(StripeUnavailable):
        gateway.create_checkout_session(order(deps), "pay:1")
    made = {gateway.create_checkout_session(order(deps), "pay:1").session_id for _ in range(2)}
    assert made == {session["id"] for session in stripe.truth()["sessions"]}


def test_nobody_outside_is_called_while_a_transaction_is_open(deps: Deps, gateway: StripeGateway) -> None:
    calls: tuple[Callable[[], object], ...] = (
        lambda: gateway.create_checkout_session(order(deps), "pay:x"),
        lambda: gateway.get_session("cs_x"),
        lambda: gateway.close_session("cs_x"),
        lambda: gateway.list_refunds("pi_x"),
        lambda: gateway.create_refund("pi_x", 1, {}, "ref:x"),
        lambda: list(gateway.sessions_since(deps.now())),
    )
    for call in calls:
        with pytest.raises(RuntimeError, match="commit it before"), transaction():
            call()


def test_closing_tells_what_the_session_has_become(deps: Deps, gateway: StripeGateway, stripe: Control) -> None:
    opened = str(gateway.create_checkout_session(order(deps), "pay:1").session_id)
    assert gateway.close_session(opened).status == "expired"
    paid = str(gateway.create_checkout_session(order(deps, payment_id="PAY-2"), "pay:2").session_id)
    stripe.pay(paid)
    seen = gateway.close_session(paid)
    assert (seen.status, seen.amount, seen.currency, seen.card_last4) == ("succeeded", 112_500, "EUR", "4242")


def test_a_session_is_found_by_our_own_name_within_its_time(deps: Deps, gateway: StripeGateway, clock: Clock) -> None:
    for number in range(3):
        gateway.create_checkout_session(order(deps, payment_id=f"PAY-{number}"), f"pay:{number}")
    made = deps.now()
    clock.advance(hours=2)
    found = gateway.find_session("PAY-1", made, made)
    assert found is not None
    assert found.names.payment == "PAY-1"
    assert gateway.find_session("PAY-9", made, made) is None
    assert gateway.find_session("PAY-1", deps.now(), deps.now()) is None


def event(**changes: Any) -> str:
    body = {
        "id": "evt_1", "object": "event", "type": "customer.created", "created": 1_795_000_000, "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer"}}, **changes,
    }  # fmt: skip
    return json.dumps(body)


def signed(deps: Deps, body: str, *, offset: int = 0, secret: str = SECRET) -> str:
    at = int(deps.now().timestamp()) + offset
    return sdk.WebhookSignature.generate_signature_header(body, secret, at)


@pytest.mark.parametrize(
    ("offset", "fine"),
    [(0, True), (-299, True), (299, True), (-300, True), (300, True), (-301, False), (301, False), (86_400, False)],
)
def test_a_signature_holds_for_five_minutes_either_way(offset: int, fine: bool, deps: Deps) -> None:
    body = event()
    read = lambda: parse_event(body.encode(), signed(deps, body, offset=offset), (SECRET,), deps.now())  # noqa: E731
    if fine:
        assert read().id == "evt_1"
    else:
        with pytest.raises(BadSignature):
            read()


def test_any_of_our_secrets_will_do_and_none_means_nothing_is_believed(deps: Deps) -> None:
    body = event()
    header = signed(deps, body)
    assert parse_event(body.encode(), header, ("whsec_new", SECRET), deps.now()).type == "customer.created"
    for secrets in ((), ("whsec_new",), ("",)):
        with pytest.raises(BadSignature):
            parse_event(body.encode(), header, secrets, deps.now())


@pytest.mark.parametrize(
    "old", ["t={old}", "t= {old}", "t=+{old}", "t=0{old}", "t={old} ", "x=1,t={old}", "t={spelt}", "t={other}"]
)
@pytest.mark.parametrize(
    "fresh",
    [
        "t={new},{old},{signature}",
        "{old},t={new},{signature}",
        "{old},{signature},t={new}",
        "{signature},{old},t={new}",
    ],
)
def test_an_old_message_stays_old_whatever_is_written_beside_its_timestamp(old: str, fresh: str, deps: Deps) -> None:
    """Both the library and we have to look at the same timestamp, the one that was signed."""
    body, now = event(), int(deps.now().timestamp())
    stamp, signature = signed(deps, body, offset=-3600).split(",")
    written = stamp.removeprefix("t=")
    digits = {"spelt": f"{int(written):_}", "other": written.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))}
    header = fresh.format(old=old.format(old=written, **digits), new=now, signature=signature)
    with pytest.raises(BadSignature):
        parse_event(body.encode(), header, (SECRET,), deps.now())


@pytest.mark.parametrize("more", ["v0=abc", "v1=" + "0" * 64, "v2=x,v3=y"])
def test_signatures_of_other_secrets_and_schemes_may_stand_beside_the_good_one(more: str, deps: Deps) -> None:
    body = event()
    stamp, good = signed(deps, body).split(",")
    for header in (f"{stamp},{more},{good}", f"{stamp},{good},{more}", f"{good},{stamp}"):
        assert parse_event(body.encode(), header, (SECRET,), deps.now()).id == "evt_1"
    for header in (f"{stamp},{more}", f"{stamp},{good[:-1]}", f"{stamp},v0={good.removeprefix('v1=')}"):
        with pytest.raises(BadSignature):
            parse_event(body.encode(), header, (SECRET,), deps.now())


def test_one_changed_byte_breaks_the_signature(deps: Deps) -> None:
    body = event()
    header = signed(deps, body)
    for changed in (body + " ", body.replace("evt_1", "evt_2"), body.replace("false", "true ")):
        with pytest.raises(BadSignature):
            parse_event(changed.encode(), header, (SECRET,), deps.now())


@pytest.mark.parametrize(
    "header",
    [None, "", "x", "t=", "t=1", "v1=abc", "t=x,v1=y", "t=1,v1=é", "t=1=2,v1", ",,,", "t=" + "9" * 400 + ",v1=a"],
)
def test_a_garbled_header_is_a_bad_signature_and_nothing_worse(header: str | None, deps: Deps) -> None:
    with pytest.raises(BadSignature):
        parse_event(event().encode(), header, (SECRET,), deps.now())


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", "7", '"x"', "{}", '{"id": 7}', event(data=None), event(data={}), event(created="x"), event(id=""),
     event(object="v2.core.event", data=None), event(type=None), event(created=10**30), "[" * 100_000],
    ids=range(16),
)  # fmt: skip
def test_a_signed_body_that_is_no_event_is_refused(body: str, deps: Deps) -> None:
    with pytest.raises(BadSignature):
        parse_event(body.encode(), signed(deps, body), (SECRET,), deps.now())


def test_bytes_that_are_no_text_are_refused(deps: Deps) -> None:
    with pytest.raises(BadSignature):
        parse_event(b"\xff\xfe", "t=1,v1=a", (SECRET,), deps.now())
