"""The door to the mail server: TLS, passwords, headers, and what its answers mean."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path

import pytest

from portal.gateways.mail_gateway import (
    Letter,
    MailDeferred,
    MailGateway,
    MailRefused,
    MailServerRefusesUs,
    MailUnavailable,
)
from portal.settings import SmtpServer
from tests.mailbox import Mailbox, text_of

LETTER = Letter(
    message_id="<one@limoeiro.example>",
    sender=Address("Casa do Limoeiro", addr_spec="stay@limoeiro.example"),
    to="ines@carvalho.example",
    subject="Olá",
    text="Três noites, €657.00\n",
    html="<p>Três noites</p>",
    language="en-GB",
    date=datetime(2026, 11, 23, 18, 0, tzinfo=UTC),
    reply_to="desk@limoeiro.example",
)
LOGIN = ("portal", "p@ss:word")

Open = Callable[..., Mailbox]


@pytest.fixture
def opened() -> Iterator[Open]:
    boxes: list[Mailbox] = []

    def start(**how: object) -> Mailbox:
        box = Mailbox(**how)  # type: ignore[arg-type]
        box.start()
        boxes.append(box)
        return box

    yield start
    for box in boxes:
        box.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of 127.0.0.1, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    folder = tmp_path_factory.mktemp("tls")
    key, file = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(file)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return file, key


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def trusting(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate[0]))


def plain(box: Mailbox) -> MailGateway:
    return MailGateway(SmtpServer("127.0.0.1", box.port, "none"))


def test_a_letter_arrives_as_it_was_written(opened: Open) -> None:
    box = opened()
    plain(box).send(LETTER)
    (mail,) = box.taken
    assert mail["Subject"] == "Olá"
    assert mail["From"] == "Casa do Limoeiro <stay@limoeiro.example>"
    assert mail["Message-ID"] == LETTER.message_id
    assert mail["Date"].datetime == LETTER.date
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "en-GB"
    assert text_of(mail) == LETTER.text
    assert mail.get_content_type() == "multipart/alternative"


def test_starttls_and_a_password(opened: Open, tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    box = opened(tls=tls, login=LOGIN)
    MailGateway(SmtpServer("127.0.0.1", box.port, "starttls", *LOGIN), tls=trusting).send(LETTER)
    assert len(box.taken) == 1


def test_a_wrong_password_needs_a_person(opened: Open, tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    box = opened(tls=tls, login=LOGIN)
    server = SmtpServer("127.0.0.1", box.port, "starttls", "portal", "wrong")
    with pytest.raises(MailServerRefusesUs, match="535"):
        MailGateway(server, tls=trusting).send(LETTER)


def test_a_certificate_that_nobody_vouches_for_is_refused(opened: Open, tls: ssl.SSLContext) -> None:
    box = opened(tls=tls)
    with pytest.raises(MailServerRefusesUs):
        MailGateway(SmtpServer("127.0.0.1", box.port, "starttls")).send(LETTER)
    assert box.taken == []


def test_without_the_tls_that_is_required_nothing_is_sent(opened: Open) -> None:
    box = opened()
    with pytest.raises(MailServerRefusesUs):
        MailGateway(SmtpServer("127.0.0.1", box.port, "starttls", *LOGIN)).send(LETTER)
    assert box.taken == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 no such user", MailRefused),
        ("552 too large", MailRefused),
        ("450 mailbox busy", MailDeferred),
        ("452 mailbox full", MailDeferred),
        ("530 authentication required", MailServerRefusesUs),
        ("421 closing down", MailUnavailable),
    ],
)
@pytest.mark.parametrize("where", ["recipients", "data"])
def test_what_the_servers_answers_mean(opened: Open, where: str, answer: str, error: type[Exception]) -> None:
    box = opened(**{where: answer})
    with pytest.raises(error) as raised:
        plain(box).send(LETTER)
    assert type(raised.value) is error
    assert str(raised.value) in (answer[:3], "SMTPServerDisconnected")
    assert box.taken == []


def test_nobody_there() -> None:
    with pytest.raises(MailUnavailable):
        plain(Mailbox()).send(LETTER)
    with pytest.raises(MailUnavailable):
        MailGateway(None).send(LETTER)


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: all@example.org"},
        {"subject": "Hello\nBcc: all@example.org"},
        {"to": "a@b.example\r\nBcc: all@example.org"},
        {"to": "a@b.example, all@example.org"},
        {"to": "<a@b.example> <c@d.example>"},
        {"to": "nobody"},
        {"to": ""},
        {"to": "@"},
        {"message_id": "<a@b>\r\nBcc: all@example.org"},
    ],
)
def test_nothing_is_smuggled_into_the_headers(opened: Open, changes: dict[str, str]) -> None:
    box = opened()
    with pytest.raises(MailRefused):
        plain(box).send(replace(LETTER, **changes))  # type: ignore[arg-type]
    assert box.taken == []


def test_a_reply_address_that_is_none_is_left_out(opened: Open) -> None:
    box = opened()
    for junk in ("", "call us", "a@b.example\nBcc: all@example.org"):
        plain(box).send(replace(LETTER, reply_to=junk))
    assert [mail["Reply-To"] for mail in box.taken] == [None] * 3
    assert [mail["Bcc"] for mail in box.taken] == [None] * 3


def test_domains_and_names_in_other_alphabets(opened: Open) -> None:
    box = opened()
    sender = Address("Café Ñandú, Lda. <x>", addr_spec="stay@limoeiro.example")
    plain(box).send(replace(LETTER, to="ana@bücher.example", sender=sender))
    assert box.envelopes == [("stay@limoeiro.example", ["ana@xn--bcher-kva.example"])]
    assert box.taken[0]["From"].addresses[0].display_name == sender.display_name


@pytest.mark.parametrize("with_tls", [False, True])
def test_a_server_that_drips_is_given_up(with_tls: bool, tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    """Each byte comes within our patience, so only the time altogether can end it. Left alone, it would take the mail."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = threading.Thread(target=_drip, args=(listening, tls if with_tls else None))
        served.start()
        server = SmtpServer("127.0.0.1", listening.getsockname()[1], "tls" if with_tls else "none")
        with pytest.raises(MailUnavailable):
            MailGateway(server, patience=0.3, tls=trusting).check()
        served.join()


def _drip(listening: socket.socket, tls: ssl.SSLContext | None) -> None:
    """A greeting that takes 4 seconds, then an ordinary conversation."""
    raw, _ = listening.accept()
    with suppress(OSError), tls.wrap_socket(raw, server_side=True) if tls else raw as connection:
        for byte in b"220 " + b"." * 76 + b"\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.05)  # it is the slowness that is tested
        while connection.recv(1000):
            connection.sendall(b"250 yes\r\n")
