"""The pages of the hotel's staff."""

from portal.web.staff import (
    account,
    attention,
    people,
    reservation_import,
    reservations,
    sign_in,
    today,
    webhook_events,
)
from portal.web.staff.blueprint import staff

__all__ = [
    "account",
    "attention",
    "people",
    "reservation_import",
    "reservations",
    "sign_in",
    "staff",
    "today",
    "webhook_events",
]
