"""Payments and refunds as staff look through them: the newest first, filtered, a page at a time.

The words for where a payment or a refund stands are those that a hotelier uses; each is given twice, as a condition for
the database and as a question to one row, and both say the same."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from portal.domain import hotel_time
from portal.domain.refund_window import window_from
from portal.models import Payment, Refund, Reservation, unindexed
from portal.models.payment import SENT_AT
from portal.prepared import Blank, Prepared, steady
from portal.services.listing import PAGE, Listing, read_place, select_page, to_listing

Model = type[Payment] | type[Refund]
PROVIDERS = ("stripe", "offline")

_NOT_DECLINED = unindexed(Payment.declined_at).is_null()
_NEVER_OPENED = unindexed(Payment.session_id).is_null()

PAYMENT_WORDS: dict[str, Any] = {
    "paid": Payment.disposition == "kept",  # only what succeeded has one
    "returned": Payment.disposition == "returned",
    "declined": (Payment.status != "succeeded") & ~_NOT_DECLINED,
    "open": (Payment.status << ("creating", "open")) & _NOT_DECLINED,
    "checking": (Payment.status == "processing") & _NOT_DECLINED,
    "failed": (Payment.status == "failed") & ~_NEVER_OPENED & _NOT_DECLINED,
    "expired": (Payment.status == "expired") & _NOT_DECLINED,
    "not_opened": (Payment.status == "failed") & _NEVER_OPENED & _NOT_DECLINED,
}
REFUND_WORDS = ("waiting", "on_its_way", "at_the_bank", "refunded", "failed", "not_sent")


@dataclass(frozen=True)
class Filters:
    """What to show; None: all. Days are the hotel's, both included. `status` is one of the words above, `code` a
    normalised reservation code, and "" one that nobody has."""

    first: date | None = None
    last: date | None = None
    status: str | None = None
    provider: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class House:
    """Where the days begin, and which is today's."""

    zone: str
    today: date


def payment_word(payment: Payment) -> str:
    """Where it stands: a key of PAYMENT_WORDS."""
    if payment.status == "succeeded":
        return "paid" if payment.disposition == "kept" else "returned"
    if payment.declined_at:
        return "declined"
    if payment.status == "failed":
        return "failed" if payment.session_id else "not_opened"
    return {"processing": "checking", "expired": "expired"}.get(payment.status, "open")


def refund_word(refund: Refund, house: House) -> str:
    """Where it stands: one of REFUND_WORDS. What Stripe has sent to a card is at the bank until the bank's days are
    over."""
    if refund.status in ("failed", "canceled"):
        return "not_sent" if refund.status == "canceled" and not refund.stripe_id else "failed"
    if refund.status in ("todo", "sent"):
        return "on_its_way" if refund.stripe_id else "waiting"
    if refund.status != "succeeded":
        return "on_its_way"
    sent = refund.first_sent_at or refund.updated_at
    return "refunded" if refund.provider == "offline" or sent < _shown_by_now(house) else "at_the_bank"


def read_payments(filters: Filters, house: House, after: str | None) -> Listing[Payment]:
    """One page, each row with its reservation."""
    return read_page(Payment, filters, house, after)


def read_refunds(filters: Filters, house: House, after: str | None) -> Listing[Refund]:
    """One page, each row with its payment and its reservation."""
    return read_page(Refund, filters, house, after)


# Which rows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Shape:
    """What is asked for, without the values, of which `given` are the names: each shape has a statement, worked out
    when it is first needed."""

    model: Model
    status: str | None
    provider: str | None
    given: tuple[str, ...]
    size: int


def read_page(model: Model, filters: Filters, house: House, after: str | None, size: int = PAGE) -> Listing[Any]:
    """Of payments or of refunds, so many rows."""
    place = read_place(after, model.created_at, model.id)
    values = _values(model, filters, house) | dict(zip(("place", "place_id"), place or (), strict=False))
    statement = _statement(_Shape(model, filters.status, filters.provider, tuple(values), size))
    return to_listing(statement.all(*values.values()), model.created_at, model.id, size)


def _values(model: Model, filters: Filters, house: House) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if filters.first is not None:
        values["first"] = start_of(filters.first, house.zone)
    if filters.last is not None:
        values["behind_last"] = start_of(filters.last + timedelta(days=1), house.zone)
    if filters.code is not None:
        values["code"] = filters.code
    if model is Refund and filters.status in ("at_the_bank", "refunded"):
        values["shown_before"] = _shown_by_now(house)
    return values


@cache
def _statement(shape: _Shape) -> Prepared[Any]:
    model = shape.model

    def write(*blanks: Blank) -> Any:
        given = dict(zip(shape.given, blanks, strict=True))
        place = None
        if "place" in given:
            place = steady(given["place"], model.created_at), steady(given["place_id"], model.id)
        # Few are at the bank and all of them are new: found by when they were sent, not by a walk through all refunds.
        order = unindexed(model.created_at) if shape.status == "at_the_bank" else model.created_at
        return select_page(_narrow(shape, given), order, model.id, place, newest_first=True, size=shape.size)

    return Prepared(write, blanks=len(shape.given))


def _narrow(shape: _Shape, given: dict[str, Blank]) -> Any:
    model = shape.model
    query: Any = Payment.select(Payment, Reservation).join(Reservation)
    if model is Refund:
        query = Refund.select(Refund, Payment, Reservation).join(Payment).join(Reservation)
    if "first" in given:
        query = query.where(model.created_at >= given["first"])
    if "behind_last" in given:
        query = query.where(model.created_at < given["behind_last"])
    if "code" in given:
        query = query.where(Reservation.code == given["code"])
    if shape.provider is not None:
        query = query.where(model.provider == shape.provider)
    if shape.status is not None:
        query = query.where(PAYMENT_WORDS[shape.status] if model is Payment else _stands(shape.status, given))
    return query


def start_of(day: date, zone: str) -> datetime:
    """The instant at which a day begins at the hotel; where the clocks go forward at midnight, that change."""
    return hotel_time.hotel_instant(day, time(), zone)


def _stands(word: str, given: dict[str, Blank]) -> Any:
    known = unindexed(Refund.stripe_id).is_null(False)
    unsure = Refund.status << ("todo", "sent")
    if word == "waiting":
        return unsure & ~known
    if word == "not_sent":
        return (Refund.status == "canceled") & ~known
    if word == "failed":
        return (Refund.status == "failed") | ((Refund.status == "canceled") & known)
    if word == "on_its_way":
        return (Refund.status << ("pending", "requires_action")) | (unsure & known)
    sent_at, shown_before = SENT_AT, given["shown_before"].of(Refund.updated_at)
    if word == "refunded":
        return (Refund.status == "succeeded") & ((Refund.provider == "offline") | (sent_at < shown_before))
    return (unindexed(Refund.status) == "succeeded") & (Refund.provider != "offline") & (sent_at >= shown_before)


def _shown_by_now(house: House) -> datetime:
    """What was sent before this instant has been shown by every bank."""
    day = house.today
    while window_from(day).last >= house.today:
        day -= timedelta(days=1)
    return start_of(day + timedelta(days=1), house.zone)
