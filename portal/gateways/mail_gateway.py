"""The mail server: one letter at a time, our own errors, never inside a transaction."""

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from portal.db import must_not_be_in_transaction
from portal.settings import SmtpServer

PATIENCE = 20.0
"""Seconds for the connection, and for every single answer."""

ALTOGETHER = 3
"""Times that patience, and a conversation is cut off: a server that drips a byte at a time would hold up all jobs."""

_SERVER_WIDE = (421, 454, 530, 534, 535, 538)
"""Codes that speak of the server or of our password, whatever the command was (RFC 5321, RFC 4954)."""


class MailError(Exception):
    """`code` is a class name or the server's own number; never an address, a password or a text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MailUnavailable(MailError):
    """The server cannot be used now, for any mail: try later, however long it takes."""


class MailServerRefusesUs(MailUnavailable):
    """It does not take our password, our sender or a connection without TLS: somebody has to change a setting."""


class MailDeferred(MailError):
    """The server is there but does not want this mail now: try later, a few times."""


class MailRefused(MailError):
    """The server will never take this mail for this address."""


@dataclass(frozen=True)
class Attachment:
    """A text file that travels with a mail."""

    filename: str
    subtype: str
    """Of text/…"""
    content: bytes


@dataclass(frozen=True)
class Letter:
    """One mail. `message_id` is the same at every try, so that a repeated one can be known as such."""

    message_id: str
    sender: Address
    to: str
    subject: str
    text: str
    html: str
    language: str
    date: datetime
    reply_to: str = ""
    attachments: tuple[Attachment, ...] = ()


class MailGateway:
    """Hands letters to the server in SMTP_URL. `tls` is for a server with a certificate of its own."""

    def __init__(
        self,
        server: SmtpServer | None,
        helo: str = "",
        *,
        patience: float = PATIENCE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server, self._helo, self._patience, self._tls = server, helo, patience, tls

    @property
    def is_on(self) -> bool:
        """Whether there is a server to hand letters to."""
        return self._server is not None

    def send(self, letter: Letter) -> None:
        """Returns once the server has taken the letter. MailUnavailable, MailDeferred or MailRefused otherwise;
        MailUnavailable may also mean that it was taken and the answer was lost."""
        must_not_be_in_transaction()
        if self._server is None:
            raise MailUnavailable("no server")
        try:
            message = compose(letter)
        except ValueError:
            raise MailRefused("bad header") from None
        with _our_errors(), self._connect(self._server) as smtp:
            _hand_over(smtp, message, letter)

    def check(self) -> None:
        """Connect and sign in as for a letter, and leave again. MailUnavailable or MailServerRefusesUs."""
        if self._server is not None:
            with _our_errors(), self._connect(self._server):
                pass

    @contextmanager
    def _connect(self, server: SmtpServer) -> Iterator[smtplib.SMTP]:
        helo = self._helo if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", self._helo) else "[127.0.0.1]"
        tls = self._tls or ssl.create_default_context()
        smtp = (
            _BoundedTls(server.host, server.port, helo, timeout=self._patience, context=tls)
            if server.security == "tls"
            else _Bounded(server.host, server.port, helo, timeout=self._patience)
        )
        try:
            if server.security == "starttls":
                smtp.starttls(context=tls)  # raises when the server does not offer it: never goes on without
            if server.user:
                smtp.login(server.user, server.password)
            smtp.ehlo_or_helo_if_needed()  # half a greeting passes for a whole one: only an answer shows it is there
            yield smtp
        finally:
            _leave(smtp)


class _CutOff:
    """Ends a conversation that takes too long altogether, however often the server says something."""

    timeout: float
    sock: socket.socket | None = None
    _alarm: threading.Timer | None = None

    def connect(self, *where: Any, **more: Any) -> Any:
        self._alarm = threading.Timer(ALTOGETHER * self.timeout, self._cut)
        self._alarm.daemon = True
        self._alarm.start()
        return super().connect(*where, **more)  # type: ignore[misc]  # of the library's class beside this one

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        super().close()  # type: ignore[misc]

    def _cut(self) -> None:
        if self.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # under TLS too: whoever reads then gets an error


class _Bounded(_CutOff, smtplib.SMTP):
    pass


class _BoundedTls(_CutOff, smtplib.SMTP_SSL):
    pass


def compose(letter: Letter) -> EmailMessage:
    """The message with its headers. A line break in any of them is a ValueError: nothing can be smuggled in. A
    `reply_to` that is no address is left out."""
    message = EmailMessage(policy=SMTP)
    message["From"] = letter.sender
    message["To"] = _address(letter.to)
    message["Subject"] = letter.subject
    message["Date"] = letter.date
    message["Message-ID"] = letter.message_id
    with suppress(ValueError):
        message["Reply-To"] = _address(letter.reply_to)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office programs do not answer it
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    for file in letter.attachments:
        message.add_attachment(
            file.content, "text", file.subtype, filename=file.filename, params={"charset": "utf-8"}, cte="base64"
        )
    message["Content-Language"] = letter.language  # last: what sets a content clears such headers
    return message


def _address(text: str) -> Address:
    """With the domain in its ASCII form, which every server takes."""
    local, _, domain = text.rpartition("@")
    try:
        address = Address(username=local, domain=domain.encode("idna").decode() if not domain.isascii() else domain)
    except UnicodeError:
        raise ValueError("not a mail address") from None
    if not local or not domain or re.search(r"[\s<>,;:\x00-\x1f\x7f]", text):
        raise ValueError("not a mail address")
    return address


def _hand_over(smtp: smtplib.SMTP, message: EmailMessage, letter: Letter) -> None:
    try:
        smtp.send_message(message, letter.sender.addr_spec, _address(letter.to).addr_spec)
    except smtplib.SMTPNotSupportedError:
        raise MailRefused("SMTPUTF8") from None  # an address with letters that this server cannot write
    except smtplib.SMTPRecipientsRefused as error:
        ((code, _),) = error.recipients.values()
        raise _of_code(code) from None
    except smtplib.SMTPDataError as error:
        raise _of_code(error.smtp_code) from None


def _of_code(code: int) -> MailError:
    if code in _SERVER_WIDE:
        return MailUnavailable(str(code)) if code < 500 else MailServerRefusesUs(str(code))
    return MailRefused(str(code)) if code >= 500 else MailDeferred(str(code))


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused) as error:
        if error.smtp_code < 500:
            raise MailUnavailable(str(error.smtp_code)) from None
        raise MailServerRefusesUs(str(error.smtp_code)) from None
    except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
        raise MailServerRefusesUs(type(error).__name__) from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailUnavailable(type(error).__name__) from None


def _leave(smtp: smtplib.SMTP) -> None:
    """What the server says to a good-bye changes nothing."""
    try:
        smtp.quit()
    except (smtplib.SMTPException, OSError):
        smtp.close()
