"""The pages of the hotel's staff."""

from portal.web.staff import (
    account,
    actions,
    attention,
    payments,
    people,
    refunds,
    reports,
    reservations,
    settings,
    settings_hotel,
    settings_look,
    settings_policy,
    settings_rooms,
    settings_tokens,
    sign_in,
    today,
    webhook_events,
)
from portal.web.staff.blueprint import staff

__all__ = [
    "account",
    "actions",
    "attention",
    "payments",
    "people",
    "refunds",
    "reports",
    "reservations",
    "settings",
    "settings_hotel",
    "settings_look",
    "settings_policy",
    "settings_rooms",
    "settings_tokens",
    "sign_in",
    "staff",
    "today",
    "webhook_events",
]
