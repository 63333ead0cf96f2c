"""What each path of the API does: reads the parameters by shape, and shows the outcome as JSON."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from stripe_simulator import expansion, listing, refunds, session_shape, sessions, shapes, webhooks
from stripe_simulator.calls import Call
from stripe_simulator.errors import ApiError, no_such
from stripe_simulator.shapes import Reader
from stripe_simulator.store import Doc
from stripe_simulator.world import API_VERSION

Action = Callable[..., Doc]

_EXPAND: dict[str, Reader] = {"expand": shapes.several(shapes.text())}
_LIST: dict[str, Reader] = {**listing.PAGING, **listing.CREATED}
_REFUND: dict[str, Reader] = {
    **_EXPAND,
    "amount": shapes.integer(),
    "charge": shapes.text(),
    "metadata": shapes.metadata,
    "payment_intent": shapes.text(),
    "reason": shapes.choice("duplicate", "fraudulent", "requested_by_customer"),
}
_STATUSES = ("open", "complete", "expired")


def _create_session(call: Call) -> Doc:
    asked = shapes.read(call.params, session_shape.CREATE)
    return expansion.expand(call.world, sessions.create(call.world, asked), asked.get("expand", []))


def _expire_session(call: Call, object_id: str) -> Doc:
    asked = shapes.read(call.params, _EXPAND)
    return expansion.expand(call.world, sessions.expire(call.world, object_id), asked.get("expand", []))


def _line_items(call: Call, object_id: str) -> Doc:
    asked = shapes.read(call.params, listing.PAGING)
    session = call.world.store.find("checkout.session", object_id)
    if session is None:
        raise no_such("checkout.session", object_id, param="session")
    items, limit = session["_line_items"], listing.limit_of(asked)
    answer = listing.whole(f"/v1/checkout/sessions/{object_id}/line_items", items[:limit])
    return answer | {"has_more": len(items) > limit}


def _create_refund(call: Call) -> Doc:
    asked = shapes.read(call.params, _REFUND)
    return expansion.expand(call.world, refunds.create(call.world, asked), asked.get("expand", []))


def _cancel_refund(call: Call, object_id: str) -> Doc:
    asked = shapes.read(call.params, _EXPAND)
    return expansion.expand(call.world, refunds.cancel(call.world, object_id), asked.get("expand", []))


def _retrieve(kind: str, param: str) -> Action:
    def action(call: Call, object_id: str) -> Doc:
        asked = shapes.read(call.params, _EXPAND)
        doc = call.world.store.find(kind, object_id)
        if doc is None:
            raise no_such(kind, object_id, param=param)
        return expansion.expand(call.world, doc, asked.get("expand", []))

    return action


def _list(kind: str, filters: Mapping[str, Reader]) -> Action:
    shape = {**_LIST, **filters}

    def action(call: Call) -> Doc:
        asked = shapes.read(call.params, shape)
        equal = {name: asked[name] for name in filters if name in asked}
        docs, more = listing.page(call.world, kind, asked, equal)
        answer = {"object": "list", "data": docs, "has_more": more, "url": call.path}
        return expansion.expand_list(call.world, answer, docs, asked.get("expand", []))

    return action


def _list_events(call: Call) -> Doc:
    filters: dict[str, Reader] = {"type": shapes.text(), "types": shapes.several(shapes.text())}
    asked = shapes.read(call.params, {**_LIST, **filters, "delivery_success": shapes.boolean})
    conditions: list[tuple[str, Any]] = []
    if kinds := asked.get("types") or ([asked["type"]] if "type" in asked else None):
        wanted = "json_extract(doc, '$.type') IN (SELECT value FROM json_each(?))"
        conditions.append((wanted, json.dumps(kinds)))
    if "delivery_success" in asked:
        conditions.append(("(json_extract(doc, '$.pending_webhooks') = 0) = ?", asked["delivery_success"]))
    docs, more = listing.page(call.world, "event", asked, {}, conditions)
    answer = {"object": "list", "data": docs, "has_more": more, "url": call.path}
    return expansion.expand_list(call.world, answer, docs, asked.get("expand", []))


def _balance(call: Call) -> Doc:
    shapes.read(call.params, _EXPAND)
    store, sums = call.world.store, Counter({"eur": 0})
    for charge in store.select("charge", {"status": "succeeded"}):
        sums[charge["currency"]] += charge["amount"] - charge["amount_refunded"]
    amounts = [{"amount": sum_, "currency": name, "source_types": {"card": sum_}} for name, sum_ in sums.items()]
    empty = [{"amount": 0, "currency": name, "source_types": {"card": 0}} for name in sums]
    return {"object": "balance", "available": amounts, "livemode": False, "pending": empty}


def _account(call: Call) -> Doc:
    shapes.read(call.params, _EXPAND)
    return {
        "id": "acct_1Simulator0000000",
        "object": "account",
        "charges_enabled": True,
        "country": "PT",
        "default_currency": "eur",
        "details_submitted": True,
        "email": None,
        "payouts_enabled": True,
        "type": "standard",
    }


def _webhook_endpoints(call: Call) -> Doc:
    """The one endpoint that there is, unless its address was never set."""
    shapes.read(call.params, {**_EXPAND, "limit": shapes.integer(1)})
    how = webhooks.settings(call.world)
    endpoint = {
        "id": "we_1Simulator00000000000000",
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": 1_700_000_000,
        "description": None,
        "enabled_events": how.only or ["*"],
        "livemode": False,
        "metadata": {},
        "status": "disabled" if how.mode == "off" else "enabled",
        "url": how.url,
    }
    return {"object": "list", "data": [endpoint] if how.url else [], "has_more": False, "url": call.path}


def unknown(call: Call, **_path: str) -> Doc:
    """A path that this part of the API does not have."""
    raise ApiError(404, f"Unrecognized request URL ({call.method}: {call.path}). Please see https://stripe.com/docs.")


_BY_INTENT: dict[str, Reader] = {"payment_intent": shapes.text()}
_BY_BOTH: dict[str, Reader] = {**_BY_INTENT, "charge": shapes.text()}
_OF_SESSION: dict[str, Reader] = {**_BY_INTENT, "status": shapes.choice(*_STATUSES)}

ROUTES: tuple[tuple[str, str, Action], ...] = (
    ("POST", "/checkout/sessions", _create_session),
    ("GET", "/checkout/sessions", _list("checkout.session", _OF_SESSION)),
    ("GET", "/checkout/sessions/<object_id>", _retrieve("checkout.session", "session")),
    ("GET", "/checkout/sessions/<object_id>/line_items", _line_items),
    ("POST", "/checkout/sessions/<object_id>/expire", _expire_session),
    ("GET", "/payment_intents", _list("payment_intent", {})),
    ("GET", "/payment_intents/<object_id>", _retrieve("payment_intent", "intent")),
    ("GET", "/charges", _list("charge", _BY_INTENT)),
    ("GET", "/charges/<object_id>", _retrieve("charge", "id")),
    ("POST", "/refunds", _create_refund),
    ("GET", "/refunds", _list("refund", _BY_BOTH)),
    ("GET", "/refunds/<object_id>", _retrieve("refund", "refund")),
    ("POST", "/refunds/<object_id>/cancel", _cancel_refund),
    ("GET", "/disputes", _list("dispute", _BY_BOTH)),
    ("GET", "/disputes/<object_id>", _retrieve("dispute", "dispute")),
    ("GET", "/events", _list_events),
    ("GET", "/events/<object_id>", _retrieve("event", "id")),
    ("GET", "/balance", _balance),
    ("GET", "/account", _account),
    ("GET", "/webhook_endpoints", _webhook_endpoints),
)
