"""What a small shop asks of Stripe, for tests of the simulator."""

from __future__ import annotations

import time
from typing import Any

import stripe

OK = "4242424242424242"
DECLINED = "4000000000000002"
SECURE = "4000000000003220"
REFUND_PENDING = "4000000000007726"
REFUND_FAILS = "4000000000005126"
DISPUTED = "4000000000000259"


def client(url: str, key: str = "sk_test_shop", **options: Any) -> stripe.StripeClient:
    """Stripe's own SDK, pointed at a simulator."""
    return stripe.StripeClient(key, base_addresses={"api": url}, **options)  # type: ignore[arg-type]


def order(amount: int = 112_500, currency: str = "eur", **changes: Any) -> Any:
    """Parameters for a session that a hotel would send; a change to None leaves the parameter out."""
    params: dict[str, Any] = {
        "mode": "payment",
        "success_url": "http://127.0.0.1:9/paid?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/back",
        "customer_email": "guest@example.com",
        "client_reference_id": "RES-1",
        "locale": "en",
        "submit_type": "book",
        "expires_at": int(time.time()) + 35 * 60,
        "allowed_payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "metadata": {"payment": "PAY-1"},
        "payment_intent_data": {"metadata": {"payment": "PAY-1"}, "description": "Stay RES-1"},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": currency,
                    "unit_amount": amount,
                    "product_data": {"name": "Three nights", "description": "Double room"},
                },
            }
        ],
    } | changes
    return {name: value for name, value in params.items() if value is not None}
