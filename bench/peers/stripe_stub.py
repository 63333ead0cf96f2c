"""Stripe's API for dj-stripe, which asks for each session again although the message holds it: answers at once.

Run with a port and a file with the session of a message; `PLACE` in it stands for the id that is asked for."""

import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path

PLACE = "cs_of_the_stub"
ACCOUNT = b'{"id": "acct_of_the_bench", "object": "account", "settings": {}, "type": "standard"}'


class Stub(BaseHTTPRequestHandler):
    """Kept-alive connections; each answer is one write, so that no half waits for the receipt of the other."""

    protocol_version = "HTTP/1.1"
    session = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/v1/account":
            self._answer(200, ACCOUNT)
        elif path.startswith("/v1/checkout/sessions/"):
            self._answer(200, self.session.replace(PLACE, path.rpartition("/")[2]).encode())
        else:
            self._answer(404, b'{"error": {"message": "the stub has no such thing"}}')

    def _answer(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


if __name__ == "__main__":
    Stub.session = Path(sys.argv[2]).read_text(encoding="utf-8")
    Server(("127.0.0.1", int(sys.argv[1])), Stub).serve_forever()
