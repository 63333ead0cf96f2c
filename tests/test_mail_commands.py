"""Commands that send a guest's private link."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from portal import cli
from portal.models import OutgoingMail, Reservation
from tests.actors import rows
from tests.mailbox import Mailbox, text_of

Make = Callable[..., Reservation]
STAY = {
    "room": "Garden room",
    "guest_name": "Inês Carvalho",
    "email": "ines@carvalho.example",
    "check_in": "2030-12-18",
    "check_out": "2030-12-21",
    "lines": [{"label": "Room", "amount": 56_700}],
}


@pytest.fixture
def mails_on(command_environment: None, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in mailbox.settings.items():
        monkeypatch.setenv(name, value)


def add(monkeypatch: pytest.MonkeyPatch, **more: Any) -> int:
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps({**STAY, **more})))
    return cli.main(["reservation", "add", "--json"])


@pytest.mark.usefixtures("mails_on")
def test_a_new_guest_gets_the_link_from_the_worker(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(monkeypatch, send_link=True) == 0
    answer = capsys.readouterr()
    assert answer.err == ""
    assert mailbox.taken == []
    assert cli.main(["worker", "--once"]) == 0
    (mail,) = mailbox.taken
    assert json.loads(answer.out)["link"] in text_of(mail)


@pytest.mark.usefixtures("mails_on")
def test_no_link_is_sent_unasked_and_each_time_that_it_is_asked_for(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add(monkeypatch)
    assert rows(OutgoingMail) == []
    (reservation,) = rows(Reservation)
    for _ in range(2):
        assert cli.main(["link", reservation.code, "--send"]) == 0
    cli.main(["worker", "--once"])
    assert len(mailbox.taken) == 2
    assert "/l/" in capsys.readouterr().out


@pytest.mark.usefixtures("command_environment")
def test_without_a_mail_server_staff_are_told_that_it_waits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(monkeypatch, send_link=True) == 0
    assert "SMTP_URL is not set" in capsys.readouterr().err
    (mail,) = rows(OutgoingMail)
    assert mail.sent_at is None


@pytest.mark.usefixtures("command_environment")
def test_send_link_is_true_or_false(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(monkeypatch, send_link="yes") == 1
    assert "send_link must be true or false" in capsys.readouterr().err
