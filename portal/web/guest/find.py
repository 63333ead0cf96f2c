"""Finding a stay: by its private link, or by code and e-mail."""

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal import errors
from portal.domain.guest_match import normalise_code
from portal.errors import Refusal
from portal.models import Reservation
from portal.services import links, mails, reservations, throttle
from portal.web.context import get_deps, visitor_address
from portal.web.guest import access
from portal.web.guest.blueprint import guest

LONGEST = {"code": 40, "email": 200, "link_email": 200}


@guest.get("/")
def find_page() -> str:
    return _form({}, dict.fromkeys(LONGEST, ""))


@guest.post("/find")
def find() -> Response | tuple[str, int]:
    """One answer for every miss, whichever of the two was wrong."""
    values = _typed()
    problems = _problems(values, "code", "email")
    if problems:
        return _form(problems, values), 400
    reservation = _look_up(values["code"], values["email"])
    if reservation is None:
        return _form({"code": _("We cannot find a reservation with that code and e-mail. Check both.")}, values), 404
    access.open_stay(reservation)
    return redirect(url_for("guest.review", code=reservation.code), 303)


@guest.post("/link")
def ask_for_link() -> str | tuple[str, int]:
    """E-mails the links of an address. The answer never shows whether there are any."""
    if not get_deps().mail.is_on:
        abort(404)
    values = _typed()
    problems = _problems(values, "link_email")
    if problems:
        return _form(problems, values), 400
    _count(throttle.LINKS_OF_ADDRESS, _visitor())
    mails.queue_links_for(get_deps(), values["link_email"])
    return render_template("guest/link_asked.html")


@guest.get("/l/<token>")
def private_link(token: str) -> Response | tuple[str, int]:
    """Opens the stay in this browser and changes nothing else: mail scanners follow links too."""
    deps = get_deps()
    reservation = links.find_by_token(deps, token)
    if reservation is None:
        _count(throttle.BAD_LINKS_OF_ADDRESS, _visitor())
        return render_template("guest/link_over.html"), 404
    access.open_stay(reservation)
    return redirect(url_for("guest.review", code=reservation.code), 303)


@guest.post("/leave")
def leave() -> Response:
    access.leave()
    return redirect(url_for("guest.find_page"), 303)


def _look_up(code: str, email: str) -> Reservation | None:
    """Counted before it is tried, so that no burst slips through; a hit is taken off again."""
    deps = get_deps()
    counted = [(throttle.MISSED_LOOK_UPS_OF_ADDRESS, _visitor())]
    if known := normalise_code(code):
        counted.append((throttle.MISSED_LOOK_UPS_OF_CODE, known))
    for limit, subject in counted:
        _count(limit, subject)
    reservation = reservations.find_for_guest(deps, code, email)
    if reservation is not None:
        for limit, subject in counted:
            throttle.take_back(deps, limit, subject)
    return reservation


def _count(limit: throttle.Limit, subject: str) -> None:
    if not throttle.hit(get_deps(), limit, subject):
        raise Refusal(errors.TOO_MANY_TRIES)


def _visitor() -> str:
    return throttle.subject_of_address(visitor_address())


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "").strip() for name in LONGEST}


def _problems(values: dict[str, str], *asked_for: str) -> dict[str, str]:
    problems = {}
    for name in asked_for:
        if name == "code" and not values[name]:
            problems[name] = _("Enter your reservation code")
        if name != "code" and "@" not in values[name]:
            problems[name] = _("Enter the e-mail address you booked with")
    for name, longest in LONGEST.items():
        if len(values[name]) > longest or not values[name].isprintable():
            problems[name] = _("This is too long or has characters that we cannot read")
            values[name] = ""
    return problems


def _form(problems: dict[str, str], values: dict[str, str]) -> str:
    return render_template("guest/find.html", errors=problems, values=values)
