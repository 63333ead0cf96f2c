"""Stripe's published test cards (docs.stripe.com/testing) and what each of them does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stripe_simulator import ids
from stripe_simulator.store import Doc


@dataclass(frozen=True)
class Decline:
    """Why the bank says no: the API's code, the bank's code, and the sentence for the payer."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True)
class TestCard:
    """One test number; `refund` and `disputed` tell what happens after the payment."""

    number: str
    does: str
    brand: str = "visa"
    decline: Decline | None = None
    three_d_secure: bool = False
    refund: str = "succeeded"
    disputed: bool = False

    @property
    def spaced(self) -> str:
        """The number in groups of four."""
        return " ".join(re.findall(".{1,4}", self.number))


@dataclass(frozen=True)
class PaidWith:
    """What is kept of a card: never its number."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int
    name: str | None = None


_DECLINED = "Your card was declined."

CARDS = (
    TestCard("4242424242424242", "pays"),
    TestCard("5555555555554444", "pays (Mastercard)", brand="mastercard"),
    TestCard("4000000000000002", "is declined", decline=Decline("card_declined", "generic_decline", _DECLINED)),
    TestCard(
        "4000000000009995",
        "is declined: insufficient funds",
        decline=Decline("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    ),
    TestCard(
        "4000000000000069",
        "is declined: expired card",
        decline=Decline("expired_card", "expired_card", "Your card has expired."),
    ),
    TestCard(
        "4000000000000127",
        "is declined: wrong security code",
        decline=Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    ),
    TestCard("4000000000003220", "asks for 3-D Secure", three_d_secure=True),
    TestCard("4000002760003184", "asks for 3-D Secure every time", three_d_secure=True),
    TestCard("4000000000007726", "pays; its refund is pending first", refund="pending"),
    TestCard("4000000000005126", "pays; its refund fails later", refund="fails"),
    TestCard("4000000000000259", "pays; is disputed soon after", disputed=True),
)

_BY_NUMBER = {card.number: card for card in CARDS}

INCORRECT_NUMBER = Decline("incorrect_number", "incorrect_number", "Your card number is incorrect.")


def find(number: str) -> TestCard | None:
    """The test card with this number; spaces and dashes do not matter."""
    return _BY_NUMBER.get(re.sub(r"[\s-]", "", number))


def with_last4(last4: str) -> TestCard:
    """The test card that ends so; their endings all differ, so that no number need be kept."""
    return next(card for card in CARDS if card.number.endswith(last4))


def card_facts(paid_with: PaidWith) -> Doc:
    """The card as a payment method shows it."""
    return {
        "brand": paid_with.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": paid_with.brand,
        "exp_month": paid_with.exp_month,
        "exp_year": paid_with.exp_year,
        "fingerprint": f"sim{paid_with.brand}{paid_with.last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": paid_with.last4,
        "networks": {"available": [paid_with.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def charge_facts(paid_with: PaidWith, *, authenticated: bool, amount: int) -> Doc:
    """The card as a charge shows it."""
    secure = {"authentication_flow": "challenge", "electronic_commerce_indicator": "05", "exemption_indicator": None}
    secure |= {"result": "authenticated", "result_reason": None, "transaction_id": ids.fresh(""), "version": "2.2.0"}
    return {
        "amount_authorized": amount,
        "authorization_code": None,
        "brand": paid_with.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": paid_with.exp_month,
        "exp_year": paid_with.exp_year,
        "fingerprint": f"sim{paid_with.brand}{paid_with.last4}",
        "funding": "credit",
        "installments": None,
        "last4": paid_with.last4,
        "mandate": None,
        "network": paid_with.brand,
        "network_token": {"used": False},
        "network_transaction_id": None,
        "regulated_status": "unregulated",
        "three_d_secure": secure if authenticated else None,
        "wallet": None,
    }


def payment_method(paid_with: PaidWith, billing: Doc, now: int) -> Doc:
    """A payment method object for a card that was typed in once."""
    return {
        "id": ids.fresh("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing,
        "card": card_facts(paid_with),
        "created": now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
