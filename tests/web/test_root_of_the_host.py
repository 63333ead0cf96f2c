"""The portal lies at the root of its host, whatever a visitor says."""

import socket
from pathlib import Path

from portal.deps import Deps
from tests import processes
from tests.postgres import free_port


def test_no_header_of_a_visitor_moves_the_links_of_a_page(database: str, deps: Deps, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "DATABASE_URL": database,
        "SECRET_KEY": deps.settings.secret_keys[0],
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "STRIPE_SECRET_KEY": deps.settings.stripe_secret_key,
        "STRIPE_API_BASE": deps.settings.stripe_api_base,
        "BIND": f"127.0.0.1:{port}",
        "WEB_WORKERS": "1",
    }
    process = processes.start("portal", ["-m", "gunicorn", "wsgi:app"], environment, tmp_path)
    try:
        processes.wait_until_up(process, f"http://127.0.0.1:{port}/healthz")
        plain = asked(port, "")
        assert '"/staff/forgot"' in plain
        assert asked(port, "SCRIPT_NAME: /staff\r\n") == plain
        assert asked(port, "PATH_INFO: /healthz\r\n") == plain
    finally:
        process.kill()


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
