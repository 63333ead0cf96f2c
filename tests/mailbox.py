"""A mail server for the tests: speaks real SMTP, keeps what it took, and refuses what a test tells it to."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.postgres import free_port

SENDER = "stay@limoeiro.example"
STAFF = "desk@limoeiro.example"


@dataclass
class Mailbox:
    """`recipients` and `data` hold the answers to give instead of taking a mail: "550 no such user"."""

    port: int = field(default_factory=free_port)
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    recipients: str = ""
    data: str = ""
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    _controller: Controller | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What the portal's environment says about mails."""
        return {
            "SMTP_URL": f"smtp://127.0.0.1:{self.port}",
            "MAIL_FROM": f"Casa do Limoeiro <{SENDER}>",
            "STAFF_MAIL_TO": STAFF,
        }

    def start(self) -> None:
        options: dict[str, Any] = {}
        if self.tls:
            options |= {"tls_context": self.tls, "require_starttls": True}
        if self.login:
            options |= {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": bool(self.tls)}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        self._controller.start()

    def stop(self) -> None:
        """From now on nobody answers; `start` again and the same address does."""
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.taken]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipients:
            return self.recipients
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data:
            return self.data
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.taken.append(mail)
        self.envelopes.append((str(envelope.mail_from), list(envelope.rcpt_tos)))
        return "250 OK"

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login, handled=False)


def text_of(mail: EmailMessage) -> str:
    """The plain text that people read."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())
