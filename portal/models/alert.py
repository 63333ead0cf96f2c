"""The list that needs a person's attention."""

import peewee

from portal.models.fields import FrozenJsonField, Table, UtcDateTimeField, check
from portal.models.payment import Payment
from portal.models.reservation import Reservation


class Alert(Table):
    """One open line per cause; closed only by a person, with a word why. Details hold ids, codes and sums alone."""

    kind = peewee.TextField()
    cause = peewee.TextField()
    reservation = peewee.ForeignKeyField(Reservation, backref="alerts", null=True)
    payment = peewee.ForeignKeyField(Payment, backref="alerts", null=True)
    details = FrozenJsonField(default=dict)
    due_by = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()
    mailed_at = UtcDateTimeField(null=True)
    closed_at = UtcDateTimeField(null=True)
    closed_by = peewee.TextField(null=True)
    why_closed = peewee.TextField(null=True)

    class Meta:
        constraints = [
            check(
                "alert_closed_by_a_person",
                "closed_at IS NULL OR (closed_by IS NOT NULL AND why_closed IS NOT NULL)",
            )
        ]


Alert.add_index(
    Alert.index(Alert.kind, Alert.cause, unique=True, where=Alert.closed_at.is_null(), name="alert_one_open")
)
