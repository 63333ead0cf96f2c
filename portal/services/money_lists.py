"""Payments and refunds as staff look through them: the newest first, filtered, a page at a time or all as a file.

The words for where a payment or a refund stands are those that a hotelier uses; each is given twice, as a condition for
the database and as a question to one row, and both say the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import IO, Any
from zoneinfo import ZoneInfo

from portal.domain import hotel_time
from portal.domain.guest_match import show_code
from portal.domain.refund_window import window_from
from portal.models import Payment, Refund, Reservation, unindexed
from portal.models.payment import SENT_AT
from portal.prepared import Blank, Prepared, steady
from portal.services import csv_export
from portal.services.csv_export import Cell, decimal_sum
from portal.services.listing import PAGE, Listing, read_place, select_page, to_listing

Model = type[Payment] | type[Refund]
PROVIDERS = ("stripe", "offline")
MOST_ROWS = 100_000
"""In one file; a longer list is cut after its newest rows."""
_BATCH = 1_000

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
REFUND_WORDS = ("waiting", "on_its_way", "refunded", "failed", "not_sent")


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
    """Where it stands: one of REFUND_WORDS. Sent by card, it counts as refunded once the bank's days are over."""
    if refund.status in ("failed", "canceled"):
        return "not_sent" if refund.status == "canceled" and not refund.stripe_id else "failed"
    if refund.status in ("todo", "sent"):
        return "on_its_way" if refund.stripe_id else "waiting"
    if refund.status != "succeeded":
        return "on_its_way"
    sent = refund.first_sent_at or refund.updated_at
    return "refunded" if refund.provider == "offline" or sent < _shown_by_now(house) else "on_its_way"


def read_payments(filters: Filters, house: House, after: str | None) -> Listing[Payment]:
    """One page, each row with its reservation."""
    return _read_page(Payment, filters, house, after, PAGE)


def read_refunds(filters: Filters, house: House, after: str | None) -> Listing[Refund]:
    """One page, each row with its payment and its reservation."""
    return _read_page(Refund, filters, house, after, PAGE)


def write_payments(file: IO[bytes], filters: Filters, house: House) -> bool:
    """The list as CSV; whether it is all of it, or MOST_ROWS were reached."""
    return _write(file, PAYMENT_COLUMNS, Payment, filters, house, lambda row: _payment_cells(row, house))


def write_refunds(file: IO[bytes], filters: Filters, house: House) -> bool:
    """The list as CSV; whether it is all of it, or MOST_ROWS were reached."""
    return _write(file, REFUND_COLUMNS, Refund, filters, house, lambda row: _refund_cells(row, house))


# Which rows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Shape:
    """What is asked for, without the values: each shape has a statement, worked out when it is first needed."""

    model: Model
    status: str | None
    provider: str | None
    has_first: bool
    has_last: bool
    has_code: bool
    has_place: bool
    size: int

    @property
    def asks_the_bank_days(self) -> bool:
        return self.model is Refund and self.status in ("on_its_way", "refunded")


def _read_page(model: Model, filters: Filters, house: House, after: str | None, size: int) -> Listing[Any]:
    place = read_place(after, model.created_at, model.id)
    shape = _Shape(
        model=model,
        status=filters.status,
        provider=filters.provider,
        has_first=filters.first is not None,
        has_last=filters.last is not None,
        has_code=filters.code is not None,
        has_place=place is not None,
        size=size,
    )
    rows = _statement(shape).all(*_values(shape, filters, house), *(place or ()))
    return to_listing(rows, model.created_at, model.id, size)


def _values(shape: _Shape, filters: Filters, house: House) -> list[Any]:
    """In the order of the statement's blanks."""
    values: list[Any] = []
    if filters.first is not None:
        values.append(start_of(filters.first, house.zone))
    if filters.last is not None:
        values.append(start_of(filters.last + timedelta(days=1), house.zone))
    if filters.code is not None:
        values.append(filters.code)
    if shape.asks_the_bank_days:
        values.append(_shown_by_now(house))
    return values


@cache
def _statement(shape: _Shape) -> Prepared[Any]:
    model = shape.model
    asked = shape.has_first + shape.has_last + shape.has_code + shape.asks_the_bank_days

    def write(*blanks: Blank) -> Any:
        behind = None
        if shape.has_place:
            behind = steady(blanks[asked], model.created_at), steady(blanks[asked + 1], model.id)
        query = _narrow(shape, iter(blanks))
        return select_page(query, model.created_at, model.id, behind, newest_first=True, size=shape.size)

    return Prepared(write, blanks=asked + 2 * shape.has_place)


def _narrow(shape: _Shape, values: Iterator[Blank]) -> Any:
    model = shape.model
    query: Any = Payment.select(Payment, Reservation).join(Reservation)
    if model is Refund:
        query = Refund.select(Refund, Payment, Reservation).join(Payment).join(Reservation)
    if shape.has_first:
        query = query.where(model.created_at >= next(values))
    if shape.has_last:
        query = query.where(model.created_at < next(values))
    if shape.has_code:
        query = query.where(Reservation.code == next(values))
    if shape.provider is not None:
        query = query.where(model.provider == shape.provider)
    if shape.status is not None:
        query = query.where(PAYMENT_WORDS[shape.status] if model is Payment else _stands(shape, values))
    return query


def start_of(day: date, zone: str) -> datetime:
    """The instant at which a day begins at the hotel; where the clocks go forward at midnight, that change."""
    return hotel_time.hotel_instant(day, time(), zone)


def _stands(shape: _Shape, values: Iterator[Blank]) -> Any:
    known = unindexed(Refund.stripe_id).is_null(False)
    unsure = Refund.status << ("todo", "sent")
    if shape.status == "waiting":
        return unsure & ~known
    if shape.status == "not_sent":
        return (Refund.status == "canceled") & ~known
    if shape.status == "failed":
        return (Refund.status == "failed") | ((Refund.status == "canceled") & known)
    sent_at, shown_before = SENT_AT, next(values).of(Refund.updated_at)
    if shape.status == "refunded":
        return (Refund.status == "succeeded") & ((Refund.provider == "offline") | (sent_at < shown_before))
    return (
        (Refund.status << ("pending", "requires_action"))
        | (unsure & known)
        | ((unindexed(Refund.status) == "succeeded") & (Refund.provider != "offline") & (sent_at >= shown_before))
    )


def _shown_by_now(house: House) -> datetime:
    """What was sent before this instant has been shown by every bank."""
    day = house.today
    while window_from(day).last >= house.today:
        day -= timedelta(days=1)
    return start_of(day + timedelta(days=1), house.zone)


# Files ----------------------------------------------------------------------------------------------------------------

_WHEN = ("Date", "Time", "Time (UTC)")
PAYMENT_COLUMNS = (
    *_WHEN,
    *("Payment", "Reservation", "Guest", "Paid by", "Card", "Card ending", "Status", "Decline code", "Currency"),
    *("Amount", "Amount (minor units)", "Received", "Received (minor units)", "Received currency"),
    *("Received date", "Received time", "Received time (UTC)"),
    *("Receipt", "Stripe session", "Stripe payment", "Stripe charge"),
)
REFUND_COLUMNS = (
    *_WHEN,
    *("Refund", "Payment", "Reservation", "Guest", "Paid by", "Card", "Card ending", "Status", "Reason", "Failure"),
    *("Currency", "Amount", "Amount (minor units)", "Sent date", "Sent time", "Sent time (UTC)"),
    *("Receipt", "Stripe refund", "Stripe payment"),
)
_PAID_BY = {"stripe": "card", "offline": "cash or transfer"}


def _write(
    file: IO[bytes],
    header: Sequence[str],
    model: Model,
    filters: Filters,
    house: House,
    cells: Callable[[Any], Sequence[Cell]],
) -> bool:
    left = MOST_ROWS

    def rows() -> Iterator[Sequence[Cell]]:
        nonlocal left
        after: str | None = None
        while left > 0:
            page = _read_page(model, filters, house, after, min(_BATCH, left))
            left -= len(page.rows)
            yield from map(cells, page.rows)
            after = page.after
            if after is None:
                left = max(left, 1)  # all of it, even when its last row was the last that fits
                return

    csv_export.write(file, header, rows())
    return left > 0


def _when(instant: datetime | None, zone: str) -> tuple[Cell, Cell, Cell]:
    if instant is None:
        return None, None, None
    here = instant.astimezone(ZoneInfo(zone))
    return here.date().isoformat(), f"{here:%H:%M:%S}", instant.isoformat(timespec="seconds")


def _payment_cells(payment: Payment, house: House) -> Sequence[Cell]:
    received_in = payment.received_currency or payment.currency
    return (
        *_when(payment.created_at, house.zone),
        payment.public_id,
        show_code(payment.reservation.code),
        payment.reservation.guest_name,
        _PAID_BY[payment.provider],
        payment.card_brand,
        payment.card_last4,
        payment_word(payment).replace("_", " "),
        payment.decline_code,
        payment.currency,
        decimal_sum(payment.amount, payment.currency),
        payment.amount,
        decimal_sum(payment.received_amount, received_in),
        payment.received_amount,
        payment.received_currency,
        *_when(payment.completed_at, house.zone),
        payment.receipt_number,
        payment.session_id,
        payment.payment_intent_id,
        payment.charge_id,
    )


def _refund_cells(refund: Refund, house: House) -> Sequence[Cell]:
    payment = refund.payment
    return (
        *_when(refund.created_at, house.zone),
        refund.public_id,
        payment.public_id,
        show_code(payment.reservation.code),
        payment.reservation.guest_name,
        _PAID_BY[refund.provider],
        payment.card_brand,
        payment.card_last4,
        refund_word(refund, house).replace("_", " "),
        refund.reason,
        refund.failure_reason,
        refund.currency,
        decimal_sum(refund.amount, refund.currency),
        refund.amount,
        *_when(refund.first_sent_at, house.zone),
        payment.receipt_number,
        refund.stripe_id,
        payment.payment_intent_id,
    )
