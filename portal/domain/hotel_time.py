"""From instants (UTC) to the hotel's calendar and back. Nights and policy days are dates in the hotel's zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def hotel_date(instant: datetime, zone: str) -> date:
    """The calendar date at the hotel at that instant."""
    return instant.astimezone(ZoneInfo(zone)).date()


def hotel_instant(day: date, at: time, zone: str) -> datetime:
    """The UTC instant of a wall-clock time at the hotel; of a time that a clock change repeats, the first."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """The last second of a date at the hotel, as a UTC instant; of one that a clock change repeats, the second."""
    return hotel_instant(day, time(23, 59, 59, fold=1), zone)


def nights(check_in: date, check_out: date) -> list[date]:
    """The nights of a stay: every date from check-in up to, not including, check-out."""
    return [check_in + timedelta(days=n) for n in range((check_out - check_in).days)]


def zone_city(zone: str) -> str:
    """The city that names a zone ("Europe/Lisbon" → "Lisbon"), as guests read it."""
    return zone.rsplit("/", 1)[-1].replace("_", " ")
