"""Stripe: the only file that imports its SDK. Plain values in and out, our own errors, never inside a transaction."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import stripe
import structlog
from stripe import SignatureVerificationError, WebhookSignature

from portal import metrics, turns
from portal.db import must_not_be_in_transaction
from portal.gateways.stripe_seen import (
    DisputeSeen,
    EventSeen,
    Json,
    PaymentSeen,
    RefundSeen,
    StripeSeen,
    read_dispute,
    read_endpoint,
    read_event,
    read_intent,
    read_refund,
    read_session,
)

log = structlog.get_logger()
Seen = TypeVar("Seen")

stripe.enable_telemetry = False
stripe.log = None  # its own log would tell what is sent and answered

_answered = ContextVar[str]("_answered", default="")
"""Stripe's id of the request that was answered last within the current call."""

_answered_at = ContextVar[datetime | None]("_answered_at", default=None)
"""Stripe's clock when it answered, to the second."""

API_VERSION = str(stripe.api_version)
"""What the SDK was made for, and sends with every call."""

SIGNATURE_SKEW = timedelta(seconds=300)
"""Stripe's own tolerance for the age of a signature; the SDK does not look at timestamps from the future."""

EXPANDED = ["payment_intent.latest_charge"]
LOOK_UP_MARGIN = timedelta(minutes=10)
MOST_PAGES = 50
"""Of 100 sessions, when one is looked up by its metadata within an hour: far more than a hotel ever makes."""


class StripeError(Exception):
    """`code` is Stripe's own, `request_id` what its support asks for. Neither is shown to guests.

    `replayed`: Stripe only repeated what it had answered to the same idempotency key before, and will for a day."""

    def __init__(self, code: str, request_id: str | None = None, *, replayed: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.status: int | None = None
        """The HTTP status of Stripe's answer; None: there was none."""
        self.request_id = request_id
        self.replayed = replayed


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


class NotSigned(BadSignature):
    """It carries a signature that is not made with our secret, or not now; its body was not looked at."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for Stripe: for a connection, for an answer, and for all calls of one request together."""

    connect: float
    read: float
    retries: int
    altogether: float | None


FOR_A_REQUEST = Patience(connect=3, read=8, retries=1, altogether=20)
FOR_A_WORKER = Patience(connect=3, read=20, retries=2, altogether=None)


@dataclass(frozen=True)
class SessionOrder:
    """What a guest is asked to pay, and where Stripe sends them afterwards. `amount` in minor units."""

    portal: str
    reservation_code: str
    payment_id: str
    amount: int
    currency: str
    title: str
    description: str
    email: str
    success_url: str
    cancel_url: str
    expires_at: datetime


class _Client(stripe.RequestsClient):
    """Remembers what Stripe calls each request: it is what its support asks for."""

    def request(self, *args: Any, **more: Any) -> Any:
        answer = super().request(*args, **more)
        headers = {str(name).lower(): value for name, value in answer[2].items()}
        _answered.set(str(headers.get("request-id", "")))
        _answered_at.set(_read_date(headers.get("date")))
        return answer


class _Clients:
    """The SDK's client for the key that holds now; another one is made when the key has changed."""

    def __init__(self, api_key: str | Callable[[], str], api_base: str, patience: Patience) -> None:
        self._key, self._api_base, self._patience = api_key, api_base, patience
        self._made: tuple[str, stripe.StripeClient] | None = None

    def now(self) -> stripe.StripeClient:
        key = self._key if isinstance(self._key, str) else self._key()
        made = self._made
        if made is None or made[0] != key:
            self._made = made = key, self._make(key)
        return made[1]

    def _make(self, key: str) -> stripe.StripeClient:
        return stripe.StripeClient(
            key,
            max_network_retries=self._patience.retries,
            http_client=_Client(timeout=(self._patience.connect, self._patience.read)),
            base_addresses={"api": self._api_base},
        )


class StripeGateway:
    """One for each process; `for_one_request` starts a new allowance of time. The key may change from call to call."""

    def __init__(
        self, api_key: str | Callable[[], str], api_base: str, patience: Patience, now: Callable[[], datetime]
    ) -> None:
        self._now = now
        self._patience = patience
        self._give_up_at: float | None = None
        self._clients = _Clients(api_key, api_base, patience)

    @property
    def _client(self) -> stripe.StripeClient:
        return self._clients.now()

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
        return self._session(
            lambda: self._client.v1.checkout.sessions.retrieve(session_id, params={"expand": EXPANDED})
        )

    def close_session(self, session_id: str) -> PaymentSeen:
        """Expire the session if it is still open; then what has become of it, which may be that it was paid."""
        try:
            with self._call("expire session"):
                self._client.v1.checkout.sessions.expire(session_id)
        except StripeRefused as refusal:
            log.info("session was not open", stripe_code=refusal.code)
        return self.get_session(session_id)

    def find_session(self, payment_id: str, made_from: datetime, made_until: datetime) -> PaymentSeen | None:
        """The session with this payment's id in its metadata, among those made in that time; None: there is none."""
        created: Any = {
            "gte": int((made_from - LOOK_UP_MARGIN).timestamp()),
            "lte": int((made_until + LOOK_UP_MARGIN).timestamp()),
        }
        with self._call("list sessions"):
            page = self._client.v1.checkout.sessions.list(params={"created": created, "limit": 100})
            found = next((s.id for s in _first(page, MOST_PAGES * 100) if _names_payment(s, payment_id)), None)
        return self.get_session(found) if found else None

    def get_intent(self, payment_intent_id: str) -> PaymentSeen:
        """With its charge."""
        with self._call("payment intent"):
            params: Any = {"expand": ["latest_charge"]}
            return read_intent(
                self._client.v1.payment_intents.retrieve(payment_intent_id, params=params).to_dict(), self._now()
            )

    def create_refund(self, payment_intent_id: str, amount: int, names: Json, idempotency_key: str) -> RefundSeen:
        """Send `amount` (minor units) back to where it came from, or get the refund that the same key made before."""
        params: Any = {"payment_intent": payment_intent_id, "amount": amount, "metadata": names}
        with self._call("create refund"):
            made = self._client.v1.refunds.create(params=params, options={"idempotency_key": idempotency_key})
            return read_refund(made.to_dict(), self._now(), fresh=True)

    def look_around(self) -> StripeSeen:
        """The webhook endpoints of the account, and Stripe's clock. ApiKeyRefused also where a restricted key may not
        list them."""
        with self._call("list webhook endpoints"):
            page = self._client.v1.webhook_endpoints.list(params={"limit": 100})
            found = [read_endpoint(endpoint.to_dict()) for endpoint in _first(page, 1000)]
        return StripeSeen(found, _answered_at.get())

    def list_refunds(self, payment_intent_id: str) -> list[RefundSeen]:
        """Every refund of this payment that Stripe knows of, by whomever it was made; the oldest first."""
        with self._call("list refunds"):
            page = self._client.v1.refunds.list(params={"payment_intent": payment_intent_id, "limit": 100})
            return [read_refund(r.to_dict(), self._now(), fresh=True) for r in _first(page, 1000)][::-1]

    def sessions_since(self, since: datetime) -> Iterator[PaymentSeen]:
        """Every checkout session made since then, the newest first, each with its payment intent and charge."""
        params: Any = {
            "created": {"gte": int(since.timestamp())},
            "limit": 100,
            "expand": ["data.payment_intent.latest_charge"],
        }
        return self._all("list sessions", lambda: self._client.v1.checkout.sessions.list(params=params), read_session)

    def intents_since(self, since: datetime) -> Iterator[PaymentSeen]:
        """Every payment intent made since then, the newest first, each with its charge."""
        params: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100, "expand": ["data.latest_charge"]}
        return self._all(
            "list payment intents", lambda: self._client.v1.payment_intents.list(params=params), read_intent
        )

    def refunds_since(self, since: datetime) -> Iterator[RefundSeen]:
        """Every refund made since then, the newest first."""
        params: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        return self._all(
            "list refunds",
            lambda: self._client.v1.refunds.list(params=params),
            lambda r, at: read_refund(r, at, fresh=True),
        )

    def disputes_since(self, since: datetime) -> Iterator[DisputeSeen]:
        """Every dispute opened since then, the newest first."""
        params: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        return self._all(
            "list disputes",
            lambda: self._client.v1.disputes.list(params=params),
            lambda d, at: read_dispute(d, at, fresh=True),
        )

    def get_dispute(self, stripe_id: str) -> DisputeSeen:
        with self._call("dispute"):
            return read_dispute(self._client.v1.disputes.retrieve(stripe_id).to_dict(), self._now(), fresh=True)

    def _all(self, what: str, ask: Callable[[], Any], read: Callable[[Json, datetime], Seen]) -> Iterator[Seen]:
        """Page by page, so that a caller can settle one object before the next page is asked for."""
        with self._call(what):
            page = ask()
        while True:
            with self._call(what):
                seen = [read(thing.to_dict(), self._now()) for thing in page.data]
            yield from seen
            if not page.has_more:
                return
            with self._call(what):
                page = page.next_page()

    def _session(self, ask: Callable[[], Any]) -> PaymentSeen:
        with self._call("checkout session"):
            return read_session(ask().to_dict(), self._now())

    @contextmanager
    def _call(self, what: str) -> Iterator[None]:
        must_not_be_in_transaction()
        if self._give_up_at is not None and time.monotonic() > self._give_up_at:
            raise StripeUnavailable("out_of_time")
        started = time.monotonic()
        _answered.set("")
        try:
            with turns.paused():
                yield
        except stripe.StripeError as error:
            ours = _translate(error)
            ours.replayed, ours.status = _is_replayed(error), error.http_status
            _log_failure(what, ours, started)
            raise ours from None
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            ours = StripeUnavailable("unreadable_answer")
            _log_failure(what, ours, started)
            raise ours from error
        if _answered.get():  # what only reads a page that is here already is no call
            _log_answer(what, started)


def session_params(order: SessionOrder) -> Json:
    """What Stripe is sent to make a checkout session for exactly one sum, by card. A pure function of the order."""
    names = {"portal": order.portal, "reservation": order.reservation_code, "payment": order.payment_id}
    params: Json = {
        "mode": "payment",
        # `payment_method_types` is refused since API 2026-09-30 (docs.stripe.com/changelog/endive).
        "allowed_payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "submit_type": "book",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": order.currency.lower(),
                    "unit_amount": order.amount,
                    "product_data": {"name": order.title, "description": order.description},
                },
            }
        ],
        "client_reference_id": order.reservation_code,
        # A session's metadata is not copied to its payment intent and charge, so both carry our names.
        "metadata": names,
        "payment_intent_data": {"metadata": names, "description": order.title},
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
        "expires_at": int(order.expires_at.timestamp()),
    }
    if order.email:
        params["customer_email"] = order.email
    return params


def _read_date(text: Any) -> datetime | None:
    try:
        return parsedate_to_datetime(str(text)).astimezone(UTC)
    except ValueError:
        return None


def _names_payment(session: Any, payment_id: str) -> bool:
    return bool((session.to_dict().get("metadata") or {}).get("payment") == payment_id)


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


def _is_replayed(error: stripe.StripeError) -> bool:
    headers = {str(name).lower(): value for name, value in (error.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"


def _log_answer(what: str, started: float) -> None:
    seconds = time.monotonic() - started
    metrics.count_stripe_call(what, seconds)
    log.info("stripe call", call=what, stripe_request=_answered.get(), milliseconds=round(seconds * 1000))


def _log_failure(what: str, error: StripeError, started: float) -> None:
    """The one line about it; whoever catches the error tells what that means for the row at hand."""
    metrics.count_stripe_call(what, time.monotonic() - started, type(error).__name__)
    log.warning(
        "stripe call failed",
        call=what,
        kind=type(error).__name__,
        stripe_code=error.code,
        status=error.status,
        stripe_request=error.request_id or _answered.get() or None,
        milliseconds=round((time.monotonic() - started) * 1000),
    )


# Webhooks -----------------------------------------------------------------------------------------------------------


def parse_event(body: bytes, header: str | None, secrets: tuple[str, ...], now: datetime) -> EventSeen:
    """The event in a signed body. BadSignature for everything that is not one: wrong or no signature, a timestamp more
    than five minutes away in either direction, a body that is not an event."""
    try:
        text = body.decode("utf-8")
        _verify_or_refuse(text, header, secrets, now)
        return read_event(text, json.loads(text))
    except (
        stripe.StripeError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        # Besides its own error the SDK raises TypeError for a signature that is not ASCII.
        raise BadSignature(type(error).__name__) from None


def _verify_or_refuse(text: str, header: str | None, secrets: tuple[str, ...], now: datetime) -> None:
    """NotSigned only for what claims to be signed: anybody may send something without a signature."""
    try:
        _verify(text, header or "", secrets, now)
    except (stripe.StripeError, ValueError, TypeError) as error:
        if not header:
            raise
        raise NotSigned(type(error).__name__) from None


def parse_stored_event(raw: str) -> EventSeen:
    """An event whose signature was checked when it was received."""
    return read_event(raw, json.loads(raw))


def payload_hash(raw: str) -> str:
    """SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(raw.encode()).hexdigest()


def _verify(text: str, header: str, secrets: tuple[str, ...], now: datetime) -> None:
    # The SDK takes the first of several timestamps, however it is written ("t= 17", "t=+17"). What is looked at here
    # has to be the one that was signed, or an old message could be sent again with a fresh timestamp behind its own.
    stamps = [part.removeprefix("t=") for part in header.split(",") if part.startswith("t=")]
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0]):
        raise ValueError("timestamp")
    if abs(now - datetime.fromtimestamp(int(stamps[0]), UTC)) > SIGNATURE_SKEW:
        raise ValueError("timestamp")
    if not any(_is_signed_with(secret, text, header) for secret in secrets):
        raise ValueError("signature")


def _is_signed_with(secret: str, text: str, header: str) -> bool:
    try:
        # Without its tolerance: that reads the machine's clock, and only notices what is too old.
        return bool(WebhookSignature.verify_header(text, header, secret))
    except SignatureVerificationError:
        return False
