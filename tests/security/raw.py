"""Requests as they arrive from a web server, without a client that tidies them up first."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from portal.deps import Deps
from portal.models import Reservation
from portal.services import staff_sessions
from tests.staff.desk import hire

HOST = "127.0.0.1:8000"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def lasting(self) -> dict[str, str]:
        """The headers that are the same for the same request."""
        each_time = ("X-Request-Id", "Set-Cookie", "Date")
        return {name: value for name, value in self.headers.items() if name not in each_time}


@dataclass
class Browser:
    """Somebody with a cookie, or nobody. `path` is sent as it stands: bytes that are no text, too."""

    app: Flask
    cookie: str = ""
    address: str = "203.0.113.7"
    extra: dict[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str | bytes,
        *,
        query: str = "",
        body: bytes = b"",
        content_type: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        raw = path if isinstance(path, bytes) else path.encode("utf-8", "surrogatepass")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": raw.decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.address,
            "HTTP_HOST": HOST,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if body or method == "POST":
            environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": content_type or FORM}
        if self.cookie:
            environ["HTTP_COOKIE"] = self.cookie
        for name, value in (self.extra | (headers or {})).items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        seen: dict[str, Any] = {}

        def start(status: str, given: Iterable[tuple[str, str]], exc_info: object = None) -> None:
            seen.update(status=int(status.split(maxsplit=1)[0]), headers=dict(given))

        chunks = self.app.wsgi_app(environ, start)  # type: ignore[arg-type]
        try:
            text = b"".join(chunks).decode("utf-8", "replace")
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return Answer(seen["status"], seen["headers"], text)


def cookie_of(app: Flask, content: dict[str, Any], name: str) -> str:
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return f"{name}={serializer.dumps(content)}"


def nobody(app: Flask) -> Browser:
    return Browser(app)


def guest_of(app: Flask, *stays: Reservation) -> Browser:
    held = [[stay.code, stay.link_version] for stay in stays]
    return Browser(app, cookie_of(app, {"stays": held}, "guest"))


def staff_of(app: Flask, deps: Deps, role: str) -> Browser:
    token = staff_sessions.start(deps, hire(deps, role))
    return Browser(app, cookie_of(app, {"token": token}, "staff"))
