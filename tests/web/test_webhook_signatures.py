"""Letters at the webhook's door: only what Stripe signed, now, for this mode, gets in."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests

from portal import create_app
from portal.deps import Deps
from portal.models import Alert, Reservation, WebhookEvent
from stripe_simulator import Control
from tests.actors import Clock, Guest, LivePortal, everything_stored, rows, session_of
from tests.conftest import WEBHOOK_SECRET
from tests.web.conftest import Sender

Make = Callable[..., Reservation]


@pytest.fixture
def event(guest: Guest, stripe: Control, make_reservation: Make) -> dict[str, Any]:
    """What Stripe sends when a stay was paid."""
    guest.opens_link(make_reservation())
    stripe.pay(session_of(guest.presses_pay()))
    return stripe.events("checkout.session.completed")[0]


def test_what_stripe_signed_gets_in(send: Sender, event: dict[str, Any]) -> None:
    answer = send(event)
    assert (answer.status_code, answer.json()) == (
        200,
        {"received": True, "event_id": event["id"], "event_type": event["type"], "processing_result": "success"},
    )
    assert rows(Reservation)[0].status == "confirmed"


@pytest.mark.parametrize(
    "header",
    ["", "x", "t=1", "v1=abc", "t=1,v1=", "t=x,v1=abc", "t=99999999999999999999,v1=a", "t=,v1=,t=", ",", "\u00e9" * 20],
)
def test_a_garbled_signature_is_refused(header: str, send: Sender, event: dict[str, Any]) -> None:
    _is_refused(send(event, header=header.encode("latin-1")))


def test_a_signature_with_letters_beyond_ascii_is_refused(send: Sender, clock: Clock, event: dict[str, Any]) -> None:
    stamp = int(clock.now().timestamp())
    _is_refused(send(event, header=f"t={stamp},v1=\u00e9\u00fc".encode("latin-1")))
    _is_refused(send(event, header=f"t={stamp},v1=\u20ac".encode()))


def test_another_secret_or_another_body_is_refused(send: Sender, event: dict[str, Any]) -> None:
    _is_refused(send(event, secret="whsec_of_somebody_else"))
    header = send(event, secret="whsec_x").request.headers["Stripe-Signature"]
    _is_refused(send(event | {"id": "evt_forged"}, header=header))


@pytest.mark.parametrize("late", [301, -301, 86_400, -86_400])
def test_an_old_or_a_future_letter_is_refused(late: int, send: Sender, event: dict[str, Any]) -> None:
    _is_refused(send(event, late=late))


@pytest.mark.parametrize("late", [299, -299])
def test_clocks_may_differ_by_less_than_five_minutes(late: int, send: Sender, event: dict[str, Any]) -> None:
    assert send(event, late=late).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"x", b"[]", b"1", b"null", b'"x"', b"{}", b'{"id": "evt_1"}', b"\xff\xfe", b"[" * 50_000),
        b'{"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter", "related_object": {"id": "x"}}',
        b'{"id": 1, "type": "x", "created": 1, "livemode": false, "data": {"object": {}}}',
        b'{"id": "e", "type": "x", "created": "soon", "livemode": false, "data": {"object": {}}}',
        b'{"id": "e", "type": "x", "created": 1e400, "livemode": false, "data": {"object": {}}}',
        b'{"id": "e", "type": "checkout.session.completed", "created": 1, "livemode": false, "data": {"object": {}}}',
        b'{"id": "e", "type": "payment_intent.succeeded", "created": 1, "livemode": false, "data": {"object": []}}',
    ],
    ids=lambda body: body[:90].decode("latin-1"),
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes, send: Sender, database: str) -> None:
    before = everything_stored()
    _is_refused(send(body))
    assert everything_stored() == before


@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_body_is_refused_before_it_is_read(chunked: bool, send: Sender, database: str) -> None:
    body = b" " * (256 * 1024 + 1)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(send.url, data=iter([body[:9], body[9:]]) if chunked else body)
    assert answer.status_code == 413
    assert answer.json()["error_code"] == "ERR_413"


def test_the_largest_body_is_still_read(send: Sender, event: dict[str, Any]) -> None:
    body = json.dumps(event).encode()
    assert send(body + b" " * (256 * 1024 - len(body))).status_code == 200


def test_a_live_event_at_a_test_portal_is_refused_and_told_to_staff(send: Sender, event: dict[str, Any]) -> None:
    for _ in range(2):
        _is_refused(send(event | {"livemode": True}))
    assert [alert.kind for alert in rows(Alert)] == ["webhook of the other mode"]
    assert rows(WebhookEvent) == []
    assert rows(Reservation)[0].status == "pending"


def test_both_secrets_count_while_one_is_being_rotated(deps: Deps, clock: Clock, event: dict[str, Any]) -> None:
    with _serving(deps, ("whsec_new", WEBHOOK_SECRET)) as portal:
        send = Sender(f"{portal.url}/webhooks/stripe", clock)
        assert send(event, secret="whsec_new").json()["processing_result"] == "success"
        assert send(event).json()["processing_result"] == "duplicate"
        _is_refused(send(event, secret="whsec_older"), stored=True)


def test_without_a_secret_everything_is_refused_and_the_portal_still_works(
    deps: Deps, clock: Clock, stripe: Control, make_reservation: Make
) -> None:
    with _serving(deps, ()) as portal:
        guest = Guest(portal.url, deps)
        reservation = make_reservation()
        guest.opens_link(reservation)
        stripe.pay(session_of(guest.presses_pay()))
        (event,) = stripe.events("checkout.session.completed")
        send = Sender(f"{portal.url}/webhooks/stripe", clock)
        _is_refused(send(event))
        _is_refused(send(event, secret=""))
        assert guest.goes_to(f"/reservations/{reservation.code}/success").reservation_status == "confirmed"


def _serving(deps: Deps, secrets: tuple[str, ...]):  # type: ignore[no-untyped-def]
    def make(url: str):  # type: ignore[no-untyped-def]
        settings = replace(deps.settings, public_base_url=url, stripe_webhook_secrets=secrets)
        return create_app(settings, replace(deps, settings=settings))

    return LivePortal.serve(make)


def _is_refused(answer: requests.Response, *, stored: bool = False) -> None:
    assert answer.status_code == 400
    told = answer.json()
    assert (told["success"], told["error_code"], told["details"]) == (False, "ERR_WEBHOOK", {})
    assert "Traceback" not in answer.text
    assert stored or rows(WebhookEvent) == []
