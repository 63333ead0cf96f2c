"""Who acts in the stories: time, the portal as a running server, and a guest with a plain browser."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from werkzeug.serving import WSGIRequestHandler, make_server

from portal.deps import Deps
from portal.models import TABLES, Hotel, Reservation, Table
from portal.services import links
from stripe_simulator import Control
from tests.pages import Page, read_page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Clock:
    """The portal's and Stripe's: stands still unless it is moved."""

    def __init__(self, stripe: Control) -> None:
        self._stripe = stripe
        self._now = datetime.fromtimestamp(stripe.now(), UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, **time: float) -> None:
        """Move on by `hours=…`, `minutes=…`, `seconds=…`, `days=…`; what Stripe then has to do by itself happens."""
        step = timedelta(**time)
        self._now += step
        self._stripe.advance(int(step.total_seconds()))

    def move_to(self, instant: datetime) -> None:
        self.advance(seconds=(instant - self._now).total_seconds())


_folder = tempfile.TemporaryDirectory(prefix="portal-templates-")


def keep_compiled_templates(app: Flask) -> None:
    """Each test makes an application of its own; compiling its templates again would take longer than the test. What
    one compiles in one language is not for another that has several."""
    languages = "one" if getattr(app.jinja_env, "last_pass", None) else "several"
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(_folder.name, f"{languages}-%s.cache")


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        pass


def read_whole(app: "WSGIApplication") -> "WSGIApplication":
    """The application, with the body of each answer read and closed before any of it is sent. Where a browser goes away
    in the middle, werkzeug's server may fail before it closes the body, and a static file would stay open."""

    def answer(environ: "WSGIEnvironment", respond: "StartResponse") -> list[bytes]:
        body = app(environ, respond)
        try:
            return [b"".join(body)]
        finally:
            if hasattr(body, "close"):
                body.close()

    return answer


@dataclass
class LivePortal:
    """The portal under its address."""

    url: str

    @classmethod
    @contextmanager
    def serve(cls, make_app: Callable[[str], Flask]) -> Iterator["LivePortal"]:
        served = read_whole(lambda environ, respond: app(environ, respond))
        server = make_server("127.0.0.1", 0, served, threaded=True, request_handler=_Quiet)
        server.daemon_threads = True
        url = f"http://127.0.0.1:{server.server_port}"
        app = make_app(url)
        keep_compiled_templates(app)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield cls(url)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Guest:
    """A person with a browser: keeps cookies, follows redirects on the portal, and reads every page with care."""

    def __init__(self, portal_url: str, deps: Deps) -> None:
        self.portal_url, self.deps = portal_url, deps
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.page: Page = None  # type: ignore[assignment]
        self.answer: requests.Response = None  # type: ignore[assignment]

    def goes_to(self, path: str) -> Page:
        """Open an address of the portal, whatever the status."""
        return self._read(self.browser.get(self._url(path)))

    def opens_link(self, reservation: Reservation) -> Page:
        return self.goes_to(urlsplit(links.make_link(self.deps, Reservation.get_by_id(reservation.id))).path)

    def finds(self, code: str, email: str) -> Page:
        self.goes_to("/")
        return self.sends("/find", code=code, email=email)

    def sends(self, action_ends: str, **values: str) -> Page:
        """Fill in and send the form on the present page whose address ends like this; follow it within the portal."""
        return self._read(self._post(action_ends, values, follow=True))

    def presses_pay(self) -> str:
        """Press Pay or Try again; the address at Stripe that the browser is sent to."""
        answer = self._post("/pay", {}, follow=False)
        assert answer.status_code == 303, (answer.status_code, answer.text[:500])
        address = answer.headers["Location"]
        assert not address.startswith(self.portal_url), f"sent back to {address}"
        return address

    def presses_pay_in_vain(self) -> Page:
        """Press Pay or Try again; the portal's page that the guest then reads instead of Stripe's."""
        answer = self._post("/pay", {}, follow=True)
        assert answer.url.startswith(self.portal_url), f"sent to {answer.url}"
        return self._read(answer)

    def _post(self, action_ends: str, values: dict[str, str], *, follow: bool) -> requests.Response:
        forms = self.page.forms(action_ends)
        assert forms, f"no form {action_ends} on {self.page.url}: {self.page.text}"
        data = {**self.page.fields(forms[0]), **values}
        return self.browser.post(self._url(forms[0].get("action", "")), data=data, allow_redirects=follow)

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else self.portal_url + path

    def _read(self, answer: requests.Response) -> Page:
        self.answer = answer
        self.page = read_page(answer.status_code, answer.url, answer.text)
        return self.page


def session_of(address: str) -> str:
    """The checkout session that an address of Stripe's page is about."""
    return address.rsplit("/", 1)[-1].split("?", maxsplit=1)[0].split("#", maxsplit=1)[0]


def rows(model: Any, **where: Any) -> list[Any]:
    """All rows of a table, or those with these values, oldest first."""
    query = model.select()
    for name, value in where.items():
        query = query.where(getattr(model, name) == value)
    return list(query.order_by(model._meta.primary_key))


def everything_stored(*, but: tuple[type[Table], ...] = ()) -> dict[str, list[Any]]:
    """Every row of every table, to see whether something has changed."""
    tables = [table for table in TABLES if table not in but]
    return {table.__name__: sorted(table.select().tuples(), key=repr) for table in tables}


def names_of(reservation: Reservation, payment: str) -> dict[str, str]:
    """The metadata that makes money at Stripe ours."""
    return {"portal": Hotel.get_by_id(1).installation, "reservation": reservation.code, "payment": payment}
