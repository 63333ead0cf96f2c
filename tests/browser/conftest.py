"""A real Chromium, and guests who sit in front of it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from portal.deps import Deps
from stripe_simulator import Simulator
from tests.actors import LivePortal
from tests.browser.visitor import Visitor

QUIET = (
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
HERE = Path(__file__).parent

NewVisitor = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    missing = "no Chromium on this machine: install chromium, or say where it is in CHROMIUM"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=15_000)  # a busy machine is not a defect
    with sync_playwright() as playwright:
        # Playwright turns off the cache that restores old pages on Back; guests have it.
        running = playwright.chromium.launch(
            executable_path=chromium, args=list(QUIET), ignore_default_args=["--disable-back-forward-cache"]
        )
        yield running
        running.close()


@pytest.fixture
def new_visitor(browser: Browser, portal: LivePortal, simulator: Simulator, deps: Deps) -> Iterator[NewVisitor]:
    """Another device. Whatever any of them met that a guest should not meet fails the test at its end."""
    visitors: list[Visitor] = []

    def arrive(**context: object) -> Visitor:
        at_home = browser.new_context(base_url=portal.url, **{"viewport": {"width": 375, "height": 800}, **context})  # type: ignore[arg-type]
        visitors.append(Visitor(at_home, deps, (portal.url, simulator.url)))
        return visitors[-1]

    yield arrive
    troubles = [trouble for visitor in visitors for trouble in visitor.troubles()]
    for visitor in visitors:
        visitor.context.close()
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    """A guest at a phone."""
    return new_visitor()


@pytest.fixture
def visitor_without_javascript(new_visitor: NewVisitor) -> Visitor:
    return new_visitor(java_script_enabled=False)
