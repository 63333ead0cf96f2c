"""The OpenAPI 3.1 document, made from the endpoints and from the models that validate."""

import re
from typing import Any

from flask import Response, jsonify
from pydantic.json_schema import models_json_schema

from portal.api.endpoint import ENDPOINTS, Endpoint, api
from portal.api.model import ErrorAnswer, Model
from portal.web.context import get_deps

_REFUSALS = {
    400: "What was sent cannot be, or the state of things forbids it.",
    401: "There is no valid token.",
    403: "The token is not good for this.",
    404: "There is no such thing.",
    409: "The Idempotency-Key came with another request before, or its first request is still being done.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many requests; Retry-After says how long to wait.",
    500: "A fault of ours.",
    502: "Stripe refused for good.",
    503: "The database or Stripe cannot be reached; Retry-After says how long to wait.",
}
_ALWAYS = (400, 401, 403, 429, 500, 503)
_OF_POSTS = (409, 413, 415)
_KEPT = (400, 403, 404)
"""Refusals that an Idempotency-Key brings again."""
_TELLING = {
    "X-Request-Id": ("The id of the request in our logs: the one that was sent, or one of ours.", "string"),
    "Idempotent-Replayed": ("`true`: this is the answer of the first time.", "string"),
    "Retry-After": ("Seconds to wait.", "integer"),
    "WWW-Authenticate": ("`Bearer`.", "string"),
}
"""Headers of answers: what they say, and of which type."""
_REF = "#/components/schemas/{model}"


@api.get("/openapi.json")
def openapi_document() -> Response:
    """Needs no token: it holds nothing of the hotel's."""
    return jsonify(document(get_deps().settings.public_base_url))


def document(server: str) -> dict[str, Any]:
    """The whole document; `server` is the portal's own address."""
    paths: dict[str, Any] = {}
    for one in ENDPOINTS:
        paths.setdefault(_path(one), {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Guest portal",
            "version": "1.0.0",
            "description": "Reservations and payments of a small hotel. Sums are in minor units (cents), times in UTC.",
        },
        "servers": [{"url": server}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the hotel's, or the token of a guest's private link (for that stay).",
                }
            },
        },
    }


def _schemas() -> dict[str, Any]:
    taken: list[tuple[type[Model], Any]] = [(one.takes, "validation") for one in ENDPOINTS if one.takes]
    given: list[tuple[type[Model], Any]] = [(one.gives, "serialization") for one in ENDPOINTS]
    _, schema = models_json_schema([*taken, *given, (ErrorAnswer, "serialization")], ref_template=_REF)
    schemas: dict[str, Any] = schema["$defs"]
    return schemas


def _path(one: Endpoint) -> str:
    return "/api" + re.sub(r"<(\w+)>", r"{\1}", one.path)


def _operation(one: Endpoint) -> dict[str, Any]:
    summary, _, more = (one.view.__doc__ or "").strip().partition(". ")
    operation: dict[str, Any] = {
        "operationId": one.view.__name__,
        "summary": summary.rstrip("."),
        "description": _description(one, more),
        "parameters": [*map(_in_path, re.findall(r"<(\w+)>", one.path)), *_headers(one)],
        "responses": _responses(one),
    }
    if one.takes:
        operation["requestBody"] = {"required": _is_needed(one.takes), "content": _json(one.takes)}
    return operation


def _description(one: Endpoint, more: str) -> str:
    who = "a guest's token for the guest's own stay" if one.guests else "no guest's token"
    return " ".join([*more.split(), f"Needs a token with the scope `{one.scope}`; {who}."]).strip()


def _is_needed(model: type[Model]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _in_path(name: str) -> dict[str, Any]:
    about = {
        "reservation_id": "The code of the reservation; case and dashes do not matter.",
        "payment_id": "The id of the payment, PAY-…",
    }
    return {"name": name, "in": "path", "required": True, "description": about[name], "schema": {"type": "string"}}


def _headers(one: Endpoint) -> list[dict[str, Any]]:
    found = [
        _header("X-Correlation-Id", "Stands in our logs and comes back as X-Request-Id.", "^[A-Za-z0-9._-]{1,64}$")
    ]
    if one.method == "POST":
        found.append(
            _header("Idempotency-Key", "The same request with the same key is done once.", "^[\\x20-\\x7e]{1,255}$")
        )
    return found


def _header(name: str, description: str, pattern: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _responses(one: Endpoint) -> dict[str, Any]:
    refused = {*_ALWAYS, *one.refuses, *(_OF_POSTS if one.method == "POST" else ())}
    return {
        str(one.status): _response(one, one.status, (one.gives.__doc__ or "").strip(), one.gives),
        **{str(status): _response(one, status, _REFUSALS[status], ErrorAnswer) for status in sorted(refused)},
    }


def _response(one: Endpoint, status: int, description: str, model: type[Model]) -> dict[str, Any]:
    told = ["X-Request-Id"]
    if one.method == "POST" and status in (*_KEPT, one.status):
        told.append("Idempotent-Replayed")
    if status in (409, 429, 503):
        told.append("Retry-After")
    if status == 401:
        told.append("WWW-Authenticate")
    headers = {name: {"description": _TELLING[name][0], "schema": {"type": _TELLING[name][1]}} for name in told}
    return {"description": description, "headers": headers, "content": _json(model)}


def _json(model: type[Model]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}
