"""Money in, money back, and what banks take again."""

from typing import TYPE_CHECKING

import peewee

from portal.domain import states
from portal.models.fields import FrozenJsonField, HotelDateField, Table, UtcDateTimeField, check, one_of
from portal.models.reservation import Reservation


class Payment(Table):
    """One checkout session, or one sum recorded by staff. Amounts are minor units of `currency`."""

    if TYPE_CHECKING:
        reservation_id: int  # the library adds it by itself
        has_refunds: bool  # of those that `services.payments.lock_of_stay` gives

    public_id = peewee.TextField(unique=True)
    reservation = peewee.ForeignKeyField(Reservation, backref="payments", index=False)
    provider = peewee.TextField(default="stripe")
    amount = peewee.BigIntegerField()
    currency = peewee.TextField()
    status = peewee.TextField(default="creating")
    disposition = peewee.TextField(null=True)
    session_number = peewee.IntegerField()
    attempt_number = peewee.IntegerField()
    idempotency_key = peewee.TextField(null=True, unique=True)
    params = FrozenJsonField(null=True)
    """What Stripe is sent, frozen: a call that is repeated must be the same call."""
    session_id = peewee.TextField(null=True, unique=True)
    payment_intent_id = peewee.TextField(null=True, unique=True)
    charge_id = peewee.TextField(null=True)
    card_brand = peewee.TextField(null=True)
    card_last4 = peewee.TextField(null=True)
    declines = FrozenJsonField(default=dict)
    """Each declined charge once, whatever the number of messages about it: {charge id: [Stripe's code, UTC time]}."""
    declined_at = UtcDateTimeField(null=True)
    decline_code = peewee.TextField(null=True)
    error_code = peewee.TextField(null=True)
    expires_at = UtcDateTimeField(null=True)
    received_amount = peewee.BigIntegerField(null=True)
    received_currency = peewee.TextField(null=True)
    completed_at = UtcDateTimeField(null=True)
    receipt_number = peewee.TextField(null=True, unique=True)
    created_at = UtcDateTimeField()
    first_sent_at = UtcDateTimeField(null=True)
    asked_at = UtcDateTimeField(null=True)
    tries = peewee.IntegerField(default=0)
    being_asked_until = UtcDateTimeField(null=True)
    """A return page has asked Stripe about this payment and has not heard yet, or has died."""

    class Meta:
        constraints = [
            one_of("payment_status", "status", states.PAYMENT),
            one_of("payment_provider", "provider", ("stripe", "offline")),
            check("payment_disposition", "disposition IS NULL OR disposition IN ('kept', 'returned')"),
            check("payment_money_has_disposition", "(status = 'succeeded') = (disposition IS NOT NULL)"),
            check("payment_amount_positive", "amount > 0"),
        ]

    @property
    def is_live(self) -> bool:
        return self.status in states.LIVE_PAYMENT


Payment.add_index(
    Payment.index(Payment.reservation, Payment.session_number, unique=True, name="payment_session_number")
)
Payment.add_index(
    Payment.index(
        Payment.reservation, unique=True, where=Payment.status << states.LIVE_PAYMENT, name="payment_one_live"
    )
)
Payment.add_index(Payment.index(Payment.status, Payment.created_at, name="payment_status_created_at"))
Payment.add_index(Payment.index(Payment.created_at, Payment.id, name="payment_created_at_id"))
Payment.add_index(
    Payment.index(
        *(Payment.completed_at, Payment.status, Payment.provider, Payment.disposition, Payment.received_currency),
        *(Payment.received_amount, Payment.attempt_number, Payment.declined_at),
        name="payment_completed_at",  # all that reports add up, so that they read nothing else
    )
)
Payment.add_index(
    Payment.index(Payment.declined_at, where=Payment.declined_at.is_null(False), name="payment_declined_at")
)
Payment.add_index(
    Payment.index(Payment.disposition, Payment.created_at, Payment.id, name="payment_disposition_created_at")
)


class Refund(Table):
    """One sum on its way back. A new try after a failure is a new row (`retry_of`)."""

    if TYPE_CHECKING:  # the library adds it by itself
        payment_id: int
        retry_of_id: int | None

    public_id = peewee.TextField(unique=True)
    payment = peewee.ForeignKeyField(Payment, backref="refunds")
    provider = peewee.TextField(default="stripe")
    kind = peewee.TextField()
    amount = peewee.BigIntegerField()
    currency = peewee.TextField()
    status = peewee.TextField(default="todo")
    idempotency_key = peewee.TextField(unique=True)
    stripe_id = peewee.TextField(null=True, unique=True)
    retry_of = peewee.ForeignKeyField("self", null=True, unique=True)
    reason = peewee.TextField(default="")
    requested_by = peewee.TextField()
    failure_reason = peewee.TextField(null=True)
    first_sent_at = UtcDateTimeField(null=True)
    tries = peewee.IntegerField(default=0)
    next_try_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        constraints = [
            one_of("refund_status", "status", states.REFUND),
            one_of("refund_kind", "kind", ("policy", "returned", "staff", "external")),
            one_of("refund_provider", "provider", ("stripe", "offline")),
            check("refund_amount_positive", "amount > 0"),
        ]


Refund.add_index(
    Refund.index(
        Refund.payment,
        unique=True,
        where=(Refund.kind << ("policy", "returned")) & Refund.status.not_in(states.ENDED_REFUND),
        name="refund_one_automatic",
    )
)
Refund.add_index(Refund.index(Refund.status, Refund.next_try_at, name="refund_status_next_try_at"))
Refund.add_index(Refund.index(Refund.status, Refund.created_at, Refund.id, name="refund_status_created_at"))
WENT_AT = peewee.Case(
    None,
    [(Refund.provider == peewee.SQL("'offline'"), Refund.updated_at)],
    peewee.fn.COALESCE(Refund.first_sent_at, Refund.created_at),
)
"""When the money of a refund left the hotel: by card, when it was sent; cash, when it was handed back. Spelled as in
its index, which serves only the same words."""
Refund.add_index(Refund.index(peewee.EnclosedNodeList((WENT_AT,)), name="refund_went_at"))
SENT_AT = peewee.fn.COALESCE(Refund.first_sent_at, Refund.updated_at)
"""From when the bank's days are counted until a refund counts as shown; spelled as in its index, likewise."""
Refund.add_index(Refund.index(peewee.EnclosedNodeList((SENT_AT,)), name="refund_sent_at"))
Refund.add_index(Refund.index(Refund.created_at, Refund.id, name="refund_created_at_id"))


class Dispute(Table):
    """A bank that takes money back on a cardholder's word."""

    payment = peewee.ForeignKeyField(Payment, backref="disputes")
    stripe_id = peewee.TextField(unique=True)
    amount = peewee.BigIntegerField()
    currency = peewee.TextField()
    reason = peewee.TextField(default="")
    status = peewee.TextField()
    due_by = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()


class Cancellation(Table):
    """The tier that held when a stay was cancelled: with date and zone, so that the sum can be worked out again."""

    reservation = peewee.ForeignKeyField(Reservation, backref="cancellations", unique=True)
    actor = peewee.TextField()
    local_date = HotelDateField()
    zone = peewee.TextField()
    tier_days = peewee.IntegerField(null=True)
    percent = peewee.IntegerField(null=True)
    refund_target = peewee.BigIntegerField()
    """What is to have gone back in the end, earlier refunds included."""
    refund_due = peewee.BigIntegerField()
    """What of it the cancellation itself sends back."""
    reason = peewee.TextField(default="")
    created_at = UtcDateTimeField()

    class Meta:
        constraints = [check("cancellation_refund_due", "refund_due >= 0")]
