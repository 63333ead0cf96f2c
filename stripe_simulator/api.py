"""The API under /v1: keys, idempotency, scripted trouble and errors around the actions."""

from __future__ import annotations

import base64
import json
import time
from functools import partial

from flask import Blueprint, Response, request

from stripe_simulator import actions, errors, events, faults, forms, idempotency, ids, later, request_log
from stripe_simulator.actions import Action
from stripe_simulator.calls import Call
from stripe_simulator.errors import ApiError
from stripe_simulator.faults import Fault
from stripe_simulator.idempotency import Answer
from stripe_simulator.world import API_VERSION, World

HANG_UP = "simulator.hang_up"


def blueprint(world: World) -> Blueprint:
    """The routes of the API for one world."""
    v1 = Blueprint("v1", __name__, url_prefix="/v1")
    for method, path, action in actions.ROUTES:
        v1.add_url_rule(path, f"{method} {path}".replace(".", "_"), partial(_view, world, action), methods=[method])
    everything = ["GET", "POST", "DELETE"]
    v1.add_url_rule("/<path:rest>", "unknown", partial(_view, world, actions.unknown), methods=everything)
    return v1


def _view(world: World, action: Action, **path_ids: str) -> Response:
    request_id = ids.fresh("req_", 14)
    fault = faults.take(world, request.method, request.path)
    call: Call | None = None
    try:
        call = _call(world, request_id)
        answer = _answer(call, partial(action, **path_ids), fault)
    except ApiError as error:
        answer = Answer(error.status, json.dumps(error.body(), indent=2))
    hung_up = _after(fault)
    request_log.add(world, call, answer.status, fault, answered=not hung_up)
    return _response(answer, request_id)


def _call(world: World, request_id: str) -> Call:
    pairs = request.args.items(multi=True) if request.method == "GET" else request.form.items(multi=True)
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    return Call(world, request.method, request.path, forms.decode(pairs), request_id, key)


def _answer(call: Call, action: Action, fault: Fault | None) -> Answer:
    if fault and fault.fault in faults.ANSWERED:
        return faults.ANSWERED[fault.fault]
    if fault and fault.fault in ("reset_before", "timeout_before"):
        return Answer(503, "{}")
    _check_api_key(call.world)
    with idempotency.claim(call) as kept:
        if kept is not None:
            return kept
        if fault and fault.fault == "slow":
            time.sleep(fault.seconds)
        if fault and fault.fault == "500_stored":
            return _keep(call, faults.ANSWERED["500"])
        return _execute(call, action)


def _execute(call: Call, action: Action) -> Answer:
    later.run_due(call.world)
    token = events.cause.set({"id": call.request_id, "idempotency_key": call.key})
    try:
        with call.world.store.transaction():
            return _keep(call, Answer(200, json.dumps(action(call), indent=2)))
    except ApiError as error:
        if not error.kept:
            raise
        return _keep(call, Answer(error.status, json.dumps(error.body(), indent=2)))
    finally:
        events.cause.reset(token)


def _keep(call: Call, answer: Answer) -> Answer:
    with call.world.store.transaction():
        idempotency.keep(call, answer)
    return answer


def _check_api_key(world: World) -> None:
    given = request.headers.get("Authorization", "")
    scheme, _, key = given.partition(" ")
    if scheme.lower() == "basic":  # curl -u sk_test_...: as Stripe's documentation shows
        try:
            key = base64.b64decode(key).decode().partition(":")[0]
        except ValueError:
            key = ""
    accepted = world.store.setting("api_keys")
    if not key.startswith("sk_test_") or (accepted is not None and key not in accepted):
        raise errors.unauthorized(key)


def _after(fault: Fault | None) -> bool:
    """Keep the caller waiting, or hang up without an answer."""
    if fault is None:
        return False
    if fault.fault in ("timeout_before", "timeout_after"):
        time.sleep(fault.seconds)
    hang_up = fault.fault in ("reset_before", "timeout_before", "timeout_after", "lost_answer")
    request.environ[HANG_UP] = hang_up
    return hang_up


def _response(answer: Answer, request_id: str) -> Response:
    response = Response(answer.body, answer.status, content_type="application/json")
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", API_VERSION)
    if key := request.headers.get("Idempotency-Key"):
        response.headers["Idempotency-Key"] = key
    for name, value in answer.headers.items():
        response.headers[name] = value
    return response
