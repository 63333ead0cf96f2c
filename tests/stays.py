"""Stays to tell stories about."""

from datetime import date, timedelta
from typing import Any

from portal.services.new_reservation import NewLine, NewReservation


def new_stay(
    today: date, *, room: str = "Garden room", total: int = 112_500, in_days: int = 30, nights: int = 3, **changes: Any
) -> NewReservation:
    """Three nights for two from in 30 days, unless told otherwise; `total` in cents."""
    check_in = today + timedelta(days=in_days)
    values: dict[str, Any] = {
        "room": room,
        "guest_name": "Inês Carvalho",
        "email": "ines@carvalho.example",
        "check_in": check_in,
        "check_out": check_in + timedelta(days=nights),
        "adults": 2,
        "lines": (NewLine(room, total, f"{nights} nights"),),
    }
    return NewReservation(**{**values, **changes})
