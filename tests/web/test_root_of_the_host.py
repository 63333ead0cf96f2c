"""The portal lies at the root of its host, whatever a visitor says."""

import socket
from urllib.parse import urlsplit

from tests.conftest import Serve


def test_no_header_of_a_visitor_moves_the_links_of_a_page(serve_with_gunicorn: Serve) -> None:
    _, url = serve_with_gunicorn(WEB_WORKERS="1")
    port = urlsplit(url).port or 0
    plain = asked(port, "")
    assert '"/staff/forgot"' in plain
    assert asked(port, "SCRIPT_NAME: /staff\r\n") == plain
    assert asked(port, "PATH_INFO: /healthz\r\n") == plain


def asked(port: int, header: str) -> str:
    """The page where staff sign in, without what is new each time."""
    with socket.create_connection(("127.0.0.1", port), 20) as browser:
        browser.sendall(
            f"GET /staff/sign-in HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{header}Connection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: browser.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 "), head
    return "\n".join(line for line in body.splitlines() if "csrf_token" not in line)
