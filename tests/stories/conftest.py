"""More browsers, and portals whose way to Stripe is bad."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from portal import create_app
from portal.deps import Deps
from portal.gateways.stripe_gateway import Patience, StripeGateway
from tests.actors import Guest, LivePortal
from tests.postgres import free_port

HASTY = Patience(connect=0.5, read=0.5, retries=0, altogether=20)
"""Nobody waits for seconds in a test: a call that fails has failed at once."""

Serve = Callable[..., Guest]


@pytest.fixture
def serve(deps: Deps) -> Iterator[Serve]:
    """A guest at another portal on the same books, with some of its parts exchanged."""
    with ExitStack() as running:

        def start(**parts: Any) -> Guest:
            def make(url: str):  # type: ignore[no-untyped-def]
                settings = replace(deps.settings, public_base_url=url)
                return create_app(settings, replace(deps, settings=settings, **parts))

            return Guest(running.enter_context(LivePortal.serve(make)).url, deps)

        yield start


@pytest.fixture
def hasty_guest(serve: Serve, deps: Deps) -> Guest:
    """At a portal that does not wait for Stripe and tries only once."""
    return serve(stripe=gateway(deps, deps.settings.stripe_api_base))


@pytest.fixture
def cut_off_guest(serve: Serve, deps: Deps) -> Guest:
    """At a portal that cannot connect to Stripe at all."""
    return serve(stripe=gateway(deps, f"http://127.0.0.1:{free_port()}"))


@pytest.fixture
def new_browser(portal: LivePortal, deps: Deps) -> Callable[[], Guest]:
    """Another device, with no cookie."""
    return lambda: Guest(portal.url, deps)


def gateway(deps: Deps, api_base: str) -> StripeGateway:
    return StripeGateway(deps.settings.stripe_secret_key, api_base, HASTY, deps.now)
