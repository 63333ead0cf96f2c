"""Limits on guessing and on hammering, counted in the database so that all web processes share them."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from portal.db import must_be_in_transaction, transaction
from portal.deps import Deps
from portal.models import RateBucket


@dataclass(frozen=True)
class Limit:
    """At most `most` hits of one subject within a window of `window`."""

    name: str
    most: int
    window: timedelta


MISSED_LOOK_UPS_OF_ADDRESS = Limit("look-up by address", 10, timedelta(minutes=15))
MISSED_LOOK_UPS_OF_CODE = Limit("look-up by code", 5, timedelta(hours=1))
BAD_LINKS_OF_ADDRESS = Limit("bad link by address", 20, timedelta(minutes=15))
LINKS_OF_ADDRESS = Limit("links by address", 5, timedelta(minutes=15))
LINKS_OF_EMAIL = Limit("links by e-mail", 3, timedelta(hours=1))
PAYS_OF_RESERVATION = Limit("pay", 20, timedelta(minutes=1))
BAD_TOKENS_OF_ADDRESS = Limit("bad API token by address", 20, timedelta(minutes=15))
CALLS_OF_TOKEN = Limit("API calls of a token", 300, timedelta(minutes=1))
CALLS_OF_GUEST = Limit("API calls of a guest", 60, timedelta(minutes=1))


def hit(deps: Deps, limit: Limit, subject: str) -> bool:
    """Count one hit; False when it is over the limit. Exact under any number of processes."""
    with transaction():
        return hit_inside(deps, limit, subject)


def hit_inside(deps: Deps, limit: Limit, subject: str) -> bool:
    """The same within the caller's transaction."""
    must_be_in_transaction()
    rows = (
        RateBucket.insert(key=_key(deps, limit, subject), window_start=_window_start(limit, deps.now()), hits=1)
        .on_conflict(
            conflict_target=[RateBucket.key, RateBucket.window_start],
            update={RateBucket.hits: RateBucket.hits + 1},
        )
        .returning(RateBucket.hits)
        .execute()
    )
    return bool(next(iter(rows)).hits <= limit.most)


def take_back(deps: Deps, limit: Limit, subject: str) -> None:
    """Uncount one hit: it was not a miss after all."""
    with transaction():
        RateBucket.update(hits=RateBucket.hits - 1).where(
            (RateBucket.key == _key(deps, limit, subject))
            & (RateBucket.window_start == _window_start(limit, deps.now()))
            & (RateBucket.hits > 0)
        ).execute()


def subject_of_address(address: str) -> str:
    """One visitor: an IPv4 address, or the /64 network that an IPv6 visitor has to himself."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    # A server that listens on [::] sees IPv4 visitors as ::ffff:203.0.113.9: all of them in one /64.
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def forget_old(deps: Deps) -> int:
    """Delete windows that are over; how many."""
    with transaction():
        return int(RateBucket.delete().where(RateBucket.window_start < deps.now() - timedelta(days=1)).execute())


def _window_start(limit: Limit, now: datetime) -> datetime:
    seconds = int(limit.window.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def _key(deps: Deps, limit: Limit, subject: str) -> str:
    """A keyed hash: the table holds no address and no code."""
    text = f"{limit.name}\0{subject}".encode()
    return hmac.new(deps.settings.secret_keys[0].encode(), text, hashlib.sha256).hexdigest()
