"""Scripted trouble on API calls: a test says which calls fail, how, and how often."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

from stripe_simulator.idempotency import Answer
from stripe_simulator.world import World

# Answered at once, without any effect and without a trace under the idempotency key.
ANSWERED = {
    "429": Answer(
        429,
        json.dumps(
            {
                "error": {
                    "message": "Request rate limit exceeded. You can learn more about rate limits here"
                    " https://stripe.com/docs/rate-limits.",
                    "type": "invalid_request_error",
                    "code": "rate_limit",
                }
            }
        ),
    ),
    "401": Answer(
        401, json.dumps({"error": {"message": "Invalid API Key provided: sk_test_*", "type": "invalid_request_error"}})
    ),
    "500": Answer(500, json.dumps({"error": {"message": "An unknown error occurred", "type": "api_error"}})),
    "not_json": Answer(200, "<html><body>Bad gateway</body></html>", {"Content-Type": "text/html"}),
}
# reset_before and timeout_before: no effect. slow and 500_stored: while executing. The others: after the effect.
KINDS = (*ANSWERED, "500_stored", "slow", "reset_before", "timeout_before", "timeout_after", "lost_answer")


@dataclass
class Fault:
    """One kind of trouble for the next `times` calls that match."""

    fault: str
    method: str = "*"
    path: str = "*"
    seconds: float = 1.0
    times: int = 1


def take(world: World, method: str, path: str) -> Fault | None:
    """The trouble that this call has coming, used up by one."""
    if not world.store.setting("faults"):
        return None
    with world.store.transaction():
        waiting = scripted(world)
        for fault in waiting:
            if fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path):
                fault.times -= 1
                _keep(world, [other for other in waiting if other.times > 0])
                return fault
    return None


def add(world: World, fault: Fault) -> None:
    """Script more trouble; ValueError for an unknown kind."""
    if fault.fault not in KINDS:
        raise ValueError(f"unknown fault {fault.fault!r}; known are {', '.join(KINDS)}")
    with world.store.transaction():
        _keep(world, [*scripted(world), fault])


def clear(world: World) -> None:
    """No more trouble."""
    with world.store.transaction():
        _keep(world, [])


def scripted(world: World) -> list[Fault]:
    """The trouble that still waits."""
    return [Fault(**kept) for kept in world.store.setting("faults", [])]


def _keep(world: World, waiting: list[Fault]) -> None:
    world.store.set_setting("faults", [asdict(fault) for fault in waiting])
