"""Two cookies: one for guests, one for staff, so that neither ever sees the other's."""

from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from portal.web.context import this_request


class SessionsByPath(SecureCookieSessionInterface):
    """Under /staff the cookie has another name and never travels from other sites' pages (SameSite=Strict)."""

    def __init__(self, guest_name: str, staff_name: str) -> None:
        self.guest_name, self.staff_name = guest_name, staff_name
        self._serializer: tuple[Any, URLSafeTimedSerializer | None] | None = None

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | NullSession | None:
        if request.path.startswith("/webhooks/"):
            return self.make_null_session(app)  # Stripe has no cookies, and its messages are many
        return super().open_session(app, request)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Made once for these keys, not for every request."""
        keys = app.secret_key, tuple(app.config["SECRET_KEY_FALLBACKS"] or ())
        if self._serializer is None or self._serializer[0] != keys:
            self._serializer = keys, super().get_signing_serializer(app)
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
