"""Where Stripe calls. Verify, store and apply in one transaction, answer; no call to anybody else."""

import structlog
from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from portal import errors
from portal.errors import Refusal
from portal.gateways import stripe_gateway
from portal.gateways.stripe_gateway import BadSignature, NotSigned
from portal.services import health, webhook_events
from portal.services.webhook_events import WrongMode
from portal.web.context import get_deps
from portal.web.error_pages import envelope
from portal.web.security import csrf

log = structlog.get_logger()

LARGEST_EVENT = 256 * 1024
"""Stripe's events are a few kilobytes; anything larger is refused before its signature is even computed."""

webhooks = Blueprint("webhooks", __name__)
csrf.exempt(webhooks)


@webhooks.post("/webhooks/stripe")
def stripe_webhook() -> tuple[Response, int]:
    deps = get_deps()
    try:
        event = stripe_gateway.parse_event(
            _body(), request.headers.get("Stripe-Signature"), deps.settings.stripe_webhook_secrets, deps.now()
        )
        result = webhook_events.receive(deps, event)
    except BadSignature as error:
        log.warning("webhook refused", why=str(error))
        if isinstance(error, NotSigned):
            health.note_bad_signature(deps)
        return _refuse("The signature or the body is not valid.", "Check the endpoint's signing secret and the clocks.")
    except WrongMode:
        return _refuse("The event is of the other mode.", "Point the endpoint of this mode to this portal.")
    return jsonify(received=True, event_id=event.id, event_type=event.type, processing_result=result), 200


def _body() -> bytes:
    """The raw bytes that were signed. Read one byte more than allowed: a chunked body announces no length."""
    request.max_content_length = LARGEST_EVENT + 1
    if (request.content_length or 0) > LARGEST_EVENT:
        raise Refusal(errors.TOO_LARGE)
    body = request.stream.read(LARGEST_EVENT + 1)
    if len(body) > LARGEST_EVENT:
        raise Refusal(errors.TOO_LARGE)
    return bytes(body)


def _refuse(message: str, recovery: str) -> tuple[Response, int]:
    return jsonify(envelope("ERR_WEBHOOK", message, recovery)), 400
