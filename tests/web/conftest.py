"""Browsers without a cookie, and letters that only seem to come from Stripe."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from portal.deps import Deps
from stripe_simulator.webhooks import signature
from tests.actors import Clock, Guest, LivePortal
from tests.conftest import WEBHOOK_SECRET


@pytest.fixture
def new_browser(portal: LivePortal, deps: Deps) -> Callable[[], Guest]:
    return lambda: Guest(portal.url, deps)


@dataclass
class Sender:
    """Posts to the webhook, signed as asked."""

    url: str
    clock: Clock

    def __call__(
        self, event: Any, *, secret: str = WEBHOOK_SECRET, late: int = 0, header: str | bytes | None = None
    ) -> requests.Response:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        if header is None:
            text = body.decode("utf-8", "replace")
            header = signature(text, [secret], int(self.clock.now().timestamp()) - late)
        headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": header} if header else {})
        with requests.Session() as session:
            session.trust_env = False
            return session.post(self.url, data=body, headers=headers, timeout=30)


@pytest.fixture
def send(portal: LivePortal, clock: Clock) -> Sender:
    return Sender(f"{portal.url}/webhooks/stripe", clock)
