"""Somebody of the hotel in front of a real browser."""

from typing import Any

from portal.deps import Deps
from portal.services import staff_sessions
from tests.browser.visitor import Visitor
from tests.staff.desk import cookie_of, hire


def signs_in(visitor: Visitor, deps: Deps, role: str, url: str) -> None:
    """The browser has the cookie of somebody who has just signed in; how that looks is a story of its own."""
    person = hire(deps, role)
    value = cookie_of(deps, {"token": staff_sessions.start(deps, person)})
    cookie: Any = {"name": "staff", "value": value, "url": url}
    visitor.context.add_cookies([cookie])
