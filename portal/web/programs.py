"""What programs get that pages do not: errors of one shape as JSON, and bodies that are read as they came. The webhook
and the JSON API share it."""

from typing import Any

from flask import Response, jsonify, request

from portal import errors
from portal.errors import Refusal, RefusalText
from portal.web.context import this_request

_CODES = {
    401: "ERR_AUTH",
    403: "ERR_007",
    404: "ERR_404",
    405: "ERR_405",
    413: "ERR_413",
    415: "ERR_415",
    429: "ERR_RATE",
    500: "ERR_INTERNAL",
    503: "ERR_UNAVAILABLE",
}


_ADDRESSES = ("/api", "/healthz", "/readyz", "/metrics")


_WORDS = {
    400: ("The request cannot be read.", "Check its address, its headers and its body."),
    404: ("There is nothing at this address.", "GET /api/openapi.json names every address of the API."),
    405: ("This address has other methods.", "GET /api/openapi.json names them."),
    413: ("The body is too large.", "Send less."),
    503: ("The database is busy.", "Send it again after Retry-After seconds, a POST with its Idempotency-Key."),
}
"""Message and recovery where a page would speak of browsers and links."""


def is_for_programs() -> bool:
    """Whether whoever calls reads JSON, also at an address where there is nothing."""
    return request.path in _ADDRESSES or request.path.startswith(("/api/", "/webhooks/"))


def refuse(
    status: int,
    message: str,
    recovery: str,
    *,
    code: str = "",
    details: dict[str, Any] | None = None,
    retry_after: int | None = None,
) -> Response:
    """The answer to a request that is not done. `code` defaults to the one that the status stands for."""
    response = jsonify(envelope(code or code_of(status), message, recovery, details))
    response.status_code = status
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def refuse_instead_of(text: RefusalText) -> Response:
    """What a program gets where a browser gets that page."""
    message, recovery = _WORDS.get(text.status, (text.what, text.next_step))
    return refuse(text.status, message, recovery, retry_after=text.retry_after)


def envelope(code: str, message: str, recovery: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """The one shape of every error that a program reads."""
    return {
        "success": False,
        "error_code": code,
        "message": message,
        "recovery": recovery,
        "details": details or {},
    }


def code_of(status: int) -> str:
    """The code of a refusal that has no own one. Stripe's messages have only one for whatever they do wrong."""
    return _CODES.get(status) or ("ERR_WEBHOOK" if request.blueprint == "webhooks" else "ERR_400")


def read_body(most: int) -> bytes:
    """The raw bytes of the request; Refusal when there are more than `most`. Reads one byte more than allowed: a
    chunked body announces no length."""
    here = this_request()
    here.max_content_length = most + 1
    if (here.content_length or 0) > most:
        raise Refusal(errors.TOO_LARGE)
    body = here.stream.read(most + 1)
    if len(body) > most:
        raise Refusal(errors.TOO_LARGE)
    return bytes(body)
