"""The demo's mailbox: takes real mail, and shows it so that nothing in it can do anything."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
import requests

from demo_mailbox import Server, start
from tests.postgres import free_port


@pytest.fixture
def smtp_port() -> int:
    return free_port()


@pytest.fixture
def server(smtp_port: int) -> Iterator[Server]:
    running = start(smtp_port, 0)
    yield running
    running.stop()


def hand_in(port: int, **parts: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "stay@hotel.example", "ines@mail.example", parts.get("subject", "Olá")
    mail.set_content(parts.get("text", "Três noites"))
    if "html" in parts:
        mail.add_alternative(parts["html"], subtype="html")
    if "file" in parts:
        mail.add_attachment(parts["file"].encode(), "text", "calendar", filename='st"ay.ics')
    with smtplib.SMTP("127.0.0.1", port, "[127.0.0.1]", timeout=5) as smtp:
        smtp.send_message(mail)


def get(server: Server, path: str = "") -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    return session.get(server.url + path, timeout=5)


def test_mails_are_listed_the_newest_first(server: Server, smtp_port: int) -> None:
    assert "No mails yet." in get(server).text
    hand_in(smtp_port, subject="First")
    hand_in(smtp_port, subject="<b>Second</b>")
    text = get(server).text
    assert text.index("&lt;b&gt;Second") < text.index("First")


def test_a_mail_can_do_nothing(server: Server, smtp_port: int) -> None:
    hand_in(smtp_port, text="<script>", html="<script>alert(1)</script><img src=https://evil.example/x>")
    page, body = get(server, "mails/1"), get(server, "mails/1/html")
    assert "&lt;script&gt;" in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    policy = body.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert "allow-same-origin" not in policy


def test_files_are_only_for_keeping(server: Server, smtp_port: int) -> None:
    hand_in(smtp_port, file="BEGIN:VCALENDAR")
    answer = get(server, "mails/1/files/0")
    assert answer.text == "BEGIN:VCALENDAR"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert '"' not in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["mails/7", "mails/1/files/3", "mails/1/html", "mails/x"])
def test_what_is_not_there(server: Server, smtp_port: int, path: str) -> None:
    hand_in(smtp_port)
    assert get(server, path).status_code == 404
