"""What may be sent to create a checkout session, and Stripe's rules about it."""

from typing import Any

from stripe_simulator import money
from stripe_simulator.errors import invalid, missing_parameter, no_such
from stripe_simulator.shapes import (
    Reader,
    boolean,
    choice,
    email,
    integer,
    metadata,
    nested,
    require,
    several,
    text,
    url,
)

SHORTEST, LONGEST = 30 * 60, 24 * 60 * 60

_LOCALES = (
    "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru"
    " sk sl sv th tr vi zh zh-HK zh-TW"
)
_MESSAGE = nested({"message": text(1200)})
_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
_PRODUCT_DATA: dict[str, Reader] = {
    "name": text(),
    "description": text(40_000),
    "images": several(url),
    "metadata": metadata,
    "tax_code": text(),
    "unit_label": text(12),
}
_PRICE_DATA: dict[str, Reader] = {
    "currency": text(),
    "product": text(),
    "product_data": nested(_PRODUCT_DATA),
    "tax_behavior": choice("exclusive", "inclusive", "unspecified"),
    "unit_amount": integer(lowest=0),
}
_LINE_ITEM: dict[str, Reader] = {
    "price": text(),
    "price_data": nested(_PRICE_DATA),
    "quantity": integer(lowest=1),
    "metadata": metadata,
}
_PAYMENT_INTENT_DATA: dict[str, Reader] = {
    "description": text(1000),
    "metadata": metadata,
    "receipt_email": email,
    "statement_descriptor": text(22),
    "statement_descriptor_suffix": text(22),
    "capture_method": choice("automatic", "automatic_async"),
}

# `payment_method_types` is missing on purpose: the endive API version removed it from this call
# (docs.stripe.com/changelog/endive, 2026-09-30).
CREATE: dict[str, Reader] = {
    "adaptive_pricing": nested({"enabled": boolean}),
    "after_expiration": nested({"recovery": nested({"enabled": boolean, "allow_promotion_codes": boolean})}),
    "allow_promotion_codes": boolean,
    "allowed_payment_method_types": several(text()),
    "automatic_tax": nested({"enabled": boolean}),
    "billing_address_collection": choice("auto", "required"),
    "cancel_url": url,
    "client_reference_id": text(200),
    "currency": text(),
    "custom_text": nested(dict.fromkeys(_TEXTS, _MESSAGE)),
    "customer": text(),
    "customer_creation": choice("always", "if_required"),
    "customer_email": email,
    "excluded_payment_method_types": several(text()),
    "expand": several(text()),
    "expires_at": integer(),
    "invoice_creation": nested({"enabled": boolean}),
    "line_items": several(nested(_LINE_ITEM)),
    "locale": choice(*_LOCALES.split()),
    "metadata": metadata,
    "mode": choice("payment", "setup", "subscription"),
    "payment_intent_data": nested(_PAYMENT_INTENT_DATA),
    "phone_number_collection": nested({"enabled": boolean}),
    "submit_type": choice("auto", "book", "donate", "pay"),
    "success_url": url,
    "ui_mode": choice("hosted_page"),
}


def check(asked: dict[str, Any], now: int) -> None:
    """Refuse what Stripe refuses, in the order in which a reader would fix it."""
    require(asked, "mode")
    if asked["mode"] != "payment":
        raise invalid("The simulator only knows mode=payment.", param="mode")
    require(asked, "success_url")
    if "customer" in asked:
        raise no_such("customer", asked["customer"], param="customer", status=400)
    _check_items(asked.get("line_items"))
    _check_expiry(asked.get("expires_at"), now)
    _check_total(asked["line_items"])


def total(items: list[dict[str, Any]]) -> int:
    """What the line items add up to."""
    return sum(item["price_data"]["unit_amount"] * item["quantity"] for item in items)


def _check_items(items: list[dict[str, Any]] | None) -> None:
    if not items:
        raise missing_parameter("line_items")
    for position, item in enumerate(items):
        inside = f"line_items[{position}]"
        if "price" in item:
            raise no_such("price", item["price"], param=f"{inside}[price]", status=400)
        require(item, "price_data", "quantity", inside=inside)
        _check_price(item["price_data"], f"{inside}[price_data]")
    if len({item["price_data"]["currency"] for item in items}) > 1:
        raise invalid("All line items must have the same currency.", param="line_items")


def _check_price(price: dict[str, Any], inside: str) -> None:
    require(price, "currency", inside=inside)
    price["currency"] = price["currency"].lower()
    if price["currency"] not in money.MINIMUM:
        known = ", ".join(sorted(money.MINIMUM))
        words = f"Invalid currency: {price['currency']}. Stripe currently supports these currencies: {known}"
        raise invalid(words, param=f"{inside}[currency]")
    if "product" in price:
        raise no_such("product", price["product"], param=f"{inside}[product]", status=400)
    require(price, "unit_amount", "product_data", inside=inside)
    require(price["product_data"], "name", inside=f"{inside}[product_data]")


def _check_expiry(expires_at: int | None, now: int) -> None:
    if expires_at is None:
        return
    if expires_at < now + SHORTEST:  # recorded live: neither code nor param
        raise invalid("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
    if expires_at > now + LONGEST:
        words = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise invalid(words, param="expires_at")


def _check_total(items: list[dict[str, Any]]) -> None:
    currency, amount = items[0]["price_data"]["currency"], total(items)
    if amount < money.MINIMUM[currency]:
        least = money.formatted(money.MINIMUM[currency], currency)
        words = f"The Checkout Session's total amount due must add up to at least {least} {currency}"
        raise invalid(words, code="amount_too_small")
    if amount > money.MAXIMUM:
        most = money.formatted(money.MAXIMUM, currency)
        words = f"The Checkout Session's total amount due must be no more than {most} {currency}"
        raise invalid(words, code="amount_too_large")
