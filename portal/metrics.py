"""Figures that processes count themselves, for /metrics. Labels come from fixed sets: no ids, no paths, no names.

Several processes add up through the directory in PROMETHEUS_MULTIPROC_DIR, which the library reads when it is first
imported; without it each process counts for itself.

Counting is not in the way: where that directory is gone or cannot be written to, this is logged once and the work goes
on. (One whose disk is full to the last page is another matter: the library writes into memory that lies on it.)"""

import os
import tempfile
import warnings
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec

import structlog


def _leave_out_a_directory_that_is_none() -> None:
    """The library opens its first file when a figure is named, and nothing would start."""
    given = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not given:
        return
    try:
        Path(given).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=given).close()
    except OSError as error:
        del os.environ["PROMETHEUS_MULTIPROC_DIR"]
        warnings.warn(f"PROMETHEUS_MULTIPROC_DIR cannot be used ({error}); figures are not added up.", stacklevel=2)


_leave_out_a_directory_that_is_none()

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

disable_created_metrics()  # type: ignore[no-untyped-call]  # when each line began to count is of no use to anybody

REQUESTS = Counter("portal_requests", "Requests answered.", ["rule", "method", "status"])
REQUEST_SECONDS = Histogram(
    "portal_request_seconds",
    "Time to answer a request.",
    ["rule"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25),
)
STRIPE_SECONDS = Histogram(
    "portal_stripe_call_seconds",
    "Time of a call to Stripe.",
    ["operation"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
STRIPE_ERRORS = Counter("portal_stripe_errors", "Calls to Stripe that failed.", ["operation", "kind"])
WEBHOOKS = Counter("portal_webhooks", "Messages from Stripe by type and what came of them.", ["type", "result"])
PAID_TO_CONFIRMED = Histogram(
    "portal_paid_to_confirmed_seconds",
    "Time from the moment that Stripe took the money until the stay was confirmed.",
    buckets=(1, 2, 5, 10, 30, 60, 120, 300, 900, 3600),
)

COUNTED = (REQUESTS, REQUEST_SECONDS, STRIPE_SECONDS, STRIPE_ERRORS, WEBHOOKS, PAID_TO_CONFIRMED)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


Given = ParamSpec("Given")

log = structlog.get_logger()


@cache
def _tell_once(error: str) -> None:
    log.error("figures cannot be written", error=error)


def _never_in_the_way(count: Callable[Given, None]) -> Callable[Given, None]:
    @wraps(count)
    def try_to_count(*given: Given.args, **named: Given.kwargs) -> None:
        try:
            count(*given, **named)
        except Exception as error:
            _tell_once(type(error).__name__)

    return try_to_count


@_never_in_the_way
def count_request(rule: str, method: str, status: int, seconds: float) -> None:
    """`rule` is the route's own text, never an address that somebody asked for."""
    count, duration = _of_requests(rule, method if method in _METHODS else "other", status)
    count.inc()
    duration.observe(seconds)


@cache
def _of_requests(rule: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """The figures for such requests; looking each up by its labels takes longer than counting."""
    return REQUESTS.labels(rule, method, str(status)), REQUEST_SECONDS.labels(rule)


@_never_in_the_way
def count_webhook(event_type: str, result: str) -> None:
    """`event_type` is one of those that have an effect here, or "other"."""
    _of_webhooks(event_type, result).inc()


@cache
def _of_webhooks(event_type: str, result: str) -> Counter:
    return WEBHOOKS.labels(event_type, result)


@_never_in_the_way
def count_stripe_call(operation: str, seconds: float, failed: str = "") -> None:
    """`failed`: the kind of failure."""
    STRIPE_SECONDS.labels(operation).observe(seconds)
    if failed:
        STRIPE_ERRORS.labels(operation, failed).inc()


@_never_in_the_way
def count_confirmed(seconds: float) -> None:
    """So long after Stripe had taken the money."""
    PAID_TO_CONFIRMED.observe(max(0.0, seconds))


def counted() -> CollectorRegistry:
    """All of the above, of all processes that share a directory, else of this one."""
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # there is no such directory
        for figure in COUNTED:
            registry.register(figure)
    return registry
