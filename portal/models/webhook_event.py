"""What Stripe has told us, each message once."""

import peewee

from portal.models.fields import Table, UtcDateTimeField, check
from portal.models.payment import Payment
from portal.models.reservation import Reservation


class WebhookEvent(Table):
    """`processed_at` is set in the transaction of the event's effect; the payload is kept only until then."""

    event_id = peewee.TextField(primary_key=True)
    type = peewee.TextField()
    object_id = peewee.TextField(default="")
    created = UtcDateTimeField()
    livemode = peewee.BooleanField()
    payload_hash = peewee.TextField()
    payload = peewee.TextField(null=True)
    received_at = UtcDateTimeField()
    processed_at = UtcDateTimeField(null=True)
    result = peewee.TextField()
    error_message = peewee.TextField(null=True)
    reservation = peewee.ForeignKeyField(Reservation, backref="webhook_events", null=True)
    payment = peewee.ForeignKeyField(Payment, backref="webhook_events", null=True)
    tries = peewee.IntegerField(default=0)
    next_try_at = UtcDateTimeField(null=True)

    class Meta:
        constraints = [
            check("webhook_event_result", "result IN ('success', 'skipped', 'pending', 'error')"),
            check("webhook_event_payload_until_processed", "processed_at IS NULL OR payload IS NULL"),
        ]


WebhookEvent.add_index(
    WebhookEvent.index(WebhookEvent.type, WebhookEvent.received_at, name="webhook_event_type_received_at")
)
WebhookEvent.add_index(
    WebhookEvent.index(
        WebhookEvent.next_try_at, where=WebhookEvent.processed_at.is_null(), name="webhook_event_waiting"
    )
)
WebhookEvent.add_index(
    WebhookEvent.index(WebhookEvent.received_at, WebhookEvent.event_id, name="webhook_event_received_at")
)
