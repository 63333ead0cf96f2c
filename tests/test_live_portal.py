"""The server that the stories run on keeps nothing open when a browser goes away."""

import socket
import struct
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import Flask, Response

from tests.actors import LivePortal, read_whole

MUCH = [b"x" * 65536] * 400


class Body:
    """Much more than a socket takes at once."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        return iter(MUCH)

    def close(self) -> None:
        self.closed.set()


def test_a_body_is_closed_when_the_browser_goes_away() -> None:
    body = Body()

    def make_app(url: str) -> Flask:
        app = Flask(__name__)
        app.add_url_rule("/much", view_func=lambda: Response(body, direct_passthrough=True))  # type: ignore[arg-type]
        return app

    with LivePortal.serve(make_app) as portal:
        with socket.create_connection(("127.0.0.1", urlsplit(portal.url).port or 0)) as browser:
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # goes with a reset
            browser.sendall(b"GET /much HTTP/1.1\r\nHost: here\r\n\r\n")
            browser.recv(1)
        assert body.closed.wait(5)


def test_a_body_is_closed_before_any_of_it_is_sent() -> None:
    body = Body()
    whole = read_whole(lambda environ, respond: body)({}, lambda *_: lambda data: None)  # type: ignore[arg-type]
    assert body.closed.is_set()
    assert b"".join(whole) == b"".join(MUCH)
