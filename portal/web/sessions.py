"""Two cookies: one for guests, one for staff, so that neither ever sees the other's."""

from flask import Flask, Request, request
from flask.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface


class SessionsByPath(SecureCookieSessionInterface):
    """Under /staff the cookie has another name and never travels from other sites' pages (SameSite=Strict)."""

    def __init__(self, guest_name: str, staff_name: str) -> None:
        self.guest_name, self.staff_name = guest_name, staff_name

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | NullSession | None:
        if request.path.startswith("/webhooks/"):
            return self.make_null_session(app)  # Stripe has no cookies, and its messages are many
        return super().open_session(app, request)

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002  # the framework passes it
        return self.staff_name if is_staff_page() else self.guest_name

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002
        # Lax for guests: with Strict they would have no session on the way back from Stripe.
        return "Strict" if is_staff_page() else "Lax"


def is_staff_page() -> bool:
    """Whether the address is one of the staff's, also one where there is nothing."""
    return request.path == "/staff" or request.path.startswith("/staff/")
