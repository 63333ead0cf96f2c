"""The tables, one group of nouns a file."""

from portal.models.alert import Alert
from portal.models.audit import AuditLog
from portal.models.fields import Table, unindexed
from portal.models.hotel import Hotel, Picture, Room
from portal.models.operations import Cursor, Lease, RateBucket
from portal.models.outgoing_mail import OutgoingMail
from portal.models.payment import Cancellation, Dispute, Payment, Refund
from portal.models.reservation import Reservation, ReservationLine, ReservationWord, RoomNight
from portal.models.staff import ApiAnswer, ApiToken, Note, PasswordReset, RecoveryCode, Staff, StaffSession
from portal.models.webhook_event import WebhookEvent

TABLES: tuple[type[Table], ...] = (
    Hotel,
    Room,
    Reservation,
    ReservationLine,
    RoomNight,
    ReservationWord,
    Payment,
    Refund,
    Dispute,
    Cancellation,
    WebhookEvent,
    OutgoingMail,
    Alert,
    AuditLog,
    RateBucket,
    Lease,
    Cursor,
    Staff,
    StaffSession,
    RecoveryCode,
    PasswordReset,
    ApiToken,
    ApiAnswer,
    Note,
    Picture,
)
"""Every table, in an order in which they can be made."""

__all__ = [
    "TABLES",
    "Alert",
    "ApiAnswer",
    "ApiToken",
    "AuditLog",
    "Cancellation",
    "Cursor",
    "Dispute",
    "Hotel",
    "Lease",
    "Note",
    "OutgoingMail",
    "PasswordReset",
    "Payment",
    "Picture",
    "RateBucket",
    "RecoveryCode",
    "Refund",
    "Reservation",
    "ReservationLine",
    "ReservationWord",
    "Room",
    "RoomNight",
    "Staff",
    "StaffSession",
    "Table",
    "WebhookEvent",
    "unindexed",
]
