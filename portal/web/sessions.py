"""Two cookies: one for guests, one for staff, so that neither ever sees the other's."""

import json
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.sansio.http import parse_cookie

from portal.web.context import this_request

MOST_REMEMBERED = 2048
"""Browsers of a process; what is kept of each is a few hundred bytes."""


_NO_JSON = '{" '
"""How the library marks what JSON has no word for: tuples, dates, bytes."""


class SessionsByPath(SecureCookieSessionInterface):
    """Under /staff the cookie has another name and never travels from other sites' pages (SameSite=Strict)."""

    def __init__(self, guest_name: str, staff_name: str) -> None:
        self.guest_name, self.staff_name = guest_name, staff_name
        self._serializer: tuple[Any, URLSafeTimedSerializer | None] | None = None
        self._checked: Callable[[str, str], tuple[str, float]] = self._check

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | NullSession:
        """An empty one for a cookie that is not ours, was changed, or is too old."""
        if request.path.startswith("/webhooks/"):
            return self.make_null_session(app)  # Stripe has no cookies, and its messages are many
        cookies = request.environ.get("HTTP_COOKIE")
        if not cookies or self.get_signing_serializer(app) is None:
            return self.session_class()
        try:
            held, signed = self._checked(cookies, self.get_cookie_name(app))
        except BadData:
            return self.session_class()
        age = int(time.time()) - signed
        is_good = 0 <= age <= app.permanent_session_lifetime.total_seconds()
        read = json.loads if _NO_JSON not in held else self.serializer.loads
        return self.session_class(read(held) if is_good else None)

    def _check(self, cookies: str, name: str) -> tuple[str, float]:
        """What the cookie of that name holds, as JSON, and the second in which it was signed. BadData if that was not
        by us.

        Remembered for these keys: a browser sends the same cookies with each page."""
        cookie = parse_cookie(cookies).get(name)
        if not cookie or self._serializer is None or self._serializer[1] is None:
            raise BadData("there is none")
        held, signed = self._serializer[1].loads(cookie, return_timestamp=True)
        return self.serializer.dumps(held), signed.timestamp()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Sent only when something in it has changed. The page still depends on it, and says so to caches."""
        if session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.headers.add("Vary", "Cookie")

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Made once for these keys, not for every request."""
        keys = app.secret_key, tuple(app.config["SECRET_KEY_FALLBACKS"] or ())
        if self._serializer is None or self._serializer[0] != keys:
            self._serializer = keys, super().get_signing_serializer(app)
            self._checked = lru_cache(maxsize=MOST_REMEMBERED)(self._check)
        return self._serializer[1]

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002  # the framework passes it
        return self.staff_name if is_staff_page() else self.guest_name

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002
        # Lax for guests: with Strict they would have no session on the way back from Stripe.
        return "Strict" if is_staff_page() else "Lax"


def is_staff_page() -> bool:
    """Whether the address is one of the staff's, also one where there is nothing."""
    path = this_request().path
    return path == "/staff" or path.startswith("/staff/")
