"""What the portal relies on, asked of Stripe itself in test mode (or of the simulator, to compare the two)."""

import os
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from portal.deps import utc_now
from portal.gateways.stripe_gateway import (
    FOR_A_WORKER,
    ExpiresTooNear,
    SessionOrder,
    StripeGateway,
    StripeRefused,
    session_params,
)


@pytest.fixture
def gateway() -> StripeGateway:
    base = os.environ.get("STRIPE_TEST_API_BASE", "https://api.stripe.com")
    return StripeGateway(os.environ["STRIPE_TEST_KEY"], base, FOR_A_WORKER, utc_now)


def order(**changes: object) -> SessionOrder:
    values: dict[str, object] = {
        "portal": "contract-test",
        "reservation_code": "0123456789AB",
        "payment_id": f"PAY-{secrets.token_hex(8)}",
        "amount": 112_500,
        "currency": "EUR",
        "title": "A hotel, Garden room",
        "description": "18 Dec 2026 – 21 Dec 2026",
        "email": "guest@mail.example.com",
        "success_url": "https://portal.example.com/success",
        "cancel_url": "https://portal.example.com/failed",
        "expires_at": datetime.now(UTC) + timedelta(minutes=35),
    }
    return SessionOrder(**{**values, **changes})  # type: ignore[arg-type]


def test_a_session_is_made_once_per_key_found_by_its_metadata_and_closed(gateway: StripeGateway) -> None:
    wanted = order()
    params, key = session_params(wanted), f"pay:{wanted.payment_id}"
    made = gateway.create_checkout_session(params, key)
    assert (made.status, made.amount, made.currency, made.names.payment) == ("open", 112_500, "EUR", wanted.payment_id)
    assert made.url
    assert made.payment_intent_id is None
    assert gateway.create_checkout_session(params, key).session_id == made.session_id
    with pytest.raises(StripeRefused) as refused:
        gateway.create_checkout_session({**params, "client_reference_id": "other"}, key)
    assert refused.value.code == "idempotency_error"
    now = datetime.now(UTC)
    found = gateway.find_session(wanted.payment_id, now, now)
    assert found is not None
    assert found.session_id == made.session_id
    assert gateway.close_session(str(made.session_id)).status == "expired"
    assert gateway.close_session(str(made.session_id)).status == "expired"


def test_a_session_that_would_end_too_soon_is_refused_by_its_own_name(gateway: StripeGateway) -> None:
    wanted = order(expires_at=datetime.now(UTC) + timedelta(minutes=20))
    with pytest.raises(ExpiresTooNear):
        gateway.create_checkout_session(session_params(wanted), f"pay:{wanted.payment_id}")


def test_a_bad_address_is_refused_by_its_own_name(gateway: StripeGateway) -> None:
    wanted = order(email="not an address")
    with pytest.raises(StripeRefused) as refused:
        gateway.create_checkout_session(session_params(wanted), f"pay:{wanted.payment_id}")
    assert refused.value.code == "email_invalid"
