"""The control surface under /_simulator: a test plays the payer, the bank, the dashboard, the network and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request

from stripe_simulator import (
    cards,
    charges,
    checkout,
    deliveries,
    disputes,
    faults,
    later,
    payments,
    refunds,
    request_log,
    webhooks,
)
from stripe_simulator.cards import PaidWith
from stripe_simulator.checkout import Attempt
from stripe_simulator.errors import ApiError
from stripe_simulator.faults import Fault
from stripe_simulator.store import Doc, public
from stripe_simulator.world import World

_BOOKS = {
    "sessions": "checkout.session",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
}


def blueprint(world: World) -> Blueprint:
    """The control routes for one world."""
    control = Blueprint("control", __name__, url_prefix="/_simulator")
    for method, path, action in _ROUTES:
        name = f"{method} {path}".replace(".", "_")
        control.add_url_rule(path, name, partial(_view, world, action), methods=[method])
    return control


def _view(world: World, action: Callable[..., Any], **path_ids: str) -> tuple[Response, int]:
    later.run_due(world)
    asked = request.get_json(silent=True) or {}
    try:
        return jsonify(action(world, asked, **path_ids)), 200
    except ApiError as error:
        return jsonify(error.body()), error.status
    except KeyError as error:
        return jsonify({"error": {"message": f"there is no {error.args[0]}"}}), 404
    except (TypeError, ValueError) as error:
        return jsonify({"error": {"message": str(error)}}), 400


def _pay(world: World, asked: Doc, session_id: str) -> Doc:
    number = asked["card"]
    card = cards.find(number)
    session = world.store.get("checkout.session", session_id)
    digits = "".join(character for character in number if character.isdigit())
    paid_with = PaidWith(card.brand if card else "unknown", digits[-4:], 12, 2034, asked.get("name"))
    attempt = checkout.pay(world, session_id, card, paid_with, asked.get("email") or session["customer_email"])
    if attempt.status == "authentication_required" and "authentication" in asked:
        attempt = checkout.authenticate(world, session_id, passed=asked["authentication"] == "pass")
    return _attempt(world, attempt)


def _authenticate(world: World, asked: Doc, session_id: str) -> Doc:
    return _attempt(world, checkout.authenticate(world, session_id, passed=asked["outcome"] == "pass"))


def _complete_unpaid(world: World, _asked: Doc, session_id: str) -> Doc:
    return _attempt(world, checkout.complete_unpaid(world, session_id))


def _attempt(world: World, attempt: Attempt) -> Doc:
    session = world.store.get("checkout.session", attempt.session["id"])
    answer: Doc = {"status": attempt.status, "session": public(session)}
    return answer | ({"error": asdict(attempt.declined)} if attempt.declined else {})


def _settle(world: World, asked: Doc, intent_id: str) -> Doc:
    return public(checkout.settle(world, intent_id, succeeded=asked["outcome"] == "succeeded"))


def _refund(world: World, asked: Doc, intent_id: str) -> Doc:
    with world.store.transaction():
        return public(refunds.create(world, asked | {"payment_intent": intent_id}))


def _move_refund(world: World, asked: Doc, refund_id: str) -> Doc:
    if asked["status"] not in refunds.STATUSES:
        raise ValueError(f"a refund cannot be {asked['status']!r}")
    return public(refunds.move(world, refund_id, asked["status"], asked.get("failure_reason")))


def _dispute(world: World, asked: Doc, intent_id: str) -> Doc:
    charge = charges.latest_for(world, intent_id)
    if charge is None:
        raise KeyError(f"paid charge of {intent_id}")
    return public(disputes.open_(world, charge["id"], asked.get("amount"), asked.get("reason", "fraudulent")))


def _move_dispute(world: World, asked: Doc, dispute_id: str) -> Doc:
    if asked["status"] not in disputes.STATUSES:
        raise ValueError(f"a dispute cannot be {asked['status']!r}")
    return public(disputes.move(world, dispute_id, asked["status"]))


def _charge_elsewhere(world: World, asked: Doc) -> Doc:
    currency, metadata = asked.get("currency", "eur"), asked.get("metadata", {})
    return public(payments.charge_elsewhere(world, asked["amount"], currency, metadata, cards.CARDS[0]))


def _webhooks(world: World, asked: Doc) -> Doc:
    if asked.get("mode", "on") not in ("on", "off", "hold"):
        raise ValueError("mode is on, off or hold")
    return asdict(webhooks.change(world, **asked))


def _api_keys(world: World, asked: Doc) -> Doc:
    with world.store.transaction():
        world.store.set_setting("api_keys", asked["accepted"])
    return asked


def _events(world: World, _asked: Doc) -> list[Doc]:
    return [public(event) for event in world.store.select("event", oldest_first=True)]


def _add_fault(world: World, asked: Doc) -> Doc:
    match = asked.pop("match", {})
    faults.add(world, Fault(**{"method": match.get("method", "*"), "path": match.get("path", "*")} | asked))
    return _faults(world, {})


def _clear_faults(world: World, _asked: Doc) -> Doc:
    faults.clear(world)
    return _faults(world, {})


def _faults(world: World, _asked: Doc) -> Doc:
    return {"faults": [asdict(fault) for fault in faults.scripted(world)]}


def _clock(world: World, _asked: Doc) -> Doc:
    return {"now": world.clock.now(), "frozen": world.clock.frozen}


def _set_clock(world: World, asked: Doc) -> Doc:
    if "now" in asked:
        world.clock.set(int(asked["now"]))
    if "advance" in asked:
        world.clock.advance(asked["advance"])
    if "freeze" in asked:
        (world.clock.freeze if asked["freeze"] else world.clock.run)()
    later.run_due(world)
    return _clock(world, {})


def _requests(world: World, _asked: Doc) -> list[Doc]:
    return request_log.all_requests(world)


def _truth(world: World, _asked: Doc) -> Doc:
    with world.store.transaction():
        return {
            name: [public(doc) for doc in world.store.select(kind, oldest_first=True)] for name, kind in _BOOKS.items()
        }


def _reset(world: World, _asked: Doc) -> Doc:
    with world.store.transaction():
        world.store.forget_everything()
        faults.clear(world)
        world.clock.reset()
        world.store.set_setting("api_keys", None)
        how = webhooks.settings(world)
        world.store.set_setting("webhooks", {"url": how.url, "secrets": how.secrets})
    return {"reset": True}


_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("POST", "/sessions/<session_id>/pay", _pay),
    ("POST", "/sessions/<session_id>/authenticate", _authenticate),
    ("POST", "/sessions/<session_id>/complete_unpaid", _complete_unpaid),
    ("POST", "/payment_intents/<intent_id>/settle", _settle),
    ("POST", "/payment_intents/<intent_id>/refund", _refund),
    ("POST", "/payment_intents/<intent_id>/dispute", _dispute),
    ("POST", "/refunds/<refund_id>/move", _move_refund),
    ("POST", "/disputes/<dispute_id>/move", _move_dispute),
    ("POST", "/charge_elsewhere", _charge_elsewhere),
    ("GET", "/deliveries", deliveries.listed),
    ("POST", "/webhooks", _webhooks),
    ("POST", "/webhooks/deliver", deliveries.deliver_now),
    ("POST", "/api_keys", _api_keys),
    ("GET", "/events", _events),
    ("GET", "/faults", _faults),
    ("POST", "/faults", _add_fault),
    ("DELETE", "/faults", _clear_faults),
    ("GET", "/clock", _clock),
    ("POST", "/clock", _set_clock),
    ("GET", "/requests", _requests),
    ("GET", "/truth", _truth),
    ("POST", "/reset", _reset),
)
