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


def error_message(payment: Payment) -> str | None:
    """Why a payment has brought nothing, in our words: Stripe's own may tip off a thief."""
    if payment.status == "succeeded":
        return None
    if payment.declined_at is not None:
        return "The card was declined. Nothing was charged."
    if payment.status == "failed":
        return "The payment failed. Nothing was charged." if payment.session_id else "The payment page was never made."
    return "The payment page has run out. Nothing was charged." if payment.status == "expired" else None
