"""The mails that came in, the newest first, in memory alone."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

MOST_KEPT = 500


@dataclass(frozen=True)
class File:
    """One attachment."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """One mail as it was handed in: whom the envelope names, and what the message says."""

    number: int
    came_at: datetime
    envelope_from: str
    envelope_to: tuple[str, ...]
    message: EmailMessage

    def header(self, name: str) -> str:
        """Decoded; empty when it is missing."""
        return str(self.message.get(name, ""))

    @property
    def text(self) -> str | None:
        return self._body("plain")

    @property
    def html(self) -> str | None:
        return self._body("html")

    @property
    def files(self) -> list[File]:
        return [
            File(
                part.get_filename("file"),
                part.get_content_type(),
                bytes(part.get_payload(decode=True) or b""),
            )
            for part in self.message.iter_attachments()
        ]

    def _body(self, kind: str) -> str | None:
        part = self.message.get_body((kind,))
        return None if part is None else str(part.get_content())


class Mailbox:
    """Filled by the mail server's thread and read by those of the page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mails: list[Mail] = []
        self._next = 1

    def put(self, envelope_from: str, envelope_to: list[str], content: bytes) -> Mail:
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        with self._lock:
            mail = Mail(self._next, datetime.now(UTC), envelope_from, tuple(envelope_to), message)
            self._next += 1
            self._mails = [mail, *self._mails][:MOST_KEPT]
        return mail

    def all(self) -> list[Mail]:
        """The newest first."""
        with self._lock:
            return list(self._mails)

    def find(self, number: int) -> Mail | None:
        return next((mail for mail in self.all() if mail.number == number), None)
