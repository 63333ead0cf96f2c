"""The webhook endpoint's settings, its queue of deliveries, and the `Stripe-Signature` scheme."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from dataclasses import asdict, dataclass, field
from typing import Any

import requests

from stripe_simulator.store import Doc, public
from stripe_simulator.world import World

TIMEOUT_SECONDS = 10
MOST_TRIES = 30
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


@dataclass
class Settings:
    """How webhooks are sent; a test may hold, drop, double, delay or shuffle them."""

    url: str | None = None
    secrets: list[str] = field(default_factory=lambda: ["whsec_simulator"])
    mode: str = "on"
    duplicate: int = 0
    delay: float = 0.0
    shuffle: bool = False
    drop: list[str] = field(default_factory=list)
    only: list[str] | None = None

    def state_for(self, kind: str) -> str:
        """Whether an event of this type waits for delivery, or was lost on purpose."""
        wanted = kind not in self.drop and (self.only is None or kind in self.only)
        return "pending" if wanted and self.url and self.mode != "off" else "lost"


def settings(world: World) -> Settings:
    """The present settings."""
    return Settings(**world.store.setting("webhooks", {}))


def change(world: World, **changes: Any) -> Settings:
    """Change some settings and keep the others."""
    kept = Settings(**(asdict(settings(world)) | changes))
    with world.store.transaction():
        world.store.set_setting("webhooks", asdict(kept))
        world.store.announce_delivery()
    return kept


def queue(world: World, event: Doc, how: Settings, state: str, now: float) -> None:
    """Put an event into the queue, once or more often, inside the running transaction."""
    for _ in range(1 + how.duplicate if state == "pending" else 1):
        due = now + how.delay + (random.uniform(0, 0.3) if how.shuffle else 0)
        world.store.rows(
            "INSERT INTO delivery (event_id, event_type, state, due) VALUES (?, ?, ?, ?)",
            (event["id"], event["type"], state, due),
        )
    world.store.announce_delivery()


def signature(payload: str, secrets: list[str], timestamp: int) -> str:
    """The header value: one v1 per active secret, as Stripe sends while a secret is being rolled."""
    signed = f"{timestamp}.{payload}".encode()
    parts = [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets]
    return ",".join([f"t={timestamp}", *parts])


def send(world: World, event: Doc, how: Settings, *, timestamp_offset: int = 0) -> tuple[int | None, str | None]:
    """Deliver an event once, freshly signed; answers the status code, or None and what went wrong."""
    if not how.url:
        return None, "no webhook url is set"
    payload = json.dumps(public(event), indent=2)
    header = signature(payload, how.secrets, world.clock.now() + timestamp_offset)
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header}
    headers["User-Agent"] = "Stripe/1.0 (+https://stripe.com/docs/webhooks; simulator)"
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy from the environment must not see local webhooks
            answer = session.post(
                how.url, data=payload.encode(), headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
    except requests.RequestException as error:
        return None, type(error).__name__
    return answer.status_code, None


def accepted(status: int | None) -> bool:
    """Only 2xx counts; Stripe treats a redirect as a failure."""
    return status is not None and 200 <= status < 300


def pause_before(tries: int) -> float:
    """Seconds until the next try; Stripe waits for hours, a test cannot."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (tries - 1)))


def record(world: World, delivery_id: int, status: int | None, error: str | None, now: float) -> None:
    """Note the outcome of one try and plan the next one if it failed."""
    with world.store.transaction():
        found = world.store.rows("SELECT event_id, tries FROM delivery WHERE id = ?", (delivery_id,))
        if not found:  # a reset came in between
            return
        tries = found[0]["tries"] + 1
        state = "delivered" if accepted(status) else ("given_up" if tries >= MOST_TRIES else "pending")
        world.store.rows(
            "UPDATE delivery SET state = ?, tries = ?, due = ?, last_status = ?, last_error = ? WHERE id = ?",
            (state, tries, now + pause_before(tries), status, error, delivery_id),
        )
        if state == "delivered":
            _mark_delivered(world, found[0]["event_id"])


def record_by_hand(world: World, event_id: str, status: int | None) -> None:
    """A delivery that a test ordered also settles what waited in the queue."""
    if not accepted(status):
        return
    with world.store.transaction():
        world.store.rows(
            "UPDATE delivery SET state = 'delivered', tries = tries + 1, last_status = ? WHERE event_id = ?",
            (status, event_id),
        )
        _mark_delivered(world, event_id)


def _mark_delivered(world: World, event_id: str) -> None:
    event = world.store.find("event", event_id)
    if event and event["pending_webhooks"]:
        world.store.put(event | {"pending_webhooks": 0})
