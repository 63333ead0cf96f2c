"""How much of a payment may still go back, and to which payments a sum is divided."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Returnable:
    """A kept payment: what came in, and what of it is already on its way back or gone, in minor units."""

    payment_id: int
    amount: int
    back: int

    @property
    def left(self) -> int:
        return max(0, self.amount - self.back)


def divide(due: int, payments: Sequence[Returnable]) -> list[tuple[int, int]]:
    """(payment, part) for each that gives something back, in the order given, each at most what is left of it."""
    parts = []
    for payment in payments:
        part = min(due, payment.left)
        if part > 0:
            parts.append((payment.payment_id, part))
            due -= part
    return parts


def still_owed(kind: str, amount: int, left: int, target_left: int | None) -> int:
    """What a refund has to be now, seen just before it is sent. `left` is what of its payment has not gone back
    otherwise; `target_left`, for a policy refund, what the cancellation still has to return."""
    if kind == "returned":
        return max(0, left)
    rest = left if kind != "policy" or target_left is None else min(left, target_left)
    return max(0, min(amount, rest))
