"""Requests and answers about payments."""

from typing import Annotated, Literal

from pydantic import Field

from portal.api.model import Code, Instant, Minor, Model, PositiveMinor, Words, example
from portal.api.reservation_models import ReservationStatus
from portal.api.words import PaymentStatus, RefundStatus
from portal.domain.return_urls import LONGEST

ReturnUrl = Annotated[
    str | None,
    Field(max_length=LONGEST, description="At the portal's own address or at one of RETURN_URL_ORIGINS."),
]
PaymentId = Annotated[str, Field(description="PAY-…")]


class WhereTo(Model):
    """Where the guest comes back to after Stripe's page; without them, to the portal's own pages."""

    model_config = example(success_url="https://pay.hotel.example/", cancel_url="https://pay.hotel.example/")

    success_url: ReturnUrl = None
    cancel_url: ReturnUrl = None


class CheckoutRequest(WhereTo):
    """A payment page for a reservation."""

    model_config = example(reservation_id="7C2K-9V4T-B0XW")

    reservation_id: Annotated[str, Field(max_length=40, description="The code; case and dashes do not matter.")]


class CheckoutSession(Model):
    """Stripe's page where the guest pays."""

    payment_id: PaymentId
    checkout_session_id: str
    checkout_url: Annotated[str, Field(description="Send the guest there.")]
    expires_at: Instant
    amount: Minor
    currency: str
    attempt_number: Annotated[int, Field(ge=1, description="1 + the payments before that were declined.")]


class PaymentRead(Model):
    """One payment: a checkout session, or a sum that the hotel's staff wrote down."""

    payment_id: PaymentId
    reservation_id: Code
    amount: Minor
    currency: str
    status: PaymentStatus
    payment_method: Literal["card", "offline"]
    provider: Literal["stripe", "offline"]
    provider_transaction_id: Annotated[str | None, Field(description="Stripe's payment intent.")]
    created_at: Instant
    completed_at: Instant | None
    error_message: str | None
    stripe_checkout_session_id: str | None
    stripe_payment_intent_id: str | None
    stripe_refund_id: Annotated[str | None, Field(description="Of the latest refund that has not failed.")]
    refund_amount: Annotated[Minor | None, Field(description="What has gone back or is on its way, in minor units.")]
    refunded_at: Instant | None


class PaymentStatusRead(Model):
    """How a reservation stands with its money."""

    reservation_id: Code
    reservation_status: ReservationStatus
    payment: Annotated[PaymentRead, Field(description="The completed one, else the latest.")]
    has_completed_payment: bool
    is_refunded: Annotated[bool, Field(description="Any of `payment` has gone back or is on its way.")]
    refund_amount: Minor
    payment_attempts: Annotated[int, Field(description="The sessions that Stripe made.")]


class RefundRead(Model):
    """One refund of a reservation's payments."""

    refund_id: Annotated[str, Field(description="REF-…")]
    payment_id: PaymentId
    amount: Minor
    currency: str
    status: RefundStatus
    stripe_refund_id: str | None
    created_at: Instant
    refunded_at: Instant | None


class PaymentHistory(Model):
    """Every payment and every refund, the oldest first."""

    reservation_id: Code
    payments: list[PaymentRead]
    refunds: list[RefundRead]
    total_paid: Minor
    total_refunded: Annotated[Minor, Field(description="What has gone back or is on its way.")]
    balance: Annotated[Minor, Field(description="What the hotel holds: total_paid - total_refunded.")]


class RefundRequest(Model):
    """Without `amount` the reservation is cancelled and its policy decides the sum. With one (the hotel's tokens only)
    that sum goes back and the stay is left as it is."""

    model_config = example(amount=1_700, reason="no breakfast")

    amount: PositiveMinor | None = None
    reason: Annotated[Words | None, Field(description="For the hotel's own eyes.")] = None


class RefundMade(Model):
    """A refund on its way. `pending` with no Stripe id: Stripe has not answered yet, and it is sent again by itself."""

    payment_id: PaymentId
    stripe_refund_id: str | None
    amount: Minor
    status: RefundStatus
    refunded_at: Instant | None
    refund_policy: Annotated[
        str, Field(pattern="^(full_refund|partial_refund_[0-9]{1,2}|manual_refund)$", description="How it came about.")
    ]
    original_amount: Annotated[Minor, Field(description="What had come in with the payment.")]
