"""Two cookies: one for guests, one for staff, so that neither ever sees the other's."""

import json
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionMixin,
    session_json_serializer,
)
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.sansio.http import parse_cookie

from portal.web.context import this_request

MOST_REMEMBERED, LONGEST_REMEMBERED = 2048, 1000
"""Browsers of a process, and characters that one of them sends as cookies: ours have a few hundred, and whoever sends
many more is not to fill our memory with them."""

_MARKED = '{" '
"""How the library marks what JSON has no word for: tuples, dates, bytes."""


class SignedCookies:
    """What cookies hold that were signed with one set of keys. Remembered: a browser sends the same with each page."""

    def __init__(self, serializer: URLSafeTimedSerializer) -> None:
        self.serializer = serializer
        self._seconds = next(serializer.iter_unsigners()).get_timestamp  # the clock that they are signed by
        self._checked = lru_cache(maxsize=MOST_REMEMBERED)(self._check)

    def read(self, cookies: str, name: str, longest: float) -> dict[str, Any]:
        """Of the cookie of that name; nothing of one that is not ours, was changed, or is too old (seconds)."""
        check = self._checked if len(cookies) <= LONGEST_REMEMBERED else self._check
        try:
            held, signed = check(cookies, name)
        except BadData:
            return {}
        if not 0 <= self._seconds() - signed <= longest:
            return {}
        read = session_json_serializer.loads if _MARKED in held else json.loads
        found: dict[str, Any] = read(held)
        return found

    def _check(self, cookies: str, name: str) -> tuple[str, float]:
        """As JSON, and the second in which it was signed. BadData if that was not by us."""
        held, signed = self.serializer.loads(parse_cookie(cookies).get(name, ""), return_timestamp=True)
        return session_json_serializer.dumps(held), signed.timestamp()


class SessionsByPath(SecureCookieSessionInterface):
    """Under /staff the cookie has another name and never travels from other sites' pages (SameSite=Strict)."""

    def __init__(self, guest_name: str, staff_name: str) -> None:
        self.guest_name, self.staff_name = guest_name, staff_name
        self._keys: Any = None
        self._signed: SignedCookies | None = None

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | NullSession:
        if request.path.startswith("/webhooks/"):
            return self.make_null_session(app)  # Stripe has no cookies, and its messages are many
        signed, cookies = self._signed_cookies(app), request.environ.get("HTTP_COOKIE")
        if not cookies or signed is None:
            return self.session_class()
        longest = app.permanent_session_lifetime.total_seconds()
        return self.session_class(signed.read(cookies, self.get_cookie_name(app), longest))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Sent only when something in it has changed. The page still depends on it, and says so to caches."""
        if session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.headers.add("Vary", "Cookie")

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        signed = self._signed_cookies(app)
        return signed.serializer if signed else None

    def _signed_cookies(self, app: Flask) -> SignedCookies | None:
        """Made once for these keys, not for every request."""
        keys = app.secret_key, tuple(app.config["SECRET_KEY_FALLBACKS"] or ())
        if self._keys != keys:
            serializer = super().get_signing_serializer(app)
            self._signed = SignedCookies(serializer) if serializer else None
            self._keys = keys
        return self._signed

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002  # the framework passes it
        return self.staff_name if is_staff_page() else self.guest_name

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002
        # Lax for guests: with Strict they would have no session on the way back from Stripe.
        return "Strict" if is_staff_page() else "Lax"


def is_staff_page() -> bool:
    """Whether the address is one of the staff's, also one where there is nothing."""
    path = this_request().path
    return path == "/staff" or path.startswith("/staff/")
