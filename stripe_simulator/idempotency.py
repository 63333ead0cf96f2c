"""Idempotency keys as Stripe has them: the first answer is kept and repeated for 24 hours.

Validation failures and conflicts are not kept; whatever began to execute is, a 500 included
(docs.stripe.com/api/idempotent_requests).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from stripe_simulator.calls import Call
from stripe_simulator.errors import ApiError

FORGOTTEN_AFTER = 24 * 60 * 60
LONGEST_KEY = 255

_guard = threading.Lock()


@dataclass(frozen=True)
class Answer:
    """What goes back to the caller."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


def fingerprint(call: Call) -> str:
    """Two requests with the same fingerprint are the same request."""
    content = json.dumps([call.method, call.path, call.params], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


@contextmanager
def claim(call: Call) -> Iterator[Answer | None]:
    """Hold the key while the request executes; gives the kept answer if there is one already."""
    if not call.key:
        yield None
        return
    if len(call.key) > LONGEST_KEY:
        raise ApiError(400, f"Idempotency keys can be at most {LONGEST_KEY} characters long.", kind="idempotency_error")
    with _guard:
        kept = _find(call)
        if kept is None:
            _enter(call)
    if kept is not None:
        yield kept
        return
    try:
        yield None
    finally:
        with _guard:
            call.world.keys_in_flight.pop(call.key, None)


def keep(call: Call, answer: Answer) -> None:
    """Remember the answer, inside the transaction that had the effect."""
    if call.key:
        call.world.store.rows(
            "INSERT OR REPLACE INTO idempotency (key, fingerprint, status, body, request_id, created)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (call.key, fingerprint(call), answer.status, answer.body, call.request_id, call.world.clock.now()),
        )


def _enter(call: Call) -> None:
    assert call.key
    other = call.world.keys_in_flight.get(call.key)
    if other is not None:
        if other != fingerprint(call):
            raise _mismatch(call.key)
        raise ApiError(
            409,
            "There is currently another in-progress request using this Idempotent Key (that probably means you"
            f" submitted twice, and the other request is still going through): {call.key}. Please try again later.",
            code="idempotency_key_in_use",
        )
    call.world.keys_in_flight[call.key] = fingerprint(call)


def _find(call: Call) -> Answer | None:
    found = call.world.store.rows("SELECT * FROM idempotency WHERE key = ?", (call.key,))
    if not found or found[0]["created"] + FORGOTTEN_AFTER <= call.world.clock.now():
        return None
    row = found[0]
    if row["fingerprint"] != fingerprint(call):
        raise _mismatch(row["key"])
    return Answer(row["status"], row["body"], {"Idempotent-Replayed": "true", "Original-Request": row["request_id"]})


def _mismatch(key: str) -> ApiError:
    return ApiError(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a"
        f" key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
    )
