"""Lists of payments and refunds as CSV files for bookkeeping: the same rows and words as on the staff's pages."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any
from zoneinfo import ZoneInfo

from portal.domain.guest_match import show_code
from portal.models import Payment, Refund
from portal.services import csv_export
from portal.services.csv_export import Cell, decimal_sum
from portal.services.money_lists import Filters, House, Model, payment_word, read_page, refund_word

MOST_ROWS = 100_000
"""In one file; a longer list is cut after its newest rows."""
_BATCH = 1_000

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


def write_payments(file: IO[bytes], filters: Filters, house: House) -> bool:
    """The list as CSV; whether it is all of it, or MOST_ROWS were reached."""
    return _write(file, PAYMENT_COLUMNS, Payment, filters, house, lambda row: _payment_cells(row, house))


def write_refunds(file: IO[bytes], filters: Filters, house: House) -> bool:
    """The list as CSV; whether it is all of it, or MOST_ROWS were reached."""
    return _write(file, REFUND_COLUMNS, Refund, filters, house, lambda row: _refund_cells(row, house))


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
            page = read_page(model, filters, house, after, min(_BATCH, left))
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
