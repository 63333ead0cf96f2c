"""The last requests on the API, so that a test can check what a program sent."""

from __future__ import annotations

import json

from flask import request

from stripe_simulator.calls import Call
from stripe_simulator.faults import Fault
from stripe_simulator.store import Doc
from stripe_simulator.world import World

KEPT = 2_000


def add(world: World, call: Call | None, status: int, fault: Fault | None, *, answered: bool) -> None:
    """Note the running request; the oldest ones go."""
    doc = {
        "method": request.method,
        "path": request.path,
        "params": call.params if call else {},
        "idempotency_key": request.headers.get("Idempotency-Key"),
        "stripe_version": request.headers.get("Stripe-Version"),
        "status": status,
        "answered": answered,
        "fault": fault.fault if fault else None,
    }
    with world.store.transaction():
        world.store.rows("INSERT INTO request (doc) VALUES (?)", (json.dumps(doc),))
        world.store.rows("DELETE FROM request WHERE id <= (SELECT MAX(id) FROM request) - ?", (KEPT,))


def all_requests(world: World) -> list[Doc]:
    """Oldest first."""
    return [json.loads(row["doc"]) for row in world.store.rows("SELECT doc FROM request ORDER BY id")]
