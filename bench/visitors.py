"""People at the portal, as far as a bench needs them: a guest with a private link, a guest about to pay, a manager."""

import re
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from bench.machine import Request
from portal.deps import Deps
from portal.models import Reservation
from portal.services import links, staff_sessions
from tests.staff.desk import cookie_of, hire

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def guest_cookie(port: int, deps: Deps, stay: Reservation) -> str:
    """Of a browser that has opened the stay's private link."""
    return _get(port, urlsplit(links.make_link(deps, stay)).path, "")[0]


def pays(port: int, deps: Deps, stay: Reservation) -> Request:
    """A click on Pay, by a guest who has the page open."""
    path = f"/reservations/{stay.code}"
    cookie, page = _get(port, path, guest_cookie(port, deps, stay))
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if token is None:
        raise RuntimeError(f"{path} has no form to pay with")
    body = urlencode({"csrf_token": token[1]}).encode()
    return Request(f"{path}/pay", "POST", body, {"Cookie": cookie, **_FORM}, expected=303)


def manager_cookie(deps: Deps) -> str:
    """Of a manager who has signed in."""
    return "staff=" + cookie_of(deps, {"token": staff_sessions.start(deps, hire(deps, "manager"))})


def page_of(port: int, path: str, cookie: str = "") -> bytes:
    """What that browser sees there."""
    return _get(port, path, cookie)[1].encode()


def _get(port: int, path: str, cookie: str) -> tuple[str, str]:
    """The cookie that the browser has afterwards, and the page."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    page, new = answer.read().decode(), answer.getheader("Set-Cookie")
    connection.close()
    if answer.status >= 400:
        raise RuntimeError(f"{path} was answered with {answer.status}")
    return (new.partition(";")[0] if new else cookie), page
