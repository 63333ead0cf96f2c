"""Typed settings from the environment; the only reader of it. Unsafe or contradictory ones are refused, all at once."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from email.headerregistry import Address
from email.utils import getaddresses
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

from portal.gateways import secrets_gateway
from portal.gateways.secrets_gateway import SecretsUnavailable

LOOPBACK = ("127.0.0.1", "localhost", "::1")
STRIPE_API = "https://api.stripe.com"
STRIPE_CHECKOUT_HOST = "checkout.stripe.com"
SHORTEST_SECRET_KEY = 32
FEWEST_CHARACTERS = 8
"""Different ones in a secret key: a random one has them."""

SHORTEST_METRICS_TOKEN = 16


class SettingsError(Exception):
    """One clear sentence for each setting that cannot be used."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class SmtpServer:
    """Where mails are handed in. `security`: tls (from the first byte), starttls (required), or none."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything that differs between installations. `.env.example` describes each."""

    database_url: str = field(repr=False)
    """PostgreSQL's holds a password."""
    secret_keys: tuple[str, ...] = field(repr=False)
    """Sign cookies and links: the first signs, every one is accepted (rotation)."""
    public_base_url: str
    stripe_secret_key: str = field(repr=False)
    stripe_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """Every one is accepted, so that Stripe's can be rotated; none: the webhook refuses everything."""
    stripe_api_base: str = STRIPE_API
    checkout_origins: tuple[str, ...] = (f"https://{STRIPE_CHECKOUT_HOST}",)
    """Where guests may be sent to pay."""
    return_url_origins: tuple[str, ...] = ()
    """Where programs may let Stripe send guests back to, besides the portal itself."""
    proxy_count: int = 0
    metrics_token: str = field(default="", repr=False)
    """Opens /metrics from elsewhere; without one it answers on this machine alone."""
    log_format: str = "console"
    smtp: SmtpServer | None = None
    """None: mails wait in the queue, and no page promises one."""
    mail_from: Address | None = None
    """Its display name may be empty: then the hotel's is used."""
    staff_mail_to: tuple[str, ...] = ()
    retention_days: int = 730
    """Days after check-out until a guest's data is anonymised by itself, unless the hotel has set its own number."""
    ssm_prefix: str = ""
    """Where Stripe's secrets lie in AWS SSM; empty: they come from the environment or from files."""
    watched_files: tuple[tuple[str, Path], ...] = field(default=(), compare=False)
    """Files of settings that may change while the portal runs, with the settings' names."""

    @property
    def mail_is_on(self) -> bool:
        """Whether mails are sent, so that a page may promise one."""
        return self.smtp is not None

    @property
    def livemode(self) -> bool:
        """Whether the Stripe key moves real money."""
        return "_live_" in self.stripe_secret_key

    @property
    def https(self) -> bool:
        return self.public_base_url.startswith("https://")

    @property
    def public_host(self) -> str:
        return urlsplit(self.public_base_url).hostname or ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check everything; SettingsError names every problem at once."""
        reader = _Reader(environ)
        ssm_prefix = _ssm_prefix(reader)
        settings = cls(
            database_url=_database_url(reader),
            secret_keys=_secret_keys(reader),
            public_base_url=_public_base_url(reader),
            stripe_secret_key=_stripe_secret_key(reader),
            stripe_webhook_secrets=_webhook_secrets(reader),
            stripe_api_base=_stripe_api_base(reader),
            checkout_origins=_checkout_origins(reader),
            return_url_origins=_return_url_origins(reader),
            proxy_count=_proxy_count(reader),
            metrics_token=_metrics_token(reader),
            log_format=_log_format(reader),
            smtp=_smtp(reader),
            mail_from=_mail_from(reader),
            staff_mail_to=_staff_mail_to(reader),
            retention_days=_retention_days(reader),
            ssm_prefix=ssm_prefix,
            watched_files=tuple((name, path) for name, path in reader.files.items() if name in WATCHED),
        )
        if reader.problems:
            raise SettingsError(reader.problems)
        return settings


def environment_of_a_child(**more: str) -> dict[str, str]:
    """Our own environment and a little more, for a program that we start."""
    return {**os.environ, **more}


NAMES = (
    *("DATABASE_URL", "SECRET_KEY", "PUBLIC_BASE_URL", "STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY"),
    *("STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "STRIPE_CHECKOUT_HOSTS", "RETURN_URL_ORIGINS", "PROXY_COUNT"),
    *("SMTP_URL", "MAIL_FROM", "STAFF_MAIL_TO", "RETENTION_DAYS", "METRICS_TOKEN", "SSM_PREFIX", "LOG_FORMAT"),
)


def misspelt_names(environ: Mapping[str, str] = os.environ) -> list[tuple[str, str]]:
    """Names that look like one of ours and are none, each with the one that was probably meant."""
    known = {*NAMES, *(f"{name}_FILE" for name in NAMES)}
    odd = (name for name in sorted(environ) if name not in known and name.isupper())
    close = ((name, get_close_matches(name, known, 1, 0.85)) for name in odd)
    return [(name, found[0]) for name, found in close if found]


def secret_files(environ: Mapping[str, str] = os.environ) -> list[tuple[str, Path]]:
    """The files that settings are read from, by the settings' names."""
    return [(name, Path(file)) for name in NAMES if (file := environ.get(f"{name}_FILE"))]


class _Reader:
    """Looks names up as NAME or NAME_FILE, or among the parameters from SSM, and collects what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []
        self.files: dict[str, Path] = {}
        self.parameters: dict[str, str] = {}
        self.ssm_failed = False

    def is_set(self, name: str) -> bool:
        return bool(self.environ.get(name, "").strip() or self.environ.get(f"{name}_FILE", ""))

    def get(self, name: str, default: str = "") -> str:
        if name in self.parameters:
            return self.parameters[name]
        value, file = self.environ.get(name, ""), self.environ.get(f"{name}_FILE", "")
        if value and file:
            return self.refuse(f"{name} and {name}_FILE are both set; keep one.", default)
        if not file:
            return value.strip() or default
        self.files[name] = Path(file)
        try:
            return Path(file).read_text(encoding="utf-8").strip() or default
        except (OSError, UnicodeDecodeError) as error:
            return self.refuse(f"{name}_FILE cannot be read ({type(error).__name__}).", default)

    def get_list(self, name: str) -> tuple[str, ...]:
        return split_list(self.get(name))

    def refuse(self, problem: str, instead: str = "") -> str:
        if problem not in self.problems:
            self.problems.append(problem)
        return instead


def split_list(text: str) -> tuple[str, ...]:
    """What stands between commas, without empty parts."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


WATCHED = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
_IN_SSM = {
    "STRIPE_SECRET_KEY": "secret_key",
    "STRIPE_PUBLISHABLE_KEY": "publishable_key",
    "STRIPE_WEBHOOK_SECRET": "webhook_secret",
}


def _ssm_prefix(reader: _Reader) -> str:
    """With a prefix the reader takes Stripe's three settings from SSM."""
    prefix = reader.get("SSM_PREFIX")
    if not prefix:
        return ""
    twice = [name for name in _IN_SSM if reader.is_set(name)]
    for name in twice:
        reader.refuse(f"SSM_PREFIX and {name} are both set; keep one.")
    if not secrets_gateway.is_prefix(prefix):
        reader.refuse("SSM_PREFIX must be the beginning of the parameters' names, such as /booking/prod .")
    reader.ssm_failed = bool(reader.problems)
    if not reader.ssm_failed:
        _read_ssm(reader, prefix)
    return prefix


def _read_ssm(reader: _Reader, prefix: str) -> None:
    try:
        found = secrets_gateway.read_parameters(prefix)
    except SecretsUnavailable as error:
        reader.refuse(str(error))
        reader.ssm_failed = True
        return
    reader.parameters = {name: found.get(parameter, "") for name, parameter in _IN_SSM.items()}
    if not reader.parameters["STRIPE_SECRET_KEY"]:
        reader.refuse(f"SSM_PREFIX: AWS has no parameter {prefix}/stripe/secret_key.")
        reader.ssm_failed = True


def _database_url(reader: _Reader) -> str:
    url = reader.get("DATABASE_URL", "sqlite:///var/portal.db")
    if url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    if not url.startswith(("sqlite:///", "postgresql://")) or url in ("sqlite:///", "sqlite:///:memory:"):
        reader.refuse("DATABASE_URL must begin with sqlite:/// (a file) or postgresql:// .")
    return url


def _secret_keys(reader: _Reader) -> tuple[str, ...]:
    keys = reader.get_list("SECRET_KEY")
    if not keys or any(len(key) < SHORTEST_SECRET_KEY for key in keys):
        reader.refuse(f"SECRET_KEY must have at least {SHORTEST_SECRET_KEY} characters; {_MAKE_A_KEY}")
    elif any(_is_guessed(key) for key in keys):
        reader.refuse(f"SECRET_KEY must be random, not an example or a repeated word; {_MAKE_A_KEY}")
    return keys


_MAKE_A_KEY = 'make one with: python -c "import secrets; print(secrets.token_hex(32))"'
_EXAMPLES = ("changeme", "replaceme", "secretkey", "yoursecret", "password", "example", "insecure", "notsosecret")


def _is_guessed(key: str) -> bool:
    """Few different characters, the same few again and again, or the words that examples are written in."""
    repeats = any(key == (key[:length] * len(key))[: len(key)] for length in range(1, 13))
    words = re.sub(r"[^a-z]", "", key.lower())
    return len(set(key)) < FEWEST_CHARACTERS or repeats or any(example in words for example in _EXAMPLES)


def _public_base_url(reader: _Reader) -> str:
    origin = _origin(reader.get("PUBLIC_BASE_URL"))
    if origin is None:
        return reader.refuse(
            "PUBLIC_BASE_URL must be the portal's own address without a path, such as https://pay.hotel.example ."
        )
    if not _is_safe(origin):
        reader.refuse("PUBLIC_BASE_URL must begin with https:// (http is for this machine alone).")
    elif _is_live(reader) and (not origin.startswith("https://") or _is_here(origin)):
        reader.refuse("PUBLIC_BASE_URL must be https:// and not this machine with a live STRIPE_SECRET_KEY.")
    return origin


def _return_url_origins(reader: _Reader) -> tuple[str, ...]:
    origins = [_origin(text) for text in reader.get_list("RETURN_URL_ORIGINS")]
    if any(origin is None or not _is_safe(origin) for origin in origins):
        reader.refuse("RETURN_URL_ORIGINS must be https:// addresses without a path, with commas between them.")
    elif _is_live(reader) and any(_is_here(origin) for origin in origins if origin):
        reader.refuse("RETURN_URL_ORIGINS must not name this machine with a live STRIPE_SECRET_KEY.")
    return tuple(origin for origin in origins if origin)


def _origin(url: str) -> str | None:
    """As browsers write an origin: https://Pay.Hotel.Example/ is https://pay.hotel.example . None: it is more."""
    parts = _split(url.rstrip("/"))
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    if parts.hostname == "0.0.0.0" or not re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:.]+", parts.hostname):  # noqa: S104
        return None  # nobody can go there
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _is_safe(origin: str) -> bool:
    return origin.startswith("https://") or _is_here(origin)


def _is_here(origin: str) -> bool:
    return urlsplit(origin).hostname in LOOPBACK


def _is_live(reader: _Reader) -> bool:
    return not reader.ssm_failed and "_live_" in reader.get("STRIPE_SECRET_KEY")


def _stripe_secret_key(reader: _Reader) -> str:
    if reader.ssm_failed:
        return ""
    key = reader.get("STRIPE_SECRET_KEY")
    reader.problems += stripe_key_problems(key, _api_base(reader))
    published = reader.get("STRIPE_PUBLISHABLE_KEY")
    if published and not re.fullmatch(r"pk_(test|live)_[A-Za-z0-9_]+", published):
        reader.refuse("STRIPE_PUBLISHABLE_KEY must be a publishable key (pk_test_… or pk_live_…).")
    elif published and ("_live_" in published) != ("_live_" in key):
        reader.refuse(
            "STRIPE_SECRET_KEY and STRIPE_PUBLISHABLE_KEY are of different modes; take both live or both test."
        )
    return key


def stripe_key_problems(key: str, api_base: str) -> list[str]:
    """One sentence for each reason why this cannot be the secret key; never the key itself."""
    problems = []
    if not re.fullmatch(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+", key):
        problems.append(
            "STRIPE_SECRET_KEY must be a secret or restricted key (sk_test_…, sk_live_…, rk_test_… or rk_live_…)."
        )
    if api_base != STRIPE_API and not key.startswith("sk_test_"):
        problems.append("STRIPE_API_BASE needs an sk_test_ key: no live key is ever sent to anything but Stripe.")
    return problems


def _webhook_secrets(reader: _Reader) -> tuple[str, ...]:
    if reader.ssm_failed:
        return ()
    secrets = reader.get_list("STRIPE_WEBHOOK_SECRET")
    reader.problems += webhook_secret_problems(secrets)
    return secrets


def webhook_secret_problems(secrets: tuple[str, ...]) -> list[str]:
    """One sentence when one of them cannot be a webhook's signing secret."""
    if all(re.fullmatch(r"whsec_[\x21-\x7e]+", secret) for secret in secrets):
        return []
    return ["STRIPE_WEBHOOK_SECRET must begin with whsec_ (several, with commas, while one is being rotated)."]


def _api_base(reader: _Reader) -> str:
    return reader.get("STRIPE_API_BASE", STRIPE_API).rstrip("/")


def _stripe_api_base(reader: _Reader) -> str:
    base = _api_base(reader)
    if base == STRIPE_API:
        return base
    parts = _split(base)
    if parts is None or parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK:
        reader.refuse("STRIPE_API_BASE may only point to this machine (127.0.0.1); leave it out for Stripe itself.")
    return base


def _checkout_origins(reader: _Reader) -> tuple[str, ...]:
    """https:// for each allowed host, and the simulator's own origin when there is one."""
    hosts = reader.get_list("STRIPE_CHECKOUT_HOSTS") or (STRIPE_CHECKOUT_HOST,)
    # Nothing but a host and a port: these words go into the Content-Security-Policy.
    if any(not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", host) for host in hosts):
        reader.refuse(
            "STRIPE_CHECKOUT_HOSTS must be host names with commas between them, such as checkout.stripe.com ."
        )
    origins = tuple(f"https://{host}" for host in hosts)
    base = _split(reader.get("STRIPE_API_BASE", STRIPE_API))
    if base is not None and base.hostname in LOOPBACK:
        return (*origins, f"{base.scheme}://{base.netloc}")
    return origins


def _proxy_count(reader: _Reader) -> int:
    text = reader.get("PROXY_COUNT", "0")
    if not (text.isascii() and text.isdigit() and int(text) <= 5):
        reader.refuse("PROXY_COUNT must be the number of proxies in front of the portal, 0 to 5.")
        return 0
    return int(text)


def _metrics_token(reader: _Reader) -> str:
    token = reader.get("METRICS_TOKEN")
    if token and (len(token) < SHORTEST_METRICS_TOKEN or not (token.isascii() and token.isprintable())):
        reader.refuse(f"METRICS_TOKEN must have at least {SHORTEST_METRICS_TOKEN} plain letters, digits and signs.")
    if token and token in reader.get_list("SECRET_KEY"):
        reader.refuse("METRICS_TOKEN must not be the SECRET_KEY: whoever reads figures could sign links.")
    return token


def _log_format(reader: _Reader) -> str:
    text = reader.get("LOG_FORMAT", "console")
    if text not in ("console", "json"):
        reader.refuse("LOG_FORMAT must be console or json.")
    return text


_SMTP_URL_SHAPE = (
    "SMTP_URL must look like smtp://user:password@host:587 (STARTTLS), smtps://user:password@host:465 (TLS) or, on "
    "this machine, smtp://127.0.0.1:25 ; percent-encode special characters in the password."
)
_SMTP_OPTIONS: tuple[dict[str, str], ...] = ({}, {"tls": "none"}, {"starttls": "required"})


def _smtp(reader: _Reader) -> SmtpServer | None:
    """STARTTLS is required unless the server is on this machine and takes no password; `?tls=none` says otherwise."""
    url = reader.get("SMTP_URL")
    if not url:
        return None
    parts, options = _split(url), dict(parse_qsl(url.partition("?")[2], keep_blank_values=True))
    if parts is None or parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        reader.refuse(_SMTP_URL_SHAPE)
        return None
    if options not in _SMTP_OPTIONS or (parts.scheme == "smtps" and options):
        reader.refuse("SMTP_URL may end in ?tls=none or ?starttls=required (smtp:// only) and in nothing else.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        reader.refuse("SMTP_URL must have both a user and a password, or neither.")
    if not (user + password).isascii():
        reader.refuse("SMTP_URL must have a user and a password of plain ASCII letters, digits and signs.")
    is_here, security = parts.hostname in LOOPBACK, "tls" if parts.scheme == "smtps" else "starttls"
    if options == {"tls": "none"} or (security == "starttls" and is_here and not user and not options):
        security = "none"
    if security == "none" and user and not is_here:
        reader.refuse("SMTP_URL must not send a password without TLS; leave out ?tls=none .")
    return SmtpServer(parts.hostname, parts.port or (465 if security == "tls" else 587), security, user, password)


def _mail_from(reader: _Reader) -> Address | None:
    text = reader.get("MAIL_FROM")
    if not text:
        if reader.get("SMTP_URL"):
            reader.refuse("MAIL_FROM must be set with SMTP_URL: the address that mails come from.")
        return None
    found = getaddresses([text])
    name, address = found[0]
    if len(found) != 1 or not _is_email(address) or not text.isprintable():
        reader.refuse("MAIL_FROM must be one address, such as Casa do Limoeiro <stay@limoeiro.example> .")
        return None
    return Address(display_name=name, addr_spec=address)


def _staff_mail_to(reader: _Reader) -> tuple[str, ...]:
    addresses = reader.get_list("STAFF_MAIL_TO")
    if not all(_is_email(address) for address in addresses):
        reader.refuse("STAFF_MAIL_TO must be e-mail addresses with commas between them.")
    return addresses


def _retention_days(reader: _Reader) -> int:
    text = reader.get("RETENTION_DAYS", "730")
    if not (re.fullmatch(r"[0-9]{2,4}", text, re.ASCII) and 30 <= int(text) <= 3650):
        reader.refuse("RETENTION_DAYS must be a whole number of days, 30 to 3650.")
        return 730
    return int(text)


def _is_email(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError:
        return False
    return True


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # a bad port is only found out when it is asked for
    except ValueError:
        return None
    return parts
