"""A client for the control surface of a simulator that runs here or in another process."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

Doc = dict[str, Any]


class ControlError(RuntimeError):
    """The simulator refused; `status` is the HTTP status and `code` Stripe's code, if it is Stripe's refusal."""

    def __init__(self, status: int, error: Doc) -> None:
        super().__init__(error.get("message", str(error)))
        self.status, self.code = status, error.get("code")


class Control:
    """Plays the payer, the bank, Stripe's dashboard, the network and the clock."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        # A proxy from the environment must not stand between a test and its own machine.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    # The payer

    def pay(
        self,
        session_id: str,
        card: str = "4242424242424242",
        *,
        authentication: str | None = None,
        email: str | None = None,
        name: str | None = None,
    ) -> Doc:
        """Try a card on the hosted page; `authentication` answers a 3-D Secure question with "pass" or "fail"."""
        body = {"card": card, "authentication": authentication, "email": email, "name": name}
        return self._post(f"sessions/{session_id}/pay", body)

    def authenticate(self, session_id: str, outcome: str = "pass") -> Doc:
        """Answer a 3-D Secure question that an earlier `pay` left open."""
        return self._post(f"sessions/{session_id}/authenticate", {"outcome": outcome})

    def complete_unpaid(self, session_id: str) -> Doc:
        """Choose a slow method: the session is complete and unpaid."""
        return self._post(f"sessions/{session_id}/complete_unpaid", {})

    # The bank and the dashboard

    def settle(self, payment_intent: str, outcome: str = "succeeded") -> Doc:
        """Let the slow method's bank answer, "succeeded" or "failed"."""
        return self._post(f"payment_intents/{payment_intent}/settle", {"outcome": outcome})

    def refund(
        self, payment_intent: str, amount: int | None = None, *, metadata: Doc | None = None, reason: str | None = None
    ) -> Doc:
        """Refund in Stripe's dashboard, past the portal."""
        body = {"amount": amount, "metadata": metadata, "reason": reason}
        return self._post(f"payment_intents/{payment_intent}/refund", body)

    def move_refund(self, refund_id: str, status: str, *, failure_reason: str | None = None) -> Doc:
        """Change a refund's status as the bank would."""
        return self._post(f"refunds/{refund_id}/move", {"status": status, "failure_reason": failure_reason})

    def dispute(self, payment_intent: str, amount: int | None = None, *, reason: str = "fraudulent") -> Doc:
        """Let the payer's bank take a payment back."""
        return self._post(f"payment_intents/{payment_intent}/dispute", {"amount": amount, "reason": reason})

    def move_dispute(self, dispute_id: str, status: str) -> Doc:
        """Change a dispute's status: under_review, won, lost..."""
        return self._post(f"disputes/{dispute_id}/move", {"status": status})

    def charge_elsewhere(self, amount: int, *, currency: str = "eur", metadata: Doc | None = None) -> Doc:
        """A payment of another program in the same account; answers its payment intent."""
        return self._post("charge_elsewhere", {"amount": amount, "currency": currency, "metadata": metadata})

    def accept_only(self, *api_keys: str) -> None:
        """Roll the account's keys: from now on only these are taken. Without any: every sk_test_ key again."""
        self._call("POST", "api_keys", {"accepted": list(api_keys) or None})

    # Webhooks

    def webhooks(self, mode: str | None = None, **changes: Any) -> Doc:
        """Change how webhooks are sent and answer all settings.

        mode "on", "off" (lost) or "hold" (kept until delivered or switched on); url; secrets: list; duplicate: extra
        copies of each; delay: seconds; shuffle; drop: types never sent; only: the only types sent, None for all.
        """
        body: Doc = changes if mode is None else {"mode": mode, **changes}
        answer: Doc = self._call("POST", "webhooks", body)  # null is a value here: only=None sends all types again
        return answer

    def deliver(
        self,
        event_id: str | None = None,
        *,
        types: Sequence[str] | None = None,
        again: bool = False,
        copies: int = 1,
        reverse: bool = False,
        at_once: bool = False,
        timestamp_offset: int = 0,
    ) -> list[int | None]:
        """Deliver an event, or all that were not delivered, now; answers the status codes in order."""
        body: Doc = {"event_id": event_id, "types": list(types) if types else None, "again": again, "copies": copies}
        body |= {"reverse": reverse, "at_once": at_once, "timestamp_offset": timestamp_offset}
        statuses: list[int | None] = self._post("webhooks/deliver", body)["statuses"]
        return statuses

    def deliveries(self) -> list[Doc]:
        """Every delivery and its state: pending, delivered, given_up or lost."""
        return self._list("deliveries")

    def events(self, kind: str | None = None) -> list[Doc]:
        """All events, oldest first, or those of one type."""
        return [event for event in self._list("events") if kind in (None, event["type"])]

    # The network

    def fault(
        self, kind: str, *, method: str = "*", path: str = "*", times: int = 1, seconds: float | None = None
    ) -> Doc:
        """Script trouble for the next calls that match; `path` may hold `*`.

        kind: 429, 401, 500, not_json, reset_before, timeout_before (no effect); 500_stored, slow (while executing);
        timeout_after, lost_answer (after the effect).
        """
        body = {"match": {"method": method, "path": path}, "fault": kind, "times": times, "seconds": seconds}
        return self._post("faults", body)

    def faults(self) -> list[Doc]:
        """The trouble that still waits for its call."""
        waiting: list[Doc] = self._call("GET", "faults")["faults"]
        return waiting

    def clear_faults(self) -> None:
        """No more trouble."""
        self._call("DELETE", "faults")

    # The clock

    def now(self) -> int:
        """The simulator's present, in seconds since 1970."""
        return int(self._call("GET", "clock")["now"])

    def advance(self, seconds: int) -> int:
        """Move the clock and let everything that is then due happen; answers the new time."""
        return int(self._post("clock", {"advance": seconds})["now"])

    def set_now(self, now: int) -> int:
        """Jump to a moment and let everything that is then due happen."""
        return int(self._post("clock", {"now": now})["now"])

    def freeze(self, frozen: bool = True) -> int:
        """Stop the clock, or let it run again."""
        return int(self._post("clock", {"freeze": frozen})["now"])

    # The books

    def requests(self) -> list[Doc]:
        """What was received on the API, oldest first: method, path, params, idempotency_key, status."""
        return self._list("requests")

    def truth(self) -> Doc:
        """All sessions, payment_intents, charges, refunds and disputes, oldest first."""
        answer: Doc = self._call("GET", "truth")
        return answer

    def reset(self) -> None:
        """Forget everything except the webhook url and secrets."""
        self._call("POST", "reset", {})

    def _post(self, path: str, body: Doc) -> Doc:
        given = {name: value for name, value in body.items() if value is not None}
        answer: Doc = self._call("POST", path, given)
        return answer

    def _list(self, path: str) -> list[Doc]:
        answer: list[Doc] = self._call("GET", path)
        return answer

    def _call(self, method: str, path: str, body: Doc | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_simulator/{path}", data, headers, method=method)
        try:
            with self._open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ControlError(error.code, json.load(error)["error"]) from None
