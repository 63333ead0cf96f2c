"""Every way in which the API says no: status and code for programs, and what to do next for whoever writes them."""

from typing import Any

from flask import Response

from portal.web import programs


class ApiRefusal(Exception):
    """The request is not done. `details` hold what a program can act on, in fields."""

    def __init__(
        self,
        status: int,
        message: str,
        recovery: str,
        *,
        code: str = "",
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.recovery = status, message, recovery
        self.code, self.details, self.retry_after = code, details, retry_after


def show(refusal: ApiRefusal) -> Response:
    response = programs.refuse(
        refusal.status,
        refusal.message,
        refusal.recovery,
        code=refusal.code,
        details=refusal.details,
        retry_after=refusal.retry_after,
    )
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110 asks for it
    return response


def bad_token() -> ApiRefusal:
    """The same for a token that is missing, made up, revoked or too old."""
    return ApiRefusal(
        401,
        "There is no valid token.",
        "Send the header Authorization: Bearer with a token that was neither revoked nor has run out.",
    )


def too_many(what: str, seconds: int) -> ApiRefusal:
    return ApiRefusal(429, f"There were too many {what}.", f"Wait {seconds} seconds.", retry_after=seconds)


def not_allowed(message: str, recovery: str) -> ApiRefusal:
    return ApiRefusal(403, message, recovery)


def not_yours() -> ApiRefusal:
    """The same whether there is such a thing or not."""
    return not_allowed(
        "This is not the reservation of that token.", "Use the link of this reservation, or a token of the hotel."
    )


def no_such_reservation() -> ApiRefusal:
    return ApiRefusal(404, "There is no such reservation.", "Check the code.", code="ERR_006")


def no_such_payment(message: str = "There is no such payment.") -> ApiRefusal:
    return ApiRefusal(404, message, "Check the id, or start a payment first.", code="ERR_404")


def bad_input(message: str, recovery: str = "Change the request and send it again.", **details: Any) -> ApiRefusal:
    """What was sent cannot be, or the state of things forbids it."""
    return ApiRefusal(400, message, recovery, details=details)


def stripe_refused(status: int, message: str, recovery: str, **details: Any) -> ApiRefusal:
    """502: Stripe said no for good. 503: it could not be reached, so it may be tried again."""
    return ApiRefusal(
        status, message, recovery, code="ERR_STRIPE", details=details, retry_after=30 if status == 503 else None
    )
