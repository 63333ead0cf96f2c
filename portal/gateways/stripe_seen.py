"""What Stripe told us, as plain values. Its field names stop here; no decision is taken here."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]

# The kinds of message that mean something to us; the objects of others are not even read.
SESSION_EVENTS = (
    *("checkout.session.completed", "checkout.session.expired"),
    *("checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"),
)
INTENT_EVENTS = (
    *("payment_intent.created", "payment_intent.requires_action", "payment_intent.processing"),
    *("payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"),
)
REFUND_EVENTS = ("refund.created", "refund.updated", "refund.failed")
DISPUTE_EVENTS = ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed")
CHARGE_REFUNDED = "charge.refunded"


@dataclass(frozen=True)
class DeclineSeen:
    """One refused card. `key` is the charge's id: several messages may speak of the same one."""

    key: str
    code: str
    at: datetime


class Names(NamedTuple):
    """Our own names in Stripe's metadata: this installation, the reservation's code, the payment's public id."""

    portal: str = ""
    reservation: str = ""
    payment: str = ""


@dataclass(frozen=True)
class PaymentSeen:
    """What Stripe says of one checkout session or payment intent.

    `status` is one of our payment's states, or None when the source cannot tell: only a session's own answer opens a
    payment or ends it without money. Sums are minor units; `refunded` is what Stripe has given back already."""

    source: Literal["session", "intent"]
    at: datetime
    status: str | None
    amount: int
    currency: str
    livemode: bool
    names: Names
    session_id: str | None = None
    payment_intent_id: str | None = None
    charge_id: str | None = None
    refunded: int = 0
    card_brand: str | None = None
    card_last4: str | None = None
    decline: DeclineSeen | None = None
    url: str | None = None
    created: datetime | None = None


@dataclass(frozen=True)
class RefundSeen:
    """What Stripe says of one refund. `fresh`: it is Stripe's answer to our own question, not an older message.

    `refund_id` is our public id from its metadata; empty when it was made in Stripe's dashboard."""

    stripe_id: str
    payment_intent_id: str
    amount: int
    currency: str
    status: str
    at: datetime
    refund_id: str = ""
    failure_reason: str | None = None
    fresh: bool = False


@dataclass(frozen=True)
class DisputeSeen:
    """What Stripe says of one dispute; `status` in Stripe's own words, `warning_…` being a mere inquiry.

    `fresh`: it is Stripe's answer to our own question, not an older message."""

    stripe_id: str
    payment_intent_id: str
    amount: int
    currency: str
    reason: str
    status: str
    due_by: datetime | None
    at: datetime
    fresh: bool = False


@dataclass(frozen=True)
class ChargeSeen:
    """How much of a payment Stripe has given back, failed refunds not counted. Its refunds have to be asked for."""

    payment_intent_id: str
    refunded: int


@dataclass(frozen=True)
class EventSeen:
    """One message from Stripe. `about` is None for a kind of object that is no business of ours."""

    id: str
    type: str
    created: datetime
    livemode: bool
    object_id: str
    raw: str
    about: PaymentSeen | RefundSeen | DisputeSeen | ChargeSeen | None


def read_event(raw: str, event: Json) -> EventSeen:
    """KeyError or TypeError when it is not the shape of one of Stripe's snapshot events."""
    thing, created = event["data"]["object"], _instant(event["created"])
    return EventSeen(
        id=_text(event["id"]),
        type=_text(event["type"]),
        created=created,
        livemode=bool(event["livemode"]),
        object_id=str(thing.get("id", "")),
        raw=raw,
        about=_about(event["type"], thing, created),
    )


def _about(type_: str, thing: Json, at: datetime) -> PaymentSeen | RefundSeen | DisputeSeen | ChargeSeen | None:
    if type_ in SESSION_EVENTS:
        seen = read_session(thing, at)
        # A session's body has no word for it: after a delayed method failed it still says complete and unpaid.
        return replace(seen, status="failed") if type_ == "checkout.session.async_payment_failed" else seen
    if type_ in INTENT_EVENTS:
        return read_intent(thing, at)
    if type_ in DISPUTE_EVENTS:
        return read_dispute(thing, at)
    if type_ == CHARGE_REFUNDED:
        return ChargeSeen(str(thing.get("payment_intent") or ""), thing["amount_refunded"])
    return read_refund(thing, at) if type_ in REFUND_EVENTS else None


def read_refund(refund: Json, at: datetime, *, fresh: bool = False) -> RefundSeen:
    return RefundSeen(
        stripe_id=_text(refund["id"]),
        payment_intent_id=str(refund.get("payment_intent") or ""),
        amount=refund["amount"],
        currency=refund["currency"].upper(),
        status=refund.get("status") or "pending",
        at=at,
        refund_id=str((refund.get("metadata") or {}).get("refund", "")),
        failure_reason=refund.get("failure_reason"),
        fresh=fresh,
    )


def read_dispute(dispute: Json, at: datetime, *, fresh: bool = False) -> DisputeSeen:
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    return DisputeSeen(
        stripe_id=_text(dispute["id"]),
        payment_intent_id=str(dispute.get("payment_intent") or ""),
        amount=dispute["amount"],
        currency=dispute["currency"].upper(),
        reason=str(dispute.get("reason") or ""),
        status=_text(dispute["status"]),
        due_by=_instant(due_by) if due_by else None,
        at=at,
        fresh=fresh,
    )


def read_session(session: Json, at: datetime) -> PaymentSeen:
    """A checkout session, its payment intent expanded or not."""
    intent = session.get("payment_intent")
    inner = intent if isinstance(intent, dict) else None
    seen = PaymentSeen(
        source="session",
        at=at,
        status=_session_status(session, inner),
        amount=session["amount_total"] or 0,
        currency=(
            session["currency"] or ""
        ).upper(),  # null where nothing is to be paid: another program's set-up session
        livemode=session["livemode"],
        names=_names(session),
        session_id=_text(session["id"]),
        payment_intent_id=inner["id"] if inner else intent,
        url=session.get("url"),
        created=_instant(session["created"]),
    )
    return _with_intent(seen, inner) if inner else seen


def read_intent(intent: Json, at: datetime) -> PaymentSeen:
    """A payment intent, its latest charge expanded or not."""
    known = {"processing": "processing", "succeeded": "succeeded"}
    seen = PaymentSeen(
        source="intent",
        at=at,
        status=known.get(intent["status"]),
        amount=intent["amount"],
        currency=intent["currency"].upper(),
        livemode=intent["livemode"],
        names=_names(intent),
        payment_intent_id=_text(intent["id"]),
        created=_instant(intent["created"]),
    )
    return _with_intent(seen, intent)


def _with_intent(seen: PaymentSeen, intent: Json) -> PaymentSeen:
    charge = intent.get("latest_charge")
    inner = charge if isinstance(charge, dict) else None
    paid = intent["status"] == "succeeded"
    card = _card(inner.get("payment_method_details") if inner else None)
    if not paid:
        card = _card((intent.get("last_payment_error") or {}).get("payment_method")) or card
    return replace(
        seen,
        amount=intent["amount_received"] if paid else seen.amount,
        charge_id=(inner["id"] if inner else charge) if paid else None,
        refunded=inner["amount_refunded"] if inner and paid else 0,
        card_brand=card.get("brand"),
        card_last4=card.get("last4"),
        decline=_decline(intent, inner, seen.at),
    )


def _session_status(session: Json, intent: Json | None) -> str:
    if session["status"] == "open":
        return "open"
    if session["status"] == "expired":
        return "expired"
    if session["payment_status"] != "unpaid":
        return "succeeded"
    # Complete and unpaid: a delayed method. Only the payment intent tells whether it is on its way or has failed.
    failed = intent is not None and intent["status"] in ("requires_payment_method", "canceled")
    return "failed" if failed else "processing"


def _decline(intent: Json, charge: Json | None, at: datetime) -> DeclineSeen | None:
    error = intent.get("last_payment_error")
    if not error:
        return None
    code = error.get("decline_code") or error.get("code") or "unknown"
    charge_id = error.get("charge")
    if charge and charge["id"] == charge_id:
        at = _instant(charge["created"])
    # A failed 3-D Secure challenge has no charge: the payment intent stands for it.
    return DeclineSeen(charge_id or f"{intent['id']}:{code}", code, at)


def _names(thing: Json) -> Names:
    metadata = thing.get("metadata") or {}
    return Names(*(_name(metadata.get(name)) for name in ("portal", "reservation", "payment")))


def _name(value: Any) -> str:
    """Ours are plain ASCII; another program may have written anything, even what a database cannot take."""
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else ""


def _card(method: Json | None) -> dict[str, str]:
    return (method or {}).get("card") or {}


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("an id or a type that is not a text")
    return value


def _instant(timestamp: Any) -> datetime:
    return datetime.fromtimestamp(int(timestamp), UTC)


@dataclass(frozen=True)
class EndpointSeen:
    """Where Stripe sends its messages. `events`: the types, or "*" for all."""

    url: str
    is_enabled: bool
    events: frozenset[str]
    api_version: str | None


@dataclass(frozen=True)
class StripeSeen:
    """The account as our key sees it. `at`: Stripe's clock, in UTC."""

    endpoints: list[EndpointSeen]
    at: datetime | None


def read_endpoint(endpoint: Json) -> EndpointSeen:
    return EndpointSeen(
        endpoint["url"], endpoint["status"] == "enabled", frozenset(endpoint["enabled_events"]), endpoint["api_version"]
    )
