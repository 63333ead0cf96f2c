"""What is wrong with a set-up, told apart, each with what to do. Looks only: nothing is changed or sent, and no finding
holds a secret or a name."""

import shutil
import stat
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import peewee

from portal import db, migrations
from portal.db import DatabaseBusy, transaction
from portal.deps import Deps
from portal.gateways.mail_gateway import MailError, MailServerRefusesUs
from portal.gateways.stripe_gateway import API_VERSION, ApiKeyRefused, StripeError
from portal.gateways.stripe_seen import EndpointSeen, StripeSeen
from portal.models import Cursor, Room, Staff
from portal.services import alerts, health, hotels, restored
from portal.services.webhook_events import HANDLERS
from portal.settings import LOOPBACK

SKEW_TO_TELL, SKEW_TO_STOP = timedelta(seconds=60), timedelta(seconds=240)
"""Stripe's signatures hold for 300 seconds either way."""

LITTLE_ROOM, NO_ROOM = 500 * 2**20, 50 * 2**20
"""Bytes left on the database's disk."""


@dataclass(frozen=True)
class Finding:
    """`level`: ok, warning or problem. `check` is a word for programs."""

    check: str
    level: str
    what: str
    do: str = ""


def ok(check: str, what: str) -> Finding:
    return Finding(check, "ok", what)


def warning(check: str, what: str, do: str) -> Finding:
    return Finding(check, "warning", what, do)


def problem(check: str, what: str, do: str) -> Finding:
    return Finding(check, "problem", what, do)


def examine(deps: Deps, *, offline: bool = False) -> list[Finding]:
    """Everything that can be looked at. Where the database cannot be used, what needs it is left out."""
    found = [ok("settings", "can be read"), *_proxies(deps)]
    in_database = _database(deps)
    found += in_database
    if all(one.level != "problem" for one in in_database):
        with db.connection():
            found += [*_house(), *_conditions(deps), *_attention()]
    return found if offline else [*found, *_stripe(deps), *_mail(deps)]


def examine_environment(misspelt: list[tuple[str, str]], files: list[tuple[str, Path]]) -> list[Finding]:
    """What no setting can tell of itself: names that are none of ours, files that everybody can read."""
    found = [
        warning("settings", f"{name} is not a setting", f"Was {meant} meant? Otherwise take it out.")
        for name, meant in misspelt
    ]
    for name, file in files:
        try:
            open_to_all = bool(file.stat().st_mode & stat.S_IROTH)
        except OSError:
            continue  # that it cannot be read is told already
        if open_to_all:
            found.append(warning("secret files", f"everybody can read the file of {name}", f"chmod o-r {file}"))
    return found


def _proxies(deps: Deps) -> Iterator[Finding]:
    if deps.settings.https and not deps.settings.proxy_count:
        yield warning(
            "proxies",
            "the address is https, but no proxy is counted on",
            "If a web server in front does https, set PROXY_COUNT=1: otherwise all visitors share one limit.",
        )


def _database(deps: Deps) -> list[Finding]:
    file = _file_of(deps)
    if file is not None and not file.exists():  # to open it would make it
        return [problem("schema", "there is no database yet", "python -m portal migrate")]
    try:
        return [*_disk(deps), *_schema(deps)]
    except DatabaseBusy as error:
        return [problem("database", f"cannot be used ({error})", "Check DATABASE_URL, and that the server is running.")]
    except (peewee.PeeweeException, OSError) as error:
        return [problem("database", f"cannot be used ({type(error).__name__})", "Check DATABASE_URL and its rights.")]


def _file_of(deps: Deps) -> Path | None:
    """SQLite's file; None on PostgreSQL."""
    url = deps.settings.database_url
    return Path(url.removeprefix("sqlite:///")).absolute() if url.startswith("sqlite:///") else None


def _disk(deps: Deps) -> Iterator[Finding]:
    file = _file_of(deps)
    if file is None:
        return
    left = shutil.disk_usage(file.parent).free
    if left < LITTLE_ROOM:
        tell = problem if left < NO_ROOM else warning
        yield tell(
            "disk", f"{left // 2**20} MB are left beside the database", "Make room: nothing can be stored without."
        )


def _schema(deps: Deps) -> Iterator[Finding]:
    if migrations.pending():
        yield problem("schema", "the database is not up to date", "python -m portal migrate")
        return
    if newer := migrations.unknown():
        yield problem("schema", f"the database was used by a newer version ({newer[-1]})", "Install that version.")
        return
    with db.connection():
        with transaction():  # changes no row, but needs the right to
            Cursor.update(value=Cursor.value).where(Cursor.name == "no such cursor").execute()
        used_with = hotels.get_hotel().stripe_livemode
    if used_with is not None and used_with != deps.settings.livemode:
        mode = "live" if used_with else "test"
        yield problem("mode", f"the database holds {mode} payments, the key is of the other mode", f"Use a {mode} key.")
    yield ok("database", "can be read and written, and its schema is this version's")


def _house() -> Iterator[Finding]:
    hotel = hotels.get_hotel()
    try:
        zoneinfo.ZoneInfo(hotel.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        yield problem("time zone", f"there is no data for {hotel.timezone}", "Install tzdata, or set another zone.")
    if not Room.select().exists():
        yield warning("rooms", "there is no room yet", 'python -m portal room add "Garden room"')
    if not Staff.select().where((Staff.role == "manager") & Staff.disabled_at.is_null()).exists():
        yield warning("staff", "nobody can sign in as a manager", "python -m portal staff add EMAIL --role manager")
    if restored.is_unreconciled():
        yield problem(
            "backup", "this is a restored backup that was not reconciled", "python -m portal reconcile --since TIME"
        )


def _conditions(deps: Deps) -> Iterator[Finding]:
    for condition in health.conditions(deps):
        since = f", last {condition.since:%Y-%m-%d %H:%M} UTC" if condition.since else ""
        yield problem(condition.name, f"{condition.title}{since}".lower(), condition.do)


def _attention() -> Iterator[Finding]:
    count = len(list(alerts.open_alerts()))
    if count:
        yield warning("attention", f"{count} lines need a person", "python -m portal alerts, or the staff pages")


def _stripe(deps: Deps) -> Iterator[Finding]:
    try:
        seen = deps.stripe.for_one_request().look_around()
    except ApiKeyRefused as error:
        yield problem("stripe", f"refuses the API key ({error.code})", "Check STRIPE_SECRET_KEY in Stripe's dashboard.")
        return
    except StripeError as error:
        yield problem("stripe", f"cannot be asked ({error.code})", "Check the network, and status.stripe.com.")
        return
    yield ok("stripe", "takes the API key")
    yield from _clock(deps, seen)
    yield from _endpoint(deps, seen)


def _clock(deps: Deps, seen: StripeSeen) -> Iterator[Finding]:
    skew = abs(deps.now() - seen.at) if seen.at else timedelta()
    if skew > SKEW_TO_TELL:
        tell = problem if skew > SKEW_TO_STOP else warning
        yield tell(
            "clock",
            f"this machine's clock is {int(skew.total_seconds())} seconds off",
            "Switch time synchronisation on: Stripe's messages are refused beyond 300 seconds.",
        )


def _endpoint(deps: Deps, seen: StripeSeen) -> Iterator[Finding]:
    if not deps.webhook_secrets():
        yield warning(
            "webhook",
            "no STRIPE_WEBHOOK_SECRET is set, so messages are refused",
            "Payments are found by asking, but later. Add the endpoint in Stripe's dashboard, and its secret here.",
        )
        return
    base = deps.settings.public_base_url
    if deps.settings.public_host in LOOPBACK and not any(base in endpoint.url for endpoint in seen.endpoints):
        yield ok("webhook", "this machine cannot be reached from outside; stripe listen passes messages on")
        return
    address = f"{base}/webhooks/stripe"
    ours = [endpoint for endpoint in seen.endpoints if endpoint.url == address]
    if not ours:
        yield problem("webhook", "Stripe has no endpoint with our address", f"Add {address} in Stripe's dashboard.")
        return
    yield from _wrong_with(ours[0]) or (ok("webhook", "Stripe sends its messages here"),)


def _wrong_with(endpoint: EndpointSeen) -> list[Finding]:
    missing = sorted(set(HANDLERS) - endpoint.events) if "*" not in endpoint.events else []
    found = []
    if not endpoint.is_enabled:
        found.append(problem("webhook", "the endpoint is disabled", "Enable it in Stripe's dashboard."))
    if missing:
        found.append(problem("webhook", "the endpoint lacks events", f"Add to it: {', '.join(missing)}."))
    if endpoint.api_version not in (None, API_VERSION):
        text = f"the endpoint speaks API version {endpoint.api_version}"
        found.append(warning("webhook", text, f"Make one with {API_VERSION}."))
    return found


def _mail(deps: Deps) -> Iterator[Finding]:
    if not deps.mail.is_on:
        yield warning("mail", "no SMTP_URL is set, so mails wait", "Set SMTP_URL and MAIL_FROM.")
        return
    try:
        deps.mail.check()
    except MailServerRefusesUs as error:
        yield problem("mail", f"the server refuses us ({error.code})", "Check the user, password and TLS in SMTP_URL.")
    except MailError as error:
        yield problem("mail", f"the server cannot be reached ({error.code})", "Check host and port in SMTP_URL.")
    else:
        yield ok("mail", "the server lets us in")
