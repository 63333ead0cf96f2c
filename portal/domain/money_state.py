"""Where the money of a stay stands, in one word, once some of it has come."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.domain.refund_sums import still_owed
from portal.domain.states import ENDED_REFUND


def word_of_paid(paid: int, back: int) -> str:
    """paid, partly_refunded or refunded: of what was kept, `back` has gone back or is on its way. For `paid` > 0."""
    if back == 0:
        return "paid"
    return "refunded" if back >= paid else "partly_refunded"


@dataclass(frozen=True)
class RefundFacts:
    """One refund row; sums in minor units. `came`: what came in by its payment, and `kept` whether the hotel kept that.
    `target`: what the cancellation of the stay returns in all; None when it is not cancelled."""

    payment_id: int
    came: int
    kept: bool
    kind: str
    amount: int
    status: str
    failed: bool
    """Sent, and not arrived; and no other row was made in its place."""
    target: int | None

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED_REFUND


def money_word(status: str, total: int, paid: int, refunds: list[RefundFacts]) -> str:
    """For the front desk: refund_failed, refund_on_its_way, refunded, partly_refunded, kept (paid, and cancelled for
    nothing back), paid, partly_paid, awaiting, nothing. A failure comes first, for somebody has to act."""
    if not refunds:  # nearly all stays, and lists are long
        return _of_money_that_came(status, total, paid, 0) or "nothing"
    if any(_is_owed(refund, refunds) for refund in refunds if refund.failed):
        return "refund_failed"
    alive = [refund for refund in refunds if not refund.is_ended]
    if any(refund.status != "succeeded" for refund in alive):
        return "refund_on_its_way"
    back = sum(refund.amount for refund in alive if refund.kept)
    return _of_money_that_came(status, total, paid, back) or ("refunded" if alive else "nothing")


def _of_money_that_came(status: str, total: int, paid: int, back: int) -> str:
    """Empty where none did and none is waited for."""
    if paid:
        return _of_kept(status, total, paid, back)
    if status == "pending":
        return "awaiting" if total else "nothing"
    return ""


def _of_kept(status: str, total: int, paid: int, back: int) -> str:
    word = word_of_paid(paid, back)
    if word != "paid":
        return word
    if status == "cancelled":
        return "kept"
    return "paid" if paid == total else "partly_paid"


def _is_owed(refund: RefundFacts, all_of_stay: Iterable[RefundFacts]) -> bool:
    """Whether money that was to go back by this refund has not gone otherwise since."""
    alive = [other for other in all_of_stay if not other.is_ended]
    left = refund.came - sum(other.amount for other in alive if other.payment_id == refund.payment_id)
    target_left = None if refund.target is None else refund.target - sum(r.amount for r in alive if r.kept)
    return still_owed(refund.kind, refund.amount, left, target_left) > 0
