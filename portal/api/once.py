"""`Idempotency-Key`: a request that is repeated gets the answer of the first time, and nothing happens twice."""

import json
from collections.abc import Callable
from typing import Any

from flask import Response, request

from portal.api import refusals
from portal.api.refusals import ApiRefusal
from portal.deps import Deps
from portal.services import idempotency
from portal.services.idempotency import Claim, KeyInUse, KeyUsedOtherwise, StoredAnswer

LONGEST_KEY = 255
SECRETS = ("link",)
"""Fields that are made anew for an answer that is given again: whoever reads the database finds no link that opens."""

Stored = dict[str, Any]


def answer(
    deps: Deps,
    owner: str,
    asked: bytes,
    *,
    do: Callable[[Claim], Response],
    again: Callable[[Stored], Stored],
) -> Response:
    """`do` it, or the answer that the same request with the same key got before. A refusal by what is asked or by the
    state of things is kept too; what time may heal (429, 5xx) is not, nor is a fault."""
    key = _key()
    if not key:
        return do(Claim())
    try:
        held = idempotency.claim(deps, owner, key, asked)
    except KeyUsedOtherwise:
        raise ApiRefusal(
            409, "This Idempotency-Key came with another request before.", "Take a new key.", code="ERR_409"
        ) from None
    except KeyInUse:
        raise ApiRefusal(
            409,
            "The first request with this Idempotency-Key is still being done.",
            "Send it again in a few seconds.",
            code="ERR_409",
            retry_after=5,
        ) from None
    if isinstance(held, StoredAnswer):
        return _repeat(held, again)
    return _keep(deps, held, do)


def _key() -> str:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):  # an empty one would protect nothing
        raise refusals.bad_input(f"Idempotency-Key has no or more than {LONGEST_KEY} characters, or not plain ASCII.")
    return key


def _keep(deps: Deps, held: Claim, do: Callable[[Claim], Response]) -> Response:
    try:
        made = do(held)
    except ApiRefusal as refusal:
        made = refusals.show(refusal)
    except BaseException:
        idempotency.release(deps, held)
        raise
    if made.status_code == 429 or made.status_code >= 500:
        idempotency.release(deps, held)
        return made
    stored = {name: value for name, value in json.loads(made.get_data()).items() if name not in SECRETS}
    idempotency.store(held, StoredAnswer(made.status_code, json.dumps(stored)))
    return made


def _repeat(stored: StoredAnswer, again: Callable[[Stored], Stored]) -> Response:
    body = json.loads(stored.body)
    if stored.status < 400:
        body = again(body)
    response = Response(json.dumps(body), stored.status, mimetype="application/json")
    response.headers["Idempotent-Replayed"] = "true"
    return response
