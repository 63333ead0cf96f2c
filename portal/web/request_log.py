"""One log line a request, and a correlation id that goes through everything that the request causes."""

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request

from portal import metrics
from portal.web.static_files import is_static

log = structlog.get_logger()

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def register(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    # The letter before it: a row of digits alone could pass for a card's number, and be removed.
    g.request_id, g.started = _given_id() or f"r{secrets.token_hex(8)}", time.perf_counter()
    structlog.contextvars.clear_contextvars()  # threads are used again
    structlog.contextvars.bind_contextvars(request=g.request_id)


def _given_id() -> str:
    """The id that a program gives its own request. Browsers get none of their choice: with the id of somebody else's
    request they could make the log tell a wrong story."""
    if not request.path.startswith("/api/"):
        return ""
    given = request.headers.get("X-Correlation-Id") or request.headers.get("X-Request-Id") or ""
    return given if _ID.fullmatch(given) else ""


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    rule = request.url_rule.rule if request.url_rule else "no such page"  # never the path: it may hold a token
    if not (is_static(request.endpoint) or request.endpoint in ("ops.healthz", "ops.metrics")):
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        milliseconds = round(seconds * 1000)
        metrics.count_request(rule, request.method, response.status_code, seconds)
        log.info("request", method=request.method, rule=rule, status=response.status_code, milliseconds=milliseconds)
    return response
