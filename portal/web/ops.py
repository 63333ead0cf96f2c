"""For whoever runs it: is the process up, can it work, and what do the figures say?"""

import hmac
import ipaddress
from collections.abc import Iterator

import peewee
from flask import Blueprint, Response, abort, jsonify, redirect, request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import GaugeMetricFamily
from werkzeug.wrappers import Response as AnyResponse

from portal import db
from portal import metrics as counted_figures
from portal.db import DatabaseBusy
from portal.deps import Deps
from portal.services import figures, readiness
from portal.services.figures import Figures
from portal.web.context import get_deps
from portal.web.static_files import asset

ops = Blueprint("ops", __name__)

_PROXIED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via")
"""A request with one of these comes from elsewhere, whoever hands it in."""


@ops.get("/healthz")
def healthz() -> AnyResponse:
    return jsonify(status="up")


@ops.get("/readyz")
def readyz() -> tuple[AnyResponse, int]:
    """503 with the reasons until this process can work."""
    answer = readiness.answer(get_deps())
    return jsonify(answer), 503 if answer["reasons"] else 200


@ops.get("/metrics")
def metrics() -> Response:
    """Figures in Prometheus' text format; docs/metrics.md says what each means. 404 for whoever may not read them."""
    deps = get_deps()
    if not _may_read_figures(deps):
        abort(404)
    registry = counted_figures.counted()
    registry.register(_Stored(deps))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read_figures(deps: Deps) -> bool:
    """With a token: whoever sends it. Without one: programs on this machine, asking directly."""
    token = deps.settings.metrics_token
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        return hmac.compare_digest(given.encode(), token.encode())
    if deps.settings.proxy_count or any(name in request.headers for name in _PROXIED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:  # a socket that is a file has no address
        return False


class _Stored:
    """What the database says when it is asked; without one, that it does not answer."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # registering asks nobody

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = self._read()
        yield _gauge("portal_database_up", "Whether the database answers: 1 or 0.", {"": 0 if found is None else 1})
        if found is None:
            return
        yield _gauge("portal_payments_24h", "Payments begun in the last 24 hours.", found.payments, "outcome")
        yield _gauge("portal_oldest_waiting_seconds", "Age of what waits longest.", found.oldest_waiting, "queue")
        yield _gauge("portal_alerts_open", "Lines that need attention.", found.alerts, "kind")
        yield _gauge("portal_last_webhook_age_seconds", "Age of Stripe's last message.", _once(found.last_event))
        yield _gauge("portal_worker_heartbeat_age_seconds", "When a worker was last seen.", _once(found.worker_seen))

    def _read(self) -> Figures | None:
        try:
            with db.connection():
                return figures.read(self._deps)
        except (DatabaseBusy, peewee.PeeweeException):
            return None


def _once(value: float | None) -> dict[str, float]:
    """No line for what has never happened."""
    return {} if value is None else {"": value}


def _gauge(name: str, help_text: str, values: dict[str, int] | dict[str, float], label: str = "") -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=[label] if label else [])
    for value_of, value in values.items():
        family.add_metric([value_of] if label else [], value)
    return family


@ops.get("/favicon.ico")
def favicon() -> AnyResponse:
    return redirect(asset("img/logo.svg"))
