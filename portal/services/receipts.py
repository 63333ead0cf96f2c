"""Receipts for money that was kept, and credit notes for money that was sent back."""

from dataclasses import dataclass
from datetime import date, datetime

from portal.db import must_be_in_transaction
from portal.deps import Deps
from portal.domain import hotel_time, vat
from portal.domain.vat import VatSum
from portal.models import Cursor, Payment, Refund, Reservation
from portal.prepared import Prepared
from portal.services.guest_pages import CREDITED, StayPage, read_stay


@dataclass(frozen=True)
class Receipt:
    """One kept payment. `vat` is what the amount contains, `issued_on` a date at the hotel."""

    stay: StayPage
    payment: Payment
    number: str
    issued_on: date
    vat: list[VatSum]


@dataclass(frozen=True)
class CreditNote:
    """One refund that has been sent. Its number is the refund's own; `receipt_number` is None for money never kept."""

    stay: StayPage
    refund: Refund
    payment: Payment
    number: str
    receipt_number: str | None
    issued_on: date
    vat: list[VatSum]


_COUNT_ON: Prepared[Cursor] = Prepared(
    lambda name, now: (
        Cursor.insert(name=name, value="1", updated_at=now.of(Cursor.updated_at))
        .on_conflict(
            conflict_target=[Cursor.name],
            update={
                Cursor.value: (Cursor.value.cast("integer") + 1).cast("text"),
                Cursor.updated_at: now.of(Cursor.updated_at),
            },
        )
        .returning(Cursor.value)
    )
)


def take_number(now: datetime, zone: str) -> str:
    """The next number of the hotel's year ("2026-0001"), in the transaction that keeps the money: a rolled-back payment
    takes its number with it, so the numbers have no gaps. The counter is locked until the end, so wait afterwards for
    nothing that another payment may hold."""
    must_be_in_transaction()
    year = hotel_time.hotel_date(now, zone).year
    counted = _COUNT_ON.first(f"receipt {year}", now)
    assert counted is not None  # added or counted on: there is one
    return f"{year}-{int(counted.value):04}"


def read_receipt(deps: Deps, reservation: Reservation, public_id: str) -> Receipt | None:
    """The receipt of one payment of this stay; None unless the money was kept."""
    payment: Payment | None = Payment.get_or_none(
        (Payment.reservation == reservation.id) & (Payment.public_id == public_id.upper())
    )
    if payment is None or payment.disposition != "kept" or payment.receipt_number is None:
        return None
    stay = read_stay(deps, reservation)
    return Receipt(
        stay=stay,
        payment=payment,
        number=payment.receipt_number,
        issued_on=hotel_time.hotel_date(payment.completed_at or payment.created_at, stay.hotel.timezone),
        vat=vat.vat_of_part(stay.lines, payment.amount, reservation.total),
    )


def read_credit_note(deps: Deps, reservation: Reservation, public_id: str) -> CreditNote | None:
    """The credit note of one refund of this stay; None while it has not been sent, or once it has failed."""
    refund: Refund | None = (
        Refund.select()
        .join(Payment)
        .where((Payment.reservation == reservation.id) & (Refund.public_id == public_id.upper()))
        .first()
    )
    if refund is None or refund.status not in CREDITED:
        return None
    stay, payment = read_stay(deps, reservation), refund.payment
    kept = payment.disposition == "kept"
    return CreditNote(
        stay=stay,
        refund=refund,
        payment=payment,
        number=refund.public_id,
        receipt_number=payment.receipt_number,
        issued_on=hotel_time.hotel_date(refund.first_sent_at or refund.created_at, stay.hotel.timezone),
        vat=vat.vat_of_part(stay.lines, refund.amount, reservation.total) if kept else [],
    )
