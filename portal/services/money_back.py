"""What of a stay's money has gone back, is on its way, and may still go."""

from functools import cached_property

from portal.domain import states
from portal.domain.refund_sums import Returnable, still_owed
from portal.models import Alert, Cancellation, Dispute, Payment, Refund, Reservation
from portal.prepared import Prepared

_REFUNDS: Prepared[Refund] = Prepared(
    lambda stay: Refund.select(Refund, Payment).join(Payment).where(Payment.reservation == stay).order_by(Refund.id)
)


class MoneyBack:
    """Sums over the payments, refunds and disputes of one stay, in minor units. Each kind of row is read once, when it
    is first needed, so that a page costs the same however many there are: make a new one after every change."""

    def __init__(self, reservation: Reservation | int) -> None:
        self.reservation_id = reservation if isinstance(reservation, int) else reservation.id

    @cached_property
    def payments(self) -> list[Payment]:
        """In the order in which they give money back: cards first, the newest first, then cash."""
        mine = Payment.select().where(Payment.reservation == self.reservation_id)
        return list(mine.order_by(Payment.provider.desc(), Payment.session_number.desc()))

    @cached_property
    def refunds(self) -> list[Refund]:
        """The oldest first."""
        return _REFUNDS.all(self.reservation_id)

    @cached_property
    def disputes(self) -> list[Dispute]:
        return list(Dispute.select(Dispute, Payment).join(Payment).where(Payment.reservation == self.reservation_id))

    @cached_property
    def refused(self) -> set[str]:
        """Public ids of refunds that Stripe has refused at least once."""
        ids = [refund.public_id for refund in self.refunds]
        told = Alert.select(Alert.cause).where((Alert.kind == "refund refused by Stripe") & (Alert.cause << ids))
        return {alert.cause for alert in told} if ids else set()

    @cached_property
    def kept(self) -> list[Payment]:
        return [payment for payment in self.payments if payment.disposition == "kept"]

    def of(self, payment: Payment) -> list[Refund]:
        return [refund for refund in self.refunds if refund.payment_id == payment.id]

    def on_its_way(self, payment: Payment, *, but: Refund | None = None) -> int:
        """Refunds of this payment that have not failed, by whomever they were made."""
        others = (refund for refund in self.of(payment) if but is None or refund.id != but.id)
        return sum(refund.amount for refund in others if refund.status not in states.ENDED_REFUND)

    def dispute_of(self, payment: Payment) -> str | None:
        """lost, open, or None: nothing that stands in a refund's way. An inquiry (`warning_…`) does not."""
        found = {row.status for row in self.disputes if row.payment.id == payment.id}
        if "lost" in found:
            return "lost"
        return "open" if any(not s.startswith("warning_") and s not in ("won", "prevented") for s in found) else None

    def back(self, payment: Payment, *, but: Refund | None = None) -> int:
        """What has gone back or is on its way; a lost dispute took the whole payment."""
        return _came(payment) if self.dispute_of(payment) == "lost" else self.on_its_way(payment, but=but)

    def left(self, payment: Payment, *, but: Refund | None = None) -> int:
        """What has not gone back; less than nothing when somebody at Stripe returned more than came in."""
        return _came(payment) - self.back(payment, but=but)

    def returnable(self) -> list[Returnable]:
        return [Returnable(payment.id, _came(payment), self.back(payment)) for payment in self.kept]

    def owed(self, refund: Refund, *, kind: str | None = None) -> int:
        """What this refund has to be now; `kind`: if it were one of that kind."""
        kind, payment = kind or refund.kind, refund.payment
        return still_owed(kind, refund.amount, self.left(payment, but=refund), self._target_left(kind, refund))

    @cached_property
    def cancellation(self) -> Cancellation | None:
        found: Cancellation | None = Cancellation.get_or_none(Cancellation.reservation == self.reservation_id)
        return found

    def given_besides(self) -> int:
        """What staff gave of kept payments after the cancellation, on top of what it returns: a gift takes nothing off
        the promise. What takes the place of a refund that failed (`retry_of`) is no gift."""
        if self.cancellation is None:
            return 0
        since, kept = self.cancellation.created_at, {payment.id for payment in self.kept}
        gifts = (r for r in self.refunds if r.kind == "staff" and r.retry_of_id is None and r.created_at > since)
        return sum(r.amount for r in gifts if r.payment_id in kept and r.status not in states.ENDED_REFUND)

    def still_promised(self) -> int:
        """What the cancellation returns and is on no way yet; never more than what is left of the kept payments."""
        if self.cancellation is None:
            return 0
        gone = sum(self.back(payment) for payment in self.kept) - self.given_besides()
        left = sum(max(0, self.left(payment)) for payment in self.kept)
        return max(0, min(self.cancellation.refund_target - gone, left))

    def _target_left(self, kind: str, but: Refund) -> int | None:
        """What the cancellation still has to return, for a refund that it asked for."""
        if kind != "policy" or self.cancellation is None:
            return None
        gone = sum(self.back(payment, but=but) for payment in self.kept) - self.given_besides()
        return int(self.cancellation.refund_target) - gone


def of_payment(payment: Payment) -> MoneyBack:
    """Of the stay that it is a payment of."""
    return MoneyBack(payment.reservation_id)


def on_its_way(payment: Payment) -> int:
    """What of this one payment has gone back or is on its way."""
    return of_payment(payment).on_its_way(payment)


def dispute_of(payment: Payment) -> str | None:
    """lost, open, or None, of this one payment."""
    return of_payment(payment).dispute_of(payment)


def _came(payment: Payment) -> int:
    amount: int = payment.received_amount or payment.amount
    return amount
