"""The stay as an entry for the guest's calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo

from portal.deps import Deps
from portal.domain.guest_match import show_code
from portal.models import Reservation
from portal.services import hotels

FILENAME = "stay.ics"
_STATUS = {"pending": "TENTATIVE", "confirmed": "CONFIRMED"}


def write_ics(deps: Deps, reservation: Reservation) -> bytes:
    """From check-in to check-out by the hotel's clock. The same entry at every time: a newer one replaces an older one,
    and a cancelled stay says so. Its address needs the guest's session or link: no token is in it."""
    from icalendar import Calendar, Event  # noqa: PLC0415  # few ask for it, and it is large

    hotel = hotels.get_hotel()
    zone = ZoneInfo(hotel.timezone)
    event = Event()
    event.add("uid", f"{reservation.code}@{hotel.installation}.guest-portal")
    event.add("dtstamp", reservation.updated_at)
    event.add("last-modified", reservation.updated_at)
    event.add("dtstart", datetime.combine(reservation.check_in, hotel.check_in_from, zone))
    event.add("dtend", datetime.combine(reservation.check_out, hotel.check_out_until, zone))
    event.add("summary", ", ".join(filter(None, (hotel.name, reservation.room.name))))
    event.add("description", "\n".join(filter(None, (show_code(reservation.code), hotel.phone, hotel.email))))
    event.add("location", ", ".join(filter(None, (hotel.name, hotel.address or hotel.city))))
    event.add("url", f"{deps.settings.public_base_url}/reservations/{reservation.code}")
    event.add("status", _STATUS.get(reservation.status, "CANCELLED"))
    event.add("transp", "TRANSPARENT")  # a guest on holiday is not "busy" day and night
    calendar = Calendar()
    calendar.add("prodid", "-//Guest portal//Stay//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    calendar.add_missing_timezones(reservation.check_in.replace(month=1, day=1), reservation.check_out)
    ics: bytes = calendar.to_ical()
    return ics
