"""What of a stay's money has gone back, is on its way, and may still go."""

from functools import cached_property

from portal.domain import states
from portal.domain.refund_sums import Returnable, still_owed
from portal.models import Alert, Cancellation, Dispute, Payment, Refund, Reservation


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
        mine = Refund.select(Refund, Payment).join(Payment).where(Payment.reservation == self.reservation_id)
        return list(mine.order_by(Refund.id))

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

    def _target_left(self, kind: str, but: Refund) -> int | None:
        """What the cancellation still has to return, for a refund that it asked for."""
        if kind != "policy":
            return None
        target: int = Cancellation.get(Cancellation.reservation == self.reservation_id).refund_target
        return target - sum(self.back(payment, but=but) for payment in self.kept)


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
