"""Which stays this browser may see. The session holds their codes and the version of the link that opened them."""

from flask import Response, abort, make_response, render_template, session

from portal.domain.guest_match import normalise_code
from portal.models import Reservation
from portal.services import hotels, links
from portal.web.context import get_deps, this_session, use_hotel
from portal.web.languages import set_language
from portal.web.security_log import note_foreign_id

MOST_STAYS = 5
_KEY = "stays"


def open_stay(reservation: Reservation) -> None:
    """Let this browser see the stay, until it leaves or a day has passed."""
    stays = [[code, version] for code, version in _held().items() if code != reservation.code]
    # A list: the cookie's JSON sorts the keys of a dictionary, and the oldest stay is the one to drop. Of lists: JSON
    # knows no tuples, and the library's way to keep them has to be undone for each page.
    session[_KEY] = [*stays, [reservation.code, reservation.link_version]][-MOST_STAYS:]
    session.permanent = True


def leave() -> None:
    """Forget every stay in this browser."""
    session.clear()


def find_reservation(code: str) -> Reservation | None:
    """The stay if this browser may see it; None for all others, known or not."""
    held, known = _held(), normalise_code(code)
    if known is None or known not in held:
        return None
    reservation = links.find_open_stay(get_deps(), known, held[known])
    if reservation is not None:
        use_hotel(hotels.of(reservation))
        set_language(reservation.locale)
    return reservation


def _held() -> dict[str, int]:
    """Codes and versions, the one opened last at the end. None in a cookie that another version wrote."""
    try:
        return dict(this_session().get(_KEY, ()))
    except (TypeError, ValueError):
        return {}


def current_reservation(code: str) -> Reservation:
    """The stay, or the same 404 page for one that does not exist and one that belongs to somebody else."""
    reservation = find_reservation(code)
    if reservation is None:
        note_foreign_id("reservation")
        abort(_no_access())
    return reservation


def _no_access() -> Response:
    return make_response(render_template("guest/no_access.html"), 404)
