"""One log line a request, and a correlation id that goes through everything that the request causes."""

import re
import secrets
import time

import structlog
from flask import Flask, Response

from portal import logs, metrics
from portal.web.context import kept, this_request
from portal.web.static_files import is_static

log = structlog.get_logger()

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def register(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    # The letter before it: a row of digits alone could pass for a card's number, and be removed.
    here = kept()
    here.request_id, here.started = _given_id() or f"r{secrets.token_hex(8)}", time.perf_counter()
    logs.begin(request=here.request_id)


def _given_id() -> str:
    """The id that a program gives its own request. Browsers get none of their choice: with the id of somebody else's
    request they could make the log tell a wrong story."""
    here = this_request()
    if not here.path.startswith("/api/"):
        return ""
    given = here.headers.get("X-Correlation-Id") or here.headers.get("X-Request-Id") or ""
    return given if _ID.fullmatch(given) else ""


def _end(response: Response) -> Response:
    here, begun, now = this_request(), kept(), time.perf_counter()
    response.headers["X-Request-Id"] = begun.get("request_id", "")
    rule = here.url_rule.rule if here.url_rule else "no such page"  # never the path: it may hold a token
    if not (is_static(here.endpoint) or here.endpoint in ("ops.healthz", "ops.metrics")):
        seconds, status = now - begun.get("started", now), response.status_code
        metrics.count_request(rule, here.method, status, seconds)
        log.info("request", method=here.method, rule=rule, status=status, milliseconds=round(seconds * 1000))
    return response
