"""What a stay's payments and refunds are, as programs read it: every row, and the sums over them."""

from dataclasses import dataclass
from datetime import datetime

from portal.domain import states
from portal.models import Payment, Refund, Reservation
from portal.services.money_back import MoneyBack


@dataclass(frozen=True)
class PaymentWithRefunds:
    """`refunded`: what has gone back of it or is on its way, in minor units of its currency."""

    payment: Payment
    refunded: int
    refund: Refund | None
    """The latest that has not failed."""

    @property
    def refunded_at(self) -> datetime | None:
        """When the latest refund went out, in UTC; None while none has."""
        is_done = self.refund is not None and self.refund.status == "succeeded"
        return self.refund.updated_at if self.refund is not None and is_done else None


@dataclass(frozen=True)
class PaymentsOfStay:
    """The oldest first. Sums are in minor units of the reservation's currency; money in another one, which always goes
    back, is in the lists alone."""

    payments: list[PaymentWithRefunds]
    refunds: list[Refund]
    """All but those that were given up before they were sent."""
    total_paid: int
    total_refunded: int
    sessions: int
    """Those that Stripe made."""

    @property
    def main(self) -> PaymentWithRefunds | None:
        """The one that was kept, else one that came in, else the latest."""
        return next((one for one in reversed(self.payments) if one.payment.disposition == "kept"), None) or next(
            (one for one in reversed(self.payments) if one.payment.status == "succeeded"),
            self.payments[-1] if self.payments else None,
        )

    @property
    def is_paid(self) -> bool:
        """Whether a payment came in that the hotel kept, whatever went back since."""
        return any(one.payment.disposition == "kept" for one in self.payments)


def read(reservation: Reservation) -> PaymentsOfStay:
    """Everything in a few statements, whatever the number of rows."""
    money = MoneyBack(reservation)
    rows = sorted(money.payments, key=lambda payment: payment.session_number)
    payments = [_with_refunds(money, payment) for payment in rows]
    counted = [one for one in payments if one.payment.received_currency == reservation.currency]
    return PaymentsOfStay(
        payments=payments,
        refunds=[refund for refund in money.refunds if refund.stripe_id or refund.status != "canceled"],
        total_paid=sum(one.payment.received_amount or 0 for one in counted),
        total_refunded=sum(one.refunded for one in counted),
        sessions=sum(payment.provider == "stripe" and payment.session_id is not None for payment in rows),
    )


def _with_refunds(money: MoneyBack, payment: Payment) -> PaymentWithRefunds:
    going = [refund for refund in money.of(payment) if refund.status not in states.ENDED_REFUND]
    return PaymentWithRefunds(payment, sum(refund.amount for refund in going), going[-1] if going else None)
