"""Tells what happened: an event object for the API and a delivery for the webhook endpoint."""

import time
from contextvars import ContextVar

from stripe_simulator import ids, webhooks
from stripe_simulator.store import Doc, public
from stripe_simulator.world import API_VERSION, World

# Who caused the events of the running request; empty for what a payer, the dashboard or time does.
cause: ContextVar[Doc | None] = ContextVar("cause", default=None)


def emit(world: World, kind: str, about: Doc, previous: Doc | None = None) -> Doc:
    """Record an event with a snapshot of the object, and queue it for the webhook endpoint."""
    data: Doc = {"object": public(about)}
    if previous is not None:
        data["previous_attributes"] = previous
    settings = webhooks.settings(world)
    state = settings.state_for(kind)
    event = {
        "id": ids.fresh("evt_1"),
        "object": "event",
        "api_version": API_VERSION,
        "created": world.clock.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 1 if state == "pending" else 0,
        "request": cause.get() or {"id": None, "idempotency_key": None},
        "type": kind,
    }
    world.store.put(event)
    webhooks.queue(world, event, settings, state, time.time())
    return event
