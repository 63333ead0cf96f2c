"""The word for the money of each stay of a list, read in one statement whatever the number of stays."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from peewee import JOIN, fn

from portal.domain.money_state import RefundFacts, money_word
from portal.domain.states import ENDED_REFUND
from portal.models import Cancellation, Payment, Refund, Reservation
from portal.prepared import Prepared
from portal.services.reservation_lists import ListedStay


def money_words(stays: Sequence[Reservation | ListedStay]) -> dict[int, str]:
    """Reservation id → one of the words of `money_word`."""
    refunds = _refunds_of([int(stay.id) for stay in stays])
    return {stay.id: money_word(stay.status, stay.total, stay.paid, refunds[stay.id]) for stay in stays}


_AT_ONCE = 50
"""Stays of a page; the statement has as many blanks."""


def _select_refunds(*stays: Any) -> Any:
    again = Refund.alias()
    return (
        Refund.select(
            Payment.reservation,
            Payment.id,
            fn.COALESCE(Payment.received_amount, Payment.amount),
            Payment.disposition,
            Refund.kind,
            Refund.amount,
            Refund.status,
            Refund.stripe_id.is_null(False) & again.id.is_null(),
            Cancellation.refund_target,
        )
        .join(Payment)
        .join(Cancellation, JOIN.LEFT_OUTER, on=Cancellation.reservation == Payment.reservation)
        .join_from(Refund, again, JOIN.LEFT_OUTER, on=again.retry_of == Refund.id)
        .where(Payment.reservation << [stay.of(Reservation.id) for stay in stays])
        .tuples()
    )


_REFUNDS: Prepared[tuple[Any, ...]] = Prepared(_select_refunds, blanks=_AT_ONCE)


def _refunds_of(ids: list[int]) -> dict[int, list[RefundFacts]]:
    found: dict[int, list[RefundFacts]] = defaultdict(list)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        blanks = some + [0] * (_AT_ONCE - len(some))  # no stay has the number 0
        for stay_id, payment_id, came, disposition, kind, amount, status, stands, target in _REFUNDS.all(*blanks):
            kept = disposition == "kept"
            failed = bool(stands) and status in ENDED_REFUND
            found[stay_id].append(RefundFacts(payment_id, came, kept, kind, amount, status, failed, target))
    return found
