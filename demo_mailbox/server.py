"""The mail server and the page, each in a thread of this process, on 127.0.0.1 alone."""

import threading
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from werkzeug.serving import WSGIRequestHandler, make_server

from demo_mailbox.mailbox import Mailbox
from demo_mailbox.pages import make_app

HOST = "127.0.0.1"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


class _Taker:
    """Takes every mail for everybody."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content or b""
        data = content.encode() if isinstance(content, str) else content
        self._mailbox.put(str(envelope.mail_from), list(envelope.rcpt_tos), data)
        return "250 OK"


class Server:
    """A running mailbox; `stop()` ends it."""

    def __init__(self, mailbox: Mailbox, smtp_port: int, port: int) -> None:
        self.mailbox = mailbox
        self._smtp = Controller(_Taker(mailbox), hostname=HOST, port=smtp_port)
        self._web = make_server(HOST, port, make_app(mailbox), threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._web.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where the mails are shown."""
        return f"http://{HOST}:{self._web.server_port}/"

    def run(self) -> None:
        """Start taking and showing; OSError when the port for mails is in use."""
        try:
            self._smtp.start()
        except BaseException:
            self._web.server_close()
            raise
        self._thread.start()

    def stop(self) -> None:
        """Stop both; the mails are gone."""
        self._smtp.stop(no_assert=True)
        self._web.shutdown()
        self._thread.join()
        self._web.server_close()


def start(smtp_port: int, port: int) -> Server:
    """Start a mailbox. The port for mails has to be a number; port 0 of the page takes any free one."""
    server = Server(Mailbox(), smtp_port, port)
    server.run()
    return server
