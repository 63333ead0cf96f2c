"""Private links: a signed token that opens one stay until 30 days after check-out, and can be revoked."""

from datetime import date, timedelta

from itsdangerous import BadData, URLSafeSerializer

from portal.deps import Deps
from portal.domain import hotel_time
from portal.models import Hotel, Reservation, Room
from portal.prepared import Prepared
from portal.services import hotels

VALID_AFTER_CHECK_OUT = timedelta(days=30)
_SALT = "guest-link"
_LONGEST_TOKEN = 200
_LARGEST_VERSION = 2**31 - 1

_BY_LINK: Prepared[Reservation] = Prepared(
    lambda code, version: (
        Reservation.select(Reservation, Room, Hotel)
        .join(Room)
        .join_from(Reservation, Hotel, on=Hotel.id == 1, attr="hotel")
        .where((Reservation.code == code) & (Reservation.link_version == version))
    )
)
"""Every page of a guest begins with this: the stay, its room and the house in one go."""


def make_link(deps: Deps, reservation: Reservation) -> str:
    """The address that goes to the guest. May be opened again and again: mail scanners open it first."""
    token = _serializer(deps).dumps([reservation.code, reservation.link_version])
    return f"{deps.settings.public_base_url}/l/{token}"


def find_by_token(deps: Deps, token: str) -> Reservation | None:
    """The stay that a token opens now; None for one that is garbled, revoked or too old."""
    try:
        code, version = _serializer(deps).loads(token) if len(token) <= _LONGEST_TOKEN else ("", 0)
    except (BadData, ValueError, TypeError):
        return None
    return find_open_stay(deps, code, version) if _are_ours(code, version) else None


def _are_ours(code: object, version: object) -> bool:
    """Whether a database can be asked for them. A truth value is an int too, but not to PostgreSQL."""
    is_code = isinstance(code, str) and code.isascii() and code.isprintable()
    return is_code and type(version) is int and 0 <= version <= _LARGEST_VERSION


def find_open_stay(deps: Deps, code: str, version: int) -> Reservation | None:
    """The stay with that code if its links still have that version and it is not over for too long."""
    reservation = _BY_LINK.first(code, version)
    return None if reservation is None or is_over(deps, reservation) else reservation


def is_over(deps: Deps, reservation: Reservation) -> bool:
    """Whether links to this stay have run out, by the hotel's calendar."""
    return bool(reservation.check_out < _oldest_check_out(deps, hotels.of(reservation)))


def oldest_check_out(deps: Deps) -> date:
    """Stays that ended on that day or later are not over."""
    return _oldest_check_out(deps, hotels.get_hotel())


def _oldest_check_out(deps: Deps, hotel: Hotel) -> date:
    return hotel_time.hotel_date(deps.now(), hotel.timezone) - VALID_AFTER_CHECK_OUT


def _serializer(deps: Deps) -> URLSafeSerializer:
    # The library signs with the last key and accepts all; ours signs with the first.
    return URLSafeSerializer(list(reversed(deps.settings.secret_keys)), salt=_SALT)
