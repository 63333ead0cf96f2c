"""One log line a request, and a correlation id that goes through everything that the request causes."""

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger()


def register(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.request_id, g.started = _sent_id() or secrets.token_hex(8), time.perf_counter()
    structlog.contextvars.clear_contextvars()  # threads are used again
    structlog.contextvars.bind_contextvars(request=g.request_id)


def _sent_id() -> str:
    """What the caller, or a proxy in front, calls this request; only what can neither break a log line nor a header."""
    sent = request.headers.get("X-Correlation-Id") or request.headers.get("X-Request-Id") or ""
    return sent if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", sent) else ""


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    rule = request.url_rule.rule if request.url_rule else "no such page"  # never the path: it may hold a token
    if request.endpoint not in ("static", "ops.healthz"):
        milliseconds = round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000)
        log.info("request", method=request.method, rule=rule, status=response.status_code, milliseconds=milliseconds)
    return response
