"""A program that uses the JSON API, over HTTP."""

from dataclasses import dataclass, field
from typing import Any

import requests

from portal.deps import Deps
from portal.models import Reservation
from portal.services import api_tokens, links

STAY = {
    "room": "River room",
    "guest_name": "Ana Lima",
    "email": "ana@lima.example",
    "lines": [{"label": "River room", "amount": 40_000, "detail": "2 nights", "vat_percent": "6"}],
}


@dataclass
class Answer:
    """What came back; every refusal has the one shape."""

    status: int
    body: dict[str, Any]
    headers: Any

    @property
    def code(self) -> str:
        assert set(self.body) == {"success", "error_code", "message", "recovery", "details"}, self.body
        assert self.body["success"] is False
        assert self.body["message"]
        assert self.body["recovery"]
        return str(self.body["error_code"])

    @property
    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["details"]
        return found


@dataclass
class Program:
    url: str
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self._send("GET", path, None, headers)

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Answer:
        return self._send("POST", path, body, headers)

    def _send(self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = requests.request(
            method,
            f"{self.url}/api{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}", **self.headers, **named},
            timeout=30,
        )
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["X-Request-Id"]
        return Answer(answer.status_code, answer.json(), answer.headers)


def make_token(deps: Deps, *scopes: str) -> str:
    count = len(api_tokens.list_tokens())
    return api_tokens.add_token(deps, f"booking site {count}", scopes or api_tokens.SCOPES)


def link_token(deps: Deps, reservation: Reservation) -> str:
    """What a guest's private link has after /l/."""
    return links.make_link(deps, reservation).rpartition("/")[2]
