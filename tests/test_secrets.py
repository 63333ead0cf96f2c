"""Stripe's secrets are changed while the portal runs: nobody restarts anything, and a mistake leaves the old ones."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from structlog.testing import capture_logs

from portal import create_app, logs
from portal.deps import Deps
from portal.gateways import secrets_gateway, stripe_secrets
from portal.gateways.stripe_gateway import ApiKeyRefused
from portal.gateways.stripe_secrets import StripeSecrets
from portal.models import Reservation
from portal.services import sweeps
from portal.settings import Settings, SettingsError
from stripe_simulator import Control
from tests.actors import Clock, Guest, LivePortal
from tests.conftest import QUICK
from tests.processes import wait_until
from tests.web.conftest import Sender

OLD, NEW = "whsec_of_last_year", "whsec_of_this_year"
OLD_KEY, NEW_KEY = "sk_test_of_last_year", "sk_test_of_this_year"
PREFIX = "/booking/prod"
GOOD = {"SECRET_KEY": "0123456789abcdef0123456789abcdef", "PUBLIC_BASE_URL": "https://pay.hotel.example"}


@dataclass
class Folder:
    """Two files with secrets, as an operator or a secret store writes them: whole, by putting a new one in its place."""

    path: Path

    def write(self, name: str, text: str) -> None:
        new = self.path / f"{name}.new"
        new.write_text(text + "\n")
        new.replace(self.path / name)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "STRIPE_SECRET_KEY_FILE": str(self.path / "key"),
            "STRIPE_WEBHOOK_SECRET_FILE": str(self.path / "webhook"),
        }


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write("key", OLD_KEY)
    folder.write("webhook", OLD)
    return folder


@pytest.fixture(autouse=True)
def log_of_warnings() -> None:
    """Other tests may have left a log of errors alone."""
    logs.configure("console")


@pytest.fixture
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FILES_EVERY", "SSM_EVERY", "SSM_AGAIN"):
        monkeypatch.setattr(stripe_secrets, name, 0.0)


@pytest.fixture
def with_files(settings: Settings, deps: Deps, folder: Folder, clock: Clock, looks_at_once: None) -> Deps:
    """The parts of a portal whose secrets lie in files."""
    given = {**GOOD, "DATABASE_URL": settings.database_url, "STRIPE_API_BASE": settings.stripe_api_base}
    return Deps.build(Settings.from_environ({**given, **folder.environment}), QUICK, clock.now)


def served(deps: Deps) -> Any:
    def make(url: str) -> Any:
        settings = replace(deps.settings, public_base_url=url)
        return create_app(settings, replace(deps, settings=settings))

    return LivePortal.serve(make)


def event(clock: Clock, number: int) -> bytes:
    """Of a kind that has no effect here."""
    shape = {"object": "event", "type": "balance.available", "livemode": False, "data": {"object": {"object": "x"}}}
    return json.dumps({"id": f"evt_{number}", "created": int(clock.now().timestamp()), **shape}).encode()


def accepted(send: Sender, clock: Clock) -> set[str]:
    """Which of the two secrets gets a message in."""
    return {secret for secret in (OLD, NEW) if send(event(clock, 1), secret=secret).status_code == 200}


def test_the_webhooks_secret_is_rotated_without_a_restart(with_files: Deps, folder: Folder, clock: Clock) -> None:
    with served(with_files) as portal:
        send = Sender(f"{portal.url}/webhooks/stripe", clock)
        assert accepted(send, clock) == {OLD}
        folder.write("webhook", f"{NEW}, {OLD}")
        assert accepted(send, clock) == {OLD, NEW}
        folder.write("webhook", NEW)
        assert accepted(send, clock) == {NEW}


@pytest.mark.parametrize("mistake", ["", "whsec", "sk_test_by_mistake", f"{NEW},secret", "gone", "unreadable", "bytes"])
def test_a_file_that_became_wrong_leaves_the_old_secret(mistake: str, folder: Folder, looks_at_once: None) -> None:
    secrets = StripeSecrets(Settings.from_environ({**GOOD, **folder.environment}))
    file = folder.path / "webhook"
    if mistake == "gone":
        file.unlink()
    elif mistake == "unreadable":
        file.unlink()
        file.mkdir()
    elif mistake == "bytes":
        file.write_bytes(b"\xff\xfe")
    else:
        folder.write("webhook", mistake)
    with capture_logs() as told:
        assert [secrets.webhook_secrets() for _ in range(3)] == [(OLD,)] * 3
    assert [line["event"] for line in told] == ["secrets not renewed"], "told once, not at every look"
    assert "whsec_of" not in str(told)
    if file.is_dir():
        file.rmdir()
    folder.write("webhook", NEW)
    assert secrets.webhook_secrets() == (NEW,)


@pytest.mark.parametrize("other", ["sk_live_of_the_other_mode", "rk_live_x", "pk_test_x", "whsec_x", "sk_test_a\nb"])
def test_a_key_of_the_other_mode_is_never_taken_over(other: str, folder: Folder, looks_at_once: None) -> None:
    secrets = StripeSecrets(Settings.from_environ({**GOOD, **folder.environment}))
    folder.write("key", other)
    assert secrets.secret_key() == OLD_KEY
    folder.write("key", NEW_KEY)
    assert secrets.secret_key() == NEW_KEY


def test_nothing_but_an_sk_test_key_goes_to_a_simulator(folder: Folder, looks_at_once: None) -> None:
    environ = {**GOOD, **folder.environment, "STRIPE_API_BASE": "http://127.0.0.1:9"}
    secrets = StripeSecrets(Settings.from_environ(environ))
    folder.write("key", "rk_test_restricted")
    assert secrets.secret_key() == OLD_KEY


def test_files_are_looked_at_every_few_seconds_and_not_at_every_event(folder: Folder) -> None:
    seconds = [100.0]
    secrets = StripeSecrets(Settings.from_environ({**GOOD, **folder.environment}), lambda: seconds[0])
    folder.write("webhook", NEW)
    seconds[0] += stripe_secrets.FILES_EVERY - 0.1
    assert secrets.webhook_secrets() == (OLD,)
    seconds[0] += 0.2
    assert secrets.webhook_secrets() == (NEW,)


def test_secrets_in_the_environment_stay_as_they_are(deps: Deps) -> None:
    assert deps.secrets is None
    assert deps.webhook_secrets() == deps.settings.stripe_webhook_secrets


def test_the_key_is_rotated_under_the_portal_and_its_worker(
    with_files: Deps,
    folder: Folder,
    stripe: Control,
    make_reservation: Callable[..., Reservation],
    clock: Clock,
) -> None:
    stripe.accept_only(OLD_KEY)
    with served(with_files) as portal:
        guest = Guest(portal.url, with_files)
        reservation = make_reservation()
        guest.opens_link(reservation)
        first = guest.presses_pay()
        stripe.accept_only(NEW_KEY)
        guest.opens_link(reservation)
        guest.presses_pay_in_vain()
        folder.write("key", NEW_KEY)
        guest.opens_link(reservation)
        assert guest.presses_pay() == first, "the same session, asked for with the new key"
    clock.advance(minutes=3)
    assert sweeps.ask_live_payments(with_files) == 1
    stripe.accept_only(OLD_KEY)
    with pytest.raises(ApiKeyRefused):
        with_files.stripe.get_session(first.rsplit("/", 1)[-1])


# AWS SSM ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """AWS, played on this machine: nothing leaves it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield boto3.client("ssm")


def put(ssm: Any, name: str, value: str, kind: str = "SecureString", prefix: str = PREFIX) -> None:
    ssm.put_parameter(Name=f"{prefix}/stripe/{name}", Value=value, Type=kind, Overwrite=True)


@pytest.fixture
def parameters(ssm: Any) -> Any:
    put(ssm, "secret_key", OLD_KEY)
    put(ssm, "publishable_key", "pk_test_1")
    put(ssm, "webhook_secret", OLD)
    put(ssm, "of_somebody_else", "x")
    put(ssm, "secret_key", "sk_test_of_another_house", prefix="/booking/test")
    return ssm


def refusals(**environ: str) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ({**GOOD, "SSM_PREFIX": PREFIX, **environ})
    return str(refused.value)


def test_the_three_secrets_come_from_ssm(parameters: Any) -> None:
    settings = Settings.from_environ({**GOOD, "SSM_PREFIX": PREFIX})
    assert settings.stripe_secret_key == OLD_KEY
    assert settings.stripe_webhook_secrets == (OLD,)
    assert OLD_KEY not in repr(settings)


def test_a_webhooks_secret_may_be_missing_there_as_in_the_environment(ssm: Any) -> None:
    put(ssm, "secret_key", OLD_KEY)
    assert Settings.from_environ({**GOOD, "SSM_PREFIX": PREFIX}).stripe_webhook_secrets == ()


@pytest.mark.parametrize("name", ["STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET_FILE"])
def test_secrets_from_two_places_are_refused(name: str, parameters: Any) -> None:
    assert refusals(**{name: "x"}) == f"SSM_PREFIX and {name.removesuffix('_FILE')} are both set; keep one."


@pytest.mark.parametrize("prefix", ["booking", "/", "/booking/", "//x", "/a b", "/a/*"])
def test_a_prefix_that_cannot_be_one_is_refused(prefix: str) -> None:
    assert "SSM_PREFIX must be" in refusals(SSM_PREFIX=prefix)


def test_each_reason_why_ssm_does_not_help_is_one_sentence(ssm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusals() == "SSM_PREFIX: AWS has no parameter /booking/prod/stripe/secret_key."
    put(ssm, "secret_key", OLD_KEY, kind="String")
    assert (
        refusals()
        == "The parameter /booking/prod/stripe/secret_key must be a SecureString; at AWS it lies in the clear."
    )
    ssm.delete_parameter(Name=f"{PREFIX}/stripe/secret_key")
    put(ssm, "secret_key", "whsec_1")
    assert refusals().startswith("STRIPE_SECRET_KEY must be a secret or restricted key")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "(NoRegionError)" in refusals()


def test_an_aws_that_does_not_answer_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    assert "(EndpointConnectionError)" in refusals()


def test_without_boto3_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    assert refusals() == "SSM_PREFIX needs boto3: pip install --require-hashes -r requirements-ssm.txt"


def test_secrets_in_ssm_are_asked_for_every_few_minutes_and_not_waited_for(parameters: Any) -> None:
    seconds = [100.0]
    secrets = StripeSecrets(Settings.from_environ({**GOOD, "SSM_PREFIX": PREFIX}), lambda: seconds[0])
    put(parameters, "secret_key", NEW_KEY)
    put(parameters, "webhook_secret", f"{NEW},{OLD}")
    assert (secrets.secret_key(), secrets.webhook_secrets()) == (OLD_KEY, (OLD,))
    seconds[0] += stripe_secrets.SSM_EVERY + 1
    wait_until(lambda: secrets.secret_key() == NEW_KEY, "the new key holds")
    wait_until(lambda: secrets.webhook_secrets() == (NEW, OLD), "both secrets hold")


def test_while_ssm_is_away_the_last_secrets_go_on_being_used(parameters: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [100.0]
    secrets = StripeSecrets(Settings.from_environ({**GOOD, "SSM_PREFIX": PREFIX}), lambda: seconds[0])

    def tells(number: int) -> None:
        """Waits until it has looked again and has told of so many mistakes."""
        with capture_logs() as told:
            secrets.webhook_secrets()
            wait_until(lambda: len(told) == number, "it is told")
        assert {line["event"] for line in told} == {"secrets not renewed"}
        assert (secrets.secret_key(), secrets.webhook_secrets()) == (OLD_KEY, (OLD,))

    with monkeypatch.context() as trouble:
        trouble.setattr(secrets_gateway, "_ask", _is_away)
        seconds[0] += stripe_secrets.SSM_EVERY + 1
        tells(1)
    put(parameters, "secret_key", "sk_live_other_mode")
    parameters.delete_parameter(Name=f"{PREFIX}/stripe/webhook_secret")
    seconds[0] += stripe_secrets.SSM_AGAIN + 1
    tells(2)
    put(parameters, "webhook_secret", NEW)
    seconds[0] += stripe_secrets.SSM_EVERY + 1
    wait_until(lambda: secrets.webhook_secrets() == (NEW,), "what is right is taken over")
    assert secrets.secret_key() == OLD_KEY


def _is_away(path: str) -> Iterator[Any]:
    raise secrets_gateway.SecretsUnavailable("AWS is away.")
