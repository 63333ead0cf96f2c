"""Numbers of receipts: once, in order, without gaps; and what receipts and credit notes say."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from portal import db
from portal.db import transaction
from portal.deps import Deps
from portal.domain.vat import vat_by_rate, vat_of_part
from portal.models import Payment, Reservation
from portal.services import receipts
from portal.services.new_reservation import NewLine
from tests.actors import Clock, rows

Make = Callable[..., Reservation]


def kept_payment(deps: Deps, reservation: Reservation, number: int = 1) -> Payment:
    payment: Payment = Payment.create(
        public_id=f"PAY-{reservation.code}{number}",
        reservation=reservation,
        amount=100,
        currency="EUR",
        status="succeeded",
        disposition="kept",
        session_number=number,
        attempt_number=1,
        created_at=deps.now(),
    )
    return payment


def take_number(deps: Deps) -> str:
    return receipts.take_number(deps.now(), "Europe/Lisbon")


def assign(deps: Deps, payment: Payment) -> str:
    with transaction():
        payment.receipt_number = take_number(deps)
        payment.save()
    return str(Payment.get_by_id(payment.id).receipt_number)


def test_numbers_follow_each_other_and_a_new_year_begins_anew(deps: Deps, clock: Clock, make_reservation: Make) -> None:
    stay = make_reservation()
    year = deps.now().year
    assert [assign(deps, kept_payment(deps, stay, n)) for n in (1, 2)] == [f"{year}-0001", f"{year}-0002"]
    clock.move_to(datetime(year + 1, 1, 1, 0, 30, tzinfo=UTC))
    assert assign(deps, kept_payment(deps, stay, 3)) == f"{year + 1}-0001"


def test_what_is_taken_back_leaves_no_gap(deps: Deps, make_reservation: Make) -> None:
    stay = make_reservation()
    payment = kept_payment(deps, stay)

    def assign_and_fail() -> None:
        with transaction():
            take_number(deps)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        assign_and_fail()
    assert assign(deps, payment).endswith("-0001")


def test_many_at_once_share_no_number(deps: Deps, make_reservation: Make) -> None:
    stay = make_reservation()
    payments = [kept_payment(deps, stay, n) for n in range(1, 13)]

    def work(mine: list[Payment]) -> None:
        with db.connection():
            for payment in mine:
                assign(deps, payment)
        db.close_connection()

    threads = [threading.Thread(target=work, args=(payments[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = sorted(str(payment.receipt_number)[-4:] for payment in rows(Payment))
    assert numbers == [f"{n:04}" for n in range(1, 13)]


def test_the_vat_of_a_part_is_its_share_and_that_of_the_whole_is_exact() -> None:
    lines = (
        NewLine("Room", 56_700, vat_percent="6"),
        NewLine("Breakfast", 6_600, vat_percent="13"),
        NewLine("Tax", 2_400),
    )
    total = 65_700
    assert vat_of_part(lines, total, total) == vat_by_rate(lines)
    half = vat_of_part(lines, total // 2, total)
    assert [(str(vat.percent), vat.amount) for vat in half] == [("13", 380), ("6", 1605)]
    assert vat_of_part(lines, 0, 0) == []
