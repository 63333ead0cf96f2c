"""Where Stripe calls. Verify, store and apply in one transaction, answer; no call to anybody else."""

import structlog
from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from portal import logs
from portal.gateways import stripe_gateway
from portal.gateways.stripe_gateway import BadSignature, NotSigned
from portal.services import health, webhook_events
from portal.services.webhook_events import WrongMode
from portal.web import programs
from portal.web.context import get_deps
from portal.web.security import csrf

log = structlog.get_logger()

LARGEST_EVENT = 256 * 1024
"""Stripe's events are a few kilobytes; anything larger is refused before its signature is even computed."""

webhooks = Blueprint("webhooks", __name__)
csrf.exempt(webhooks)


@webhooks.post("/webhooks/stripe")
def stripe_webhook() -> Response:
    deps = get_deps()
    try:
        event = stripe_gateway.parse_event(
            programs.read_body(LARGEST_EVENT),
            request.headers.get("Stripe-Signature"),
            deps.webhook_secrets(),
            deps.now(),
        )
        logs.add(event_id=event.id, type=event.type)
        result = webhook_events.receive(deps, event)
        logs.add(result=result)
    except BadSignature as error:
        log.warning("webhook refused", why=str(error))
        if isinstance(error, NotSigned):
            health.note_bad_signature(deps)
        return _refuse("The signature or the body is not valid.", "Check the endpoint's signing secret and the clocks.")
    except WrongMode:
        return _refuse("The event is of the other mode.", "Point the endpoint of this mode to this portal.")
    return jsonify(received=True, event_id=event.id, event_type=event.type, processing_result=result)


def _refuse(message: str, recovery: str) -> Response:
    return programs.refuse(400, message, recovery)
