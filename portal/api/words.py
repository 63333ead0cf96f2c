"""Our states in the words of the API's contract."""

from typing import Literal

from portal.models import Payment, Refund

PaymentStatus = Literal["pending", "completed", "failed", "refunded"]
RefundStatus = Literal["succeeded", "pending", "failed"]


def refund_status(refund: Refund) -> RefundStatus:
    """`pending` also while Stripe has not answered."""
    if refund.status == "succeeded":
        return "succeeded"
    return "failed" if refund.status in ("failed", "canceled") else "pending"


def payment_status(payment: Payment, refunded: int) -> PaymentStatus:
    """`refunded`: so much of it, in minor units, has gone back or is on its way. A declined card leaves a payment
    pending as long as its page can still be paid."""
    if payment.status == "succeeded":
        return "refunded" if refunded else "completed"
    return "pending" if payment.is_live else "failed"
