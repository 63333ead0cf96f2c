"""Settings about mails: what is read, and what is refused, in one sentence each."""

import pytest

from portal.settings import Settings, SettingsError, SmtpServer

BASE = {
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "PUBLIC_BASE_URL": "https://pay.hotel.example",
    "STRIPE_SECRET_KEY": "sk_test_of_the_tests",
}
FROM = {"MAIL_FROM": "stay@hotel.example"}


def read(**more: str) -> Settings:
    return Settings.from_environ({**BASE, **more})


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://portal:p%40ss@mail.example", SmtpServer("mail.example", 587, "starttls", "portal", "p@ss")),
        ("smtp://portal:pw@127.0.0.1:2525", SmtpServer("127.0.0.1", 2525, "starttls", "portal", "pw")),
        ("smtps://portal:pw@mail.example", SmtpServer("mail.example", 465, "tls", "portal", "pw")),
        ("smtp://mail.example:25", SmtpServer("mail.example", 25, "starttls")),
        ("smtp://mail.example:25?tls=none", SmtpServer("mail.example", 25, "none")),
        ("smtp://127.0.0.1:1025", SmtpServer("127.0.0.1", 1025, "none")),
        ("smtp://localhost:25?starttls=required", SmtpServer("localhost", 25, "starttls")),
        ("smtp://portal:pw@localhost:25?tls=none", SmtpServer("localhost", 25, "none", "portal", "pw")),
    ],
)
def test_a_server(url: str, server: SmtpServer) -> None:
    settings = read(SMTP_URL=url, **FROM)
    assert settings.smtp == server
    assert settings.mail_is_on
    assert "pw" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:99999",
        "smtp://mail.example/path",
        "smtp://portal@mail.example",
        "smtp://:pw@mail.example",
        "smtp://portal:p%C3%B6pw@mail.example",
        "smtp://mail.example?tls=maybe",
        "smtps://mail.example?tls=none",
        "smtp://portal:pw@mail.example?tls=none",
    ],
)
def test_a_server_that_is_refused(url: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(SMTP_URL=url, **FROM)
    (problem,) = raised.value.problems
    assert problem.startswith("SMTP_URL ")
    assert "pw" not in problem


def test_mails_are_off_without_a_server_and_need_a_sender_with_one() -> None:
    assert not read().mail_is_on
    with pytest.raises(SettingsError, match=r"^MAIL_FROM must be set"):
        read(SMTP_URL="smtp://127.0.0.1:1025")


def test_the_sender() -> None:
    sender = read(MAIL_FROM="Casa do Limoeiro <stay@hotel.example>").mail_from
    assert sender is not None
    assert (sender.display_name, sender.addr_spec) == ("Casa do Limoeiro", "stay@hotel.example")
    for bad in ("Casa", "a@b.example, c@d.example", "Casa <stay@hotel.example>\nBcc: x@y.example"):
        with pytest.raises(SettingsError, match="MAIL_FROM"):
            read(MAIL_FROM=bad)


def test_staff() -> None:
    assert read(STAFF_MAIL_TO="a@b.example, c@d.example").staff_mail_to == ("a@b.example", "c@d.example")
    with pytest.raises(SettingsError, match="STAFF_MAIL_TO"):
        read(STAFF_MAIL_TO="a@b.example, desk")
