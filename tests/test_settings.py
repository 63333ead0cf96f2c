"""Settings: what is unsafe or contradictory is refused at the start, in one sentence each."""

import re
from pathlib import Path

import pytest

from portal.settings import Settings, SettingsError

GOOD = {
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "PUBLIC_BASE_URL": "https://pay.hotel.example",
    "STRIPE_SECRET_KEY": "sk_test_123456",
}
NEW_KEY = "fedcba9876543210fedcba9876543210"


def refusals(**changes: str) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ({**GOOD, **changes})
    return str(refused.value)


def test_three_settings_are_enough() -> None:
    settings = Settings.from_environ(GOOD)
    assert settings.database_url == "sqlite:///var/portal.db"
    assert settings.stripe_webhook_secrets == ()
    assert settings.checkout_origins == ("https://checkout.stripe.com",)
    assert (settings.livemode, settings.https, settings.public_host) == (False, True, "pay.hotel.example")


def test_origins_are_written_as_browsers_write_them() -> None:
    more = {"RETURN_URL_ORIGINS": "https://WWW.hotel.example/, http://127.0.0.1:9"}
    assert Settings.from_environ({**GOOD, **more}).return_url_origins == (
        "https://www.hotel.example",
        "http://127.0.0.1:9",
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite://relative"}, "DATABASE_URL"),
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "at least 32"),
        ({"SECRET_KEY": GOOD["SECRET_KEY"] + ",short"}, "at least 32"),
        ({"PUBLIC_BASE_URL": ""}, "PUBLIC_BASE_URL"),
        ({"PUBLIC_BASE_URL": "http://hotel.example"}, "https://"),
        ({"PUBLIC_BASE_URL": "https://hotel.example/portal"}, "without a path"),
        ({"PUBLIC_BASE_URL": "https://hotel.example:port"}, "PUBLIC_BASE_URL"),
        ({"PUBLIC_BASE_URL": "javascript://x"}, "PUBLIC_BASE_URL"),
        ({"STRIPE_SECRET_KEY": "pk_test_1"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_PUBLISHABLE_KEY": "pk_live_1"}, "different modes"),
        ({"STRIPE_WEBHOOK_SECRET": "secret"}, "whsec_"),
        ({"STRIPE_API_BASE": "https://stripe.evil.example"}, "only point to this machine"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:1", "STRIPE_SECRET_KEY": "sk_live_1"}, "needs an sk_test_ key"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:1", "STRIPE_SECRET_KEY": "rk_test_1"}, "needs an sk_test_ key"),
        ({"STRIPE_CHECKOUT_HOSTS": "https://pay.example/x"}, "host names"),
        ({"RETURN_URL_ORIGINS": "https://www.hotel.example/back"}, "without a path"),
        ({"RETURN_URL_ORIGINS": "https://www.hotel.example,http://hotel.example"}, "RETURN_URL_ORIGINS"),
        ({"RETURN_URL_ORIGINS": "*"}, "RETURN_URL_ORIGINS"),
        ({"METRICS_TOKEN": "short"}, "at least 16"),
        ({"METRICS_TOKEN": "sixteen letters é"}, "METRICS_TOKEN"),
        ({"PROXY_COUNT": "-1"}, "PROXY_COUNT"),
        ({"PROXY_COUNT": "²"}, "PROXY_COUNT"),
        ({"PROXY_COUNT": "99"}, "PROXY_COUNT"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
        ({"DATABASE_URL": "sqlite:///"}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL"),
        ({"SECRET_KEY": "x" * 31}, "at least 32"),
        ({"PUBLIC_BASE_URL": "https://hotel.example?x"}, "without a path"),
        ({"PUBLIC_BASE_URL": "https://hotel.example#x"}, "without a path"),
        ({"PUBLIC_BASE_URL": "https://pay@hotel.example"}, "without a path"),
        ({"PUBLIC_BASE_URL": "https://"}, "PUBLIC_BASE_URL"),
        ({"PUBLIC_BASE_URL": "hotel.example"}, "PUBLIC_BASE_URL"),
        ({"PUBLIC_BASE_URL": "https://[::1"}, "PUBLIC_BASE_URL"),
        ({"PUBLIC_BASE_URL": "http://127.0.0.2"}, "https://"),
        ({"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "whsec_1"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_PUBLISHABLE_KEY": "pk_test_1"}, "different modes"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_1,secret"}, "whsec_"),
        ({"STRIPE_API_BASE": "https://api.stripe.com.evil.example"}, "only point to this machine"),
        ({"STRIPE_API_BASE": "https://127.0.0.1@evil.example"}, "only point to this machine"),
        ({"STRIPE_API_BASE": "http://127.0.0.1.evil.example"}, "only point to this machine"),
        ({"STRIPE_API_BASE": "http://api.stripe.com"}, "only point to this machine"),
        ({"STRIPE_API_BASE": "ftp://127.0.0.1"}, "only point to this machine"),
        ({"STRIPE_API_BASE": "127.0.0.1:12111"}, "only point to this machine"),
        ({"STRIPE_API_BASE": "http://localhost:1", "STRIPE_SECRET_KEY": "rk_live_1"}, "needs an sk_test_ key"),
        ({"STRIPE_CHECKOUT_HOSTS": "pay.example; script-src *"}, "host names"),
        ({"STRIPE_CHECKOUT_HOSTS": "pay.example evil.example"}, "host names"),
        ({"STRIPE_CHECKOUT_HOSTS": "*"}, "host names"),
        ({"STRIPE_CHECKOUT_HOSTS": "pay.example,'self'"}, "host names"),
        ({"STRIPE_CHECKOUT_HOSTS": "user@pay.example"}, "host names"),
        ({"PROXY_COUNT": "6"}, "PROXY_COUNT"),
        ({"PROXY_COUNT": "1.0"}, "PROXY_COUNT"),
        ({"SECRET_KEY": "x" * 64}, "must be random"),
        ({"SECRET_KEY": "abcdefghij" * 5}, "must be random"),
        ({"SECRET_KEY": "change-me-1234567890-abcdefghijklmn"}, "must be random"),
        ({"SECRET_KEY": "Your Secret Key is 32 characters or more"}, "must be random"),
        ({"SECRET_KEY": GOOD["SECRET_KEY"] + "," + "ab" * 20}, "must be random"),
        ({"STRIPE_SECRET_KEY": "sk_test_…"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "sk_test_"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "sk_test_1 sk_test_2"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_PUBLISHABLE_KEY": "sk_test_1"}, "publishable key"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_…"}, "whsec_"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_"}, "whsec_"),
        (
            {"STRIPE_SECRET_KEY": "sk_live_1", "PUBLIC_BASE_URL": "http://127.0.0.1:8000"},
            "with a live STRIPE_SECRET_KEY",
        ),
        ({"STRIPE_SECRET_KEY": "rk_live_1", "PUBLIC_BASE_URL": "https://localhost"}, "with a live STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "PUBLIC_BASE_URL": "http://hotel.example"}, "https://"),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "RETURN_URL_ORIGINS": "http://127.0.0.1:9"}, "RETURN_URL_ORIGINS"),
        ({"PUBLIC_BASE_URL": "https://0.0.0.0"}, "PUBLIC_BASE_URL"),
        ({"PUBLIC_BASE_URL": "https://*.hotel.example"}, "PUBLIC_BASE_URL"),
        ({"PUBLIC_BASE_URL": "https://pay.hotel.example, https://x"}, "PUBLIC_BASE_URL"),
        ({"METRICS_TOKEN": GOOD["SECRET_KEY"]}, "METRICS_TOKEN must not be"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(changes: dict[str, str], says: str) -> None:
    assert says in refusals(**changes)


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("https://pay.hotel.example/", "https://pay.hotel.example"),
        ("HTTPS://Pay.Hotel.Example", "https://pay.hotel.example"),
        (" https://pay.hotel.example:8443 ", "https://pay.hotel.example:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_portals_own_address_is_kept_as_browsers_write_it(written: str, base: str) -> None:
    settings = Settings.from_environ({**GOOD, "PUBLIC_BASE_URL": written})
    assert settings.public_base_url == base
    assert settings.https == base.startswith("https://")


def test_a_hosts_own_payment_domain_is_allowed_instead_of_stripes() -> None:
    settings = Settings.from_environ({**GOOD, "STRIPE_CHECKOUT_HOSTS": "pay.hotel.example, checkout.stripe.com"})
    assert settings.checkout_origins == ("https://pay.hotel.example", "https://checkout.stripe.com")


@pytest.mark.parametrize(
    ("key", "live"), [("sk_test_1", False), ("rk_test_1", False), ("sk_live_1", True), ("rk_live_1", True)]
)
def test_the_key_says_whether_money_is_real(key: str, live: bool) -> None:
    assert Settings.from_environ({**GOOD, "STRIPE_SECRET_KEY": key}).livemode is live


def test_what_is_only_spaces_is_not_set_and_old_names_of_postgresql_are_understood() -> None:
    settings = Settings.from_environ({**GOOD, "DATABASE_URL": " ", "LOG_FORMAT": "  ", "STRIPE_WEBHOOK_SECRET": " , "})
    assert (settings.database_url, settings.log_format) == ("sqlite:///var/portal.db", "console")
    assert settings.stripe_webhook_secrets == ()
    url = Settings.from_environ({**GOOD, "DATABASE_URL": "postgres://u:p@db/x"}).database_url
    assert url == "postgresql://u:p@db/x"


def test_no_refusal_repeats_the_value_it_refuses() -> None:
    secret = "hunter2hunter2"
    names = (
        "DATABASE_URL",
        "SECRET_KEY",
        "PUBLIC_BASE_URL",
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "STRIPE_API_BASE",
    )
    text = refusals(**dict.fromkeys(names, secret), SMTP_URL=f"smtp://u:{secret}")
    assert all(name in text for name in names)
    assert secret not in text


def test_all_problems_are_told_at_once() -> None:
    text = refusals(SECRET_KEY="", PUBLIC_BASE_URL="", LOG_FORMAT="xml")
    assert [name in text for name in ("SECRET_KEY", "PUBLIC_BASE_URL", "LOG_FORMAT")] == [True, True, True]


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"STRIPE_SECRET_KEY": "sk_live_9z8y7x", "PUBLIC_BASE_URL": "http://127.0.0.1:8000"}, 1),
        ({"STRIPE_SECRET_KEY": "sk_test_9z8y7x and more"}, 1),
        ({"SECRET_KEY": "x" * 40, "METRICS_TOKEN": "x" * 40}, 2),
        ({"SECRET_KEY_FILE": "/nowhere"}, 2),
        ({"STRIPE_SECRET_KEY": "", "STRIPE_SECRET_KEY_FILE": "/nowhere", "STRIPE_API_BASE": "http://127.0.0.1:1"}, 3),
    ],
)
def test_each_problem_is_told_once_and_without_the_value(changes: dict[str, str], number: int) -> None:
    text = refusals(**changes)
    assert len(text.split("\n")) == len(set(text.split("\n"))) == number, text
    assert not [word for word in ("9z8y7x", "x" * 40, "/nowhere") if word in text]


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk_test_of_the_file\n")
    environ = {**GOOD, "STRIPE_SECRET_KEY": "", "STRIPE_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert Settings.from_environ(environ).stripe_secret_key == "sk_test_of_the_file"
    assert "both set" in refusals(STRIPE_SECRET_KEY_FILE=str(tmp_path / "key"))
    assert "cannot be read" in refusals(STRIPE_WEBHOOK_SECRET_FILE=str(tmp_path / "nothing"))
    assert "cannot be read" in refusals(STRIPE_WEBHOOK_SECRET_FILE=str(tmp_path))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert "cannot be read" in refusals(STRIPE_WEBHOOK_SECRET_FILE=str(tmp_path / "bytes"))
    (tmp_path / "empty").write_text("\n")
    assert "at least 32" in refusals(SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "empty"))


def test_every_secret_may_be_in_a_file(tmp_path: Path) -> None:
    values = {**GOOD, "DATABASE_URL": "postgresql://u:p@db/x", "STRIPE_WEBHOOK_SECRET": "whsec_1"}
    environ = {}
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
        environ[f"{name}_FILE"] = str(tmp_path / name)
    assert Settings.from_environ(environ) == Settings.from_environ(values)


def test_while_secrets_are_rotated_several_hold() -> None:
    settings = Settings.from_environ(
        {**GOOD, "STRIPE_WEBHOOK_SECRET": "whsec_new, whsec_old", "SECRET_KEY": f"{NEW_KEY},{GOOD['SECRET_KEY']}"}
    )
    assert settings.stripe_webhook_secrets == ("whsec_new", "whsec_old")
    assert settings.secret_keys == (NEW_KEY, GOOD["SECRET_KEY"])


def test_the_simulator_may_be_paid_at_only_when_it_is_in_use() -> None:
    settings = Settings.from_environ({**GOOD, "STRIPE_API_BASE": "http://127.0.0.1:12111"})
    assert settings.checkout_origins == ("https://checkout.stripe.com", "http://127.0.0.1:12111")


def test_no_secret_shows_when_settings_are_printed() -> None:
    secrets = {
        "STRIPE_WEBHOOK_SECRET": "whsec_very_secret",
        "DATABASE_URL": "postgresql://portal:hunter2@db.example/portal",
        "SMTP_URL": "smtps://portal:hunter2@mail.example",
        "MAIL_FROM": "stay@hotel.example",
    }
    shown = repr(Settings.from_environ({**GOOD, **secrets}))
    assert "hunter2" not in shown
    assert "whsec_" not in shown
    assert "sk_test_" not in shown
    assert GOOD["SECRET_KEY"] not in shown


def test_the_example_names_every_setting_and_no_other() -> None:
    root = Path(__file__).parent.parent
    code = (root / "portal/settings.py").read_text() + (root / "gunicorn.conf.py").read_text()
    read = set(re.findall(r"(?:get|get_list|environ\.get)\(\"([A-Z][A-Z_]+)\"", code))
    listed = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", (root / ".env.example").read_text(), re.M))
    assert listed == read
