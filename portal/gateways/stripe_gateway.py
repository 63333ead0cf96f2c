"""Stripe: the only file that imports its SDK. Plain values in and out, our own errors, never inside a transaction."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
import structlog

from portal.db import must_not_be_in_transaction
from portal.gateways.stripe_seen import EventSeen, Json, PaymentSeen, read_event, read_session

log = structlog.get_logger()

stripe.enable_telemetry = False

SIGNATURE_SKEW = timedelta(seconds=300)
"""Stripe's own tolerance for the age of a signature; the SDK does not look at timestamps from the future."""

EXPANDED = ["payment_intent.latest_charge"]
LOOK_UP_MARGIN = timedelta(minutes=10)
MOST_PAGES = 50
"""Of 100 sessions, when one is looked up by its metadata within an hour: far more than a hotel ever makes."""


class StripeError(Exception):
    """`code` is Stripe's own, `request_id` what its support asks for. Neither is shown to guests."""

    def __init__(self, code: str, request_id: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.request_id = request_id


class StripeUnavailable(StripeError):
    """No usable answer: the call may or may not have had its effect. Repeat it with the same key, or look."""


class KeyInFlight(StripeUnavailable):
    """The same call is being answered at this moment, for another tab or process."""


class ApiKeyRefused(StripeUnavailable):
    """Stripe does not take our API key: nothing was done, and nothing will be until somebody changes it."""


class StripeRefused(StripeError):
    """Stripe said no; nothing was done."""


class ExpiresTooNear(StripeRefused):
    """`expires_at` is less than 30 minutes away: this session was never made."""


class BadSignature(Exception):
    """The message is not from Stripe, is not for us, is too old, or is not the shape of an event."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for Stripe: for a connection, for an answer, and for all calls of one request together."""

    connect: float
    read: float
    retries: int
    altogether: float | None


FOR_A_REQUEST = Patience(connect=3, read=8, retries=1, altogether=20)
FOR_A_WORKER = Patience(connect=3, read=20, retries=2, altogether=None)


class StripeGateway:
    """One for each process; `for_one_request` starts a new allowance of time."""

    def __init__(self, api_key: str, api_base: str, patience: Patience) -> None:
        self._patience = patience
        self._give_up_at: float | None = None
        self._client = stripe.StripeClient(
            api_key,
            max_network_retries=patience.retries,
            http_client=stripe.RequestsClient(timeout=(patience.connect, patience.read)),  # type: ignore[arg-type]
            base_addresses={"api": api_base},
        )

    def for_one_request(self) -> "StripeGateway":
        """The same gateway, which begins no call after `Patience.altogether` seconds from now."""
        copy = object.__new__(StripeGateway)
        copy.__dict__.update(self.__dict__)
        if self._patience.altogether is not None:
            copy._give_up_at = time.monotonic() + self._patience.altogether
        return copy

    def create_checkout_session(self, params: Json, idempotency_key: str) -> PaymentSeen:
        """Make the session, or get the one that the same key made before."""
        sessions = self._client.v1.checkout.sessions
        return self._session(lambda: sessions.create(params=params, options={"idempotency_key": idempotency_key}))  # type: ignore[arg-type]

    def get_session(self, session_id: str) -> PaymentSeen:
        """With its payment intent and charge."""
        return self._session(lambda: self._client.v1.checkout.sessions.retrieve(session_id, params={"expand": EXPANDED}))

    def close_session(self, session_id: str) -> PaymentSeen:
        """Expire the session if it is still open; then what has become of it, which may be that it was paid."""
        try:
            with self._call("expire session"):
                self._client.v1.checkout.sessions.expire(session_id)
        except StripeRefused as refusal:
            log.info("session was not open", session_id_known=True, stripe_code=refusal.code)
        return self.get_session(session_id)

    def find_session(self, payment_id: str, made_from: datetime, made_until: datetime) -> PaymentSeen | None:
        """The session that carries this payment's id in its metadata, among those made in that time; None: there is none."""
        created = {
            "gte": int((made_from - LOOK_UP_MARGIN).timestamp()),
            "lte": int((made_until + LOOK_UP_MARGIN).timestamp()),
        }
        with self._call("list sessions"):
            page = self._client.v1.checkout.sessions.list(params={"created": created, "limit": 100})  # type: ignore[typeddict-item]
            found = next((s.id for s in _first(page, MOST_PAGES * 100) if (s.to_dict().get("metadata") or {}).get("payment") == payment_id), None)
        return self.get_session(found) if found else None

    def _session(self, ask: Callable[[], Any]) -> PaymentSeen:
        with self._call("checkout session"):
            return read_session(ask().to_dict(), datetime.now(UTC))

    @contextmanager
    def _call(self, what: str) -> Iterator[None]:
        must_not_be_in_transaction()
        if self._give_up_at is not None and time.monotonic() > self._give_up_at:
            raise StripeUnavailable("out_of_time")
        started = time.monotonic()
        try:
            yield
        except stripe.StripeError as error:
            ours = _translate(error)
            _log_failure(what, ours, started)
            raise ours from None
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            ours = StripeUnavailable("unreadable_answer")
            _log_failure(what, ours, started)
            raise ours from error


def _first(page: Any, most: int) -> Iterator[Any]:
    for number, thing in enumerate(page.auto_paging_iter()):
        if number >= most:
            raise StripeUnavailable("too_many_sessions")
        yield thing


def _translate(error: stripe.StripeError) -> StripeError:
    status, request_id = error.http_status, error.request_id
    code = error.code or getattr(error.error, "type", None) or type(error).__name__
    if status == 409:
        return KeyInFlight(code, request_id)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return ApiKeyRefused(code, request_id)
    if status is None or status == 429 or status >= 500 or status < 400:
        return StripeUnavailable(code, request_id)
    if "expires_at" in (error.user_message or "") and "at least 30 minutes" in (error.user_message or ""):
        return ExpiresTooNear("expires_at_too_near", request_id)  # Stripe gives this one no code
    return StripeRefused(code, request_id)


def _log_failure(what: str, error: StripeError, started: float) -> None:
    log.warning(
        "stripe call failed",
        call=what,
        kind=type(error).__name__,
        stripe_code=error.code,
        stripe_request=error.request_id,
        milliseconds=round((time.monotonic() - started) * 1000),
    )


# Webhooks -----------------------------------------------------------------------------------------------------------


def parse_event(body: bytes, header: str | None, secrets: tuple[str, ...], now: datetime) -> EventSeen:
    """The event in a signed body. BadSignature for everything that is not one: wrong or no signature, a timestamp more
    than five minutes away in either direction, a body that is not an event."""
    try:
        text = body.decode("utf-8")
        _verify(text, header or "", secrets, now)
        return read_event(text, json.loads(text))
    except (stripe.StripeError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        # Besides its own error the SDK raises TypeError for a signature that is not ASCII.
        raise BadSignature(type(error).__name__) from None


def parse_stored_event(raw: str) -> EventSeen:
    """An event whose signature was checked when it was received."""
    return read_event(raw, json.loads(raw))


def payload_hash(raw: str) -> str:
    """SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(raw.encode()).hexdigest()


def _verify(text: str, header: str, secrets: tuple[str, ...], now: datetime) -> None:
    stamp = re.match(r"t=(\d{1,12})(?:,|$)", header) or re.search(r",t=(\d{1,12})(?:,|$)", header)
    if stamp is None or abs(now - datetime.fromtimestamp(int(stamp[1]), UTC)) > SIGNATURE_SKEW:
        raise ValueError("timestamp")
    if not any(_is_signed_with(secret, text, header) for secret in secrets):
        raise ValueError("signature")


def _is_signed_with(secret: str, text: str, header: str) -> bool:
    try:
        # Without its tolerance: that reads the machine's clock, and only notices what is too old.
        return bool(stripe.WebhookSignature.verify_header(text, header, secret))
    except stripe.SignatureVerificationError:
        return False
