"""Mails that wait to be sent: the database is the queue."""

import peewee

from portal.models.fields import FrozenJsonField, Table, UtcDateTimeField
from portal.models.reservation import Reservation


class OutgoingMail(Table):
    """Written in the transaction of its cause; `cause` names the episode (this hold), so none is doubled."""

    kind = peewee.TextField()
    cause = peewee.TextField()
    reservation = peewee.ForeignKeyField(Reservation, backref="mails", null=True)
    recipient = peewee.TextField()
    locale = peewee.TextField()
    details = FrozenJsonField(default=dict)
    created_at = UtcDateTimeField()
    sent_at = UtcDateTimeField(null=True)
    given_up_at = UtcDateTimeField(null=True)
    tries = peewee.IntegerField(default=0)
    next_try_at = UtcDateTimeField(null=True)
    error_message = peewee.TextField(null=True)


OutgoingMail.add_index(
    OutgoingMail.index(OutgoingMail.kind, OutgoingMail.cause, unique=True, name="outgoing_mail_once")
)
OutgoingMail.add_index(
    OutgoingMail.index(OutgoingMail.next_try_at, where=OutgoingMail.sent_at.is_null(), name="outgoing_mail_waiting")
)
OutgoingMail.add_index(
    OutgoingMail.index(OutgoingMail.created_at, where=OutgoingMail.recipient != "", name="outgoing_mail_with_address")
)
