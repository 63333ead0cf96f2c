"""A webhook endpoint for tests: verifies each delivery with Stripe's SDK and keeps it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

SECRET = "whsec_first"


@dataclass(frozen=True)
class Delivered:
    """One request that arrived."""

    event: Any
    signature: str
    payload: bytes


class Receiver:
    """Answers with the scripted statuses first, then with 200."""

    def __init__(self) -> None:
        self.secret = SECRET
        self.deliveries: list[Delivered] = []
        self.statuses: list[int] = []
        self.problems: list[str] = []
        self._together: threading.Barrier | None = None
        receiver = self

        class Endpoint(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(body, self.headers["Stripe-Signature"]))
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks/stripe"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def waits_for_two_at_once(self) -> None:
        """The next delivery gets no answer until another one is there beside it."""
        self._together = threading.Barrier(2, action=lambda: setattr(self, "_together", None))

    def take(self, body: bytes, signature: str) -> int:
        """Verify, keep, and say which status to answer with."""
        if together := self._together:
            together.wait(timeout=8)  # raises, and nothing is delivered, when nobody comes to join
        try:
            # tolerance 0: some tests move the simulator's clock away from this process's
            event = stripe.Webhook.construct_event(body, signature, self.secret, tolerance=0)
        except (ValueError, stripe.SignatureVerificationError) as error:
            self.problems.append(str(error))
            return 400
        self.deliveries.append(Delivered(event, signature, body))
        return self.statuses.pop(0) if self.statuses else 200

    def types(self) -> list[str]:
        """The types that arrived, in order of arrival."""
        return [delivered.event.type for delivered in self.deliveries]

    def wait_for(self, kind: str, times: int = 1) -> list[Delivered]:
        """Wait until events of a type arrived so often; fails after a few seconds."""
        eventually(lambda: self.types().count(kind) >= times, f"{times} x {kind}, but got {self.types()}")
        return [delivered for delivered in self.deliveries if delivered.event.type == kind]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def eventually(condition: Callable[[], bool], expected: str, seconds: float = 8) -> None:
    """Poll until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"expected {expected}"
        time.sleep(0.01)
