"""What leaves the portal for Stripe: exactly what was agreed, and only what Stripe takes."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal import jobs
from portal.deps import Deps
from portal.models import Hotel, Payment, Reservation
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of
from tests.simulator.openapi import check_request

Make = Callable[..., Reservation]
SESSIONS = "/v1/checkout/sessions"


def test_a_session_asks_for_one_sum_by_card_in_our_names(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation(lines=_two_lines())
    guest.opens_link(reservation)
    guest.presses_pay()
    (call,) = [asked for asked in stripe.requests() if asked["path"] == SESSIONS]
    (payment,) = rows(Payment)
    sent = call["params"]
    names = {"portal": Hotel.get_by_id(1).installation, "reservation": reservation.code, "payment": payment.public_id}
    assert sent["metadata"] == sent["payment_intent_data"]["metadata"] == names
    assert (sent["mode"], sent["allowed_payment_method_types"]) == ("payment", ["card"])
    assert "payment_method_types" not in sent
    assert sent["adaptive_pricing"] == {"enabled": "false"}
    (item,) = sent["line_items"]
    assert (item["quantity"], item["price_data"]["unit_amount"], item["price_data"]["currency"]) == (
        "1",
        "90000",
        "eur",
    )
    product = item["price_data"]["product_data"]
    shown = f"{reservation.code[:4]}-{reservation.code[4:8]}-{reservation.code[8:]}"
    assert shown in product["description"]
    assert f"{reservation.check_in:%d %b %Y}" in product["description"]
    assert "Garden room" in product["name"]
    assert sent["customer_email"] == "ines@carvalho.example"
    assert int(sent["expires_at"]) == int((clock.now() + timedelta(minutes=35)).timestamp())
    assert sent["success_url"].startswith(guest.portal_url)
    assert sent["cancel_url"].startswith(guest.portal_url)
    assert call["idempotency_key"] == f"pay:{payment.public_id}"
    assert "Carvalho" not in str(sent).replace("ines@carvalho.example", "")


def test_every_call_is_one_that_stripe_describes(
    guest: Guest, hasty_guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    hasty_guest.opens_link(reservation)
    stripe.fault("lost_answer", method="POST", path=SESSIONS)
    hasty_guest.presses_pay_in_vain()
    clock.advance(minutes=3)
    jobs.run_once(deps)  # looks the session up
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()), card="4000000000000002")
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    stripe.pay(session_of(guest.presses_pay()))  # closes the old one
    stripe.deliver()
    jobs.run_once(deps)

    calls = stripe.requests()
    about_sessions = [call for call in calls if call["path"].startswith(SESSIONS)]
    assert {(call["method"], call["path"].replace(SESSIONS, "").count("/")) for call in about_sessions} == {
        ("POST", 0),  # make
        ("GET", 0),  # list
        ("GET", 1),  # look
        ("POST", 2),  # expire
    }
    for call in calls:
        check_request(call["method"], call["path"], call["params"])
    assert len({call["stripe_version"] for call in calls}) == 1


@pytest.mark.parametrize("email", ["<script>@evil.example", "ines+€@carvalho.example", "a" * 64 + "@long.example"])
def test_odd_guests_are_sent_as_they_are_or_left_out(
    email: str, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    guest.opens_link(make_reservation(email=email, guest_name='"><img src=x onerror=alert(1)> {{7*7}}'))
    assert guest.presses_pay()


def _two_lines():  # type: ignore[no-untyped-def]
    from portal.services.new_reservation import NewLine

    return (NewLine("Garden room", 100_000, "3 nights"), NewLine("Regular guest", -10_000))
