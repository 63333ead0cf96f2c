"""Checkout sessions: opened by the API, completed by a payer, or expired by a call or by time."""

from typing import Any

from stripe_simulator import ids, session_shape
from stripe_simulator.errors import no_such, refused
from stripe_simulator.events import emit
from stripe_simulator.store import Doc
from stripe_simulator.world import World

_RECOVERY_SECONDS = 30 * 86_400


def create(world: World, asked: dict[str, Any]) -> Doc:
    """Open a session with a page to pay on."""
    session_shape.check(asked, world.clock.now())
    session = _new(world, asked) | _hidden(world, asked)
    return world.store.put(session)


def expire(world: World, session_id: str) -> Doc:
    """Close an open session, so that nobody can pay it any more."""
    session = world.store.find("checkout.session", session_id)
    if session is None:
        raise no_such("checkout.session", session_id, param="session")
    if session["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired.'
            f" This Checkout Session has a status of `{session['status']}`."
        )
    return _expired(world, session)


def expire_overdue(world: World) -> None:
    """Expire every open session whose time is over."""
    overdue = [("json_extract(doc, '$.expires_at') <= ?", world.clock.now())]
    if not world.store.select("checkout.session", {"status": "open"}, overdue, limit=1):
        return
    with world.store.transaction():
        for session in world.store.select("checkout.session", {"status": "open"}, overdue, oldest_first=True):
            _expired(world, session)


def follow_address(world: World) -> None:
    """After a restart on another port, open sessions are paid at the new address."""
    with world.store.transaction():
        for session in world.store.select("checkout.session", {"status": "open"}):
            world.store.put(session | {"url": f"{world.url}/c/pay/{session['id']}"})


def complete(world: World, session: Doc, *, paid: bool, email: str | None, name: str | None) -> Doc:
    """The payer is done; `paid` is false when a slow method's bank has yet to answer."""
    session |= {
        "status": "complete",
        "payment_status": "paid" if paid else "unpaid",
        "url": None,
        "customer_details": _customer_details(email, name),
    }
    emit(world, "checkout.session.completed", world.store.put(session))
    return session


def settle(world: World, intent_id: str, *, succeeded: bool) -> None:
    """A slow method's bank has answered for a completed session."""
    for session in world.store.select("checkout.session", {"payment_intent": intent_id}, limit=1):
        if succeeded:
            session["payment_status"] = "paid"
        outcome = "succeeded" if succeeded else "failed"
        emit(world, f"checkout.session.async_payment_{outcome}", world.store.put(session))


def _expired(world: World, session: Doc) -> Doc:
    session |= {"status": "expired", "url": None}
    recovery = (session["after_expiration"] or {}).get("recovery")
    if recovery and recovery["enabled"]:
        recovery["expires_at"] = session["expires_at"] + _RECOVERY_SECONDS
        recovery["url"] = f"{world.url}/c/pay/{session['id']}"
    emit(world, "checkout.session.expired", world.store.put(session))
    return session


def _customer_details(email: str | None, name: str | None) -> Doc | None:
    if email is None and name is None:
        return None
    details = {"address": None, "business_name": None, "email": email, "individual_name": None, "name": name}
    return details | {"phone": None, "tax_exempt": "none", "tax_ids": []}


def _hidden(world: World, asked: dict[str, Any]) -> Doc:
    items = [_item(world, item) for item in asked["line_items"]]
    products = [item["price_data"]["product_data"] for item in asked["line_items"]]
    return {
        "_line_items": items,
        "_products": products,
        "_payment_intent_data": asked.get("payment_intent_data", {}),
    }


def _item(world: World, asked: dict[str, Any]) -> Doc:
    price, now = asked["price_data"], world.clock.now()
    product = price["product_data"]
    amount = price["unit_amount"] * asked["quantity"]
    return {
        "id": ids.fresh("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        # Stripe shows the product's name here; the product's own description stays with the product.
        "description": product["name"],
        "metadata": asked.get("metadata", {}),
        "price": {
            "id": ids.fresh("price_1"),
            "object": "price",
            "active": False,
            "billing_scheme": "per_unit",
            "created": now,
            "currency": price["currency"],
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": ids.fresh("prod_", 14),
            "recurring": None,
            "tax_behavior": price.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": price["unit_amount"],
            "unit_amount_decimal": str(price["unit_amount"]),
        },
        "quantity": asked["quantity"],
    }


def _new(world: World, asked: dict[str, Any]) -> Doc:
    now, amount = world.clock.now(), session_shape.total(asked["line_items"])
    session_id = ids.fresh("cs_test_a1", 56)
    wishes = {name: asked.get(name) for name in _AS_GIVEN}
    return wishes | {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": asked.get("adaptive_pricing", {}).get("enabled", True)},
        "allowed_payment_method_types": asked.get("allowed_payment_method_types"),
        "after_expiration": _after_expiration(asked.get("after_expiration")),
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": now,
        "currency": asked["line_items"][0]["price_data"]["currency"],
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": _NO_TEXT | asked.get("custom_text", {}),
        "customer": None,
        "customer_account": None,
        "customer_creation": asked.get("customer_creation", "if_required"),
        "customer_details": _customer_details(asked.get("customer_email"), None),
        "discounts": [],
        "expires_at": asked.get("expires_at", now + session_shape.LONGEST),
        "invoice": None,
        "invoice_creation": {"enabled": False, "invoice_data": _NO_INVOICE},
        "livemode": False,
        "metadata": asked.get("metadata", {}),
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": asked.get("allowed_payment_method_types", ["card"]),
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "subscription": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{world.url}/c/pay/{session_id}",
        "wallet_options": None,
    }


_AS_GIVEN = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "locale",
    "submit_type",
    "success_url",
)
_NO_TEXT: Doc = {"after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None}
_NO_INVOICE: Doc = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": None,
    "metadata": {},
    "rendering_options": None,
}


def _after_expiration(asked: dict[str, Any] | None) -> Doc | None:
    if not asked or "recovery" not in asked:
        return None
    recovery = {"allow_promotion_codes": False, "enabled": False} | asked["recovery"]
    return {"recovery": recovery | {"expires_at": None, "url": None}}
