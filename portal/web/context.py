"""What every view needs: the parts that services work with, and the hotel."""

from datetime import date

from flask import Flask, Request, current_app, g, request

from portal.deps import Deps
from portal.domain import hotel_time
from portal.models import Hotel
from portal.services import hotels


def set_deps(app: Flask, deps: Deps) -> None:
    app.extensions["portal.deps"] = deps
    app.jinja_env.globals["mail_is_on"] = deps.mail.is_on  # a page promises a mail only if it can be sent


def get_deps() -> Deps:
    deps: Deps = current_app.extensions["portal.deps"]
    return deps


def this_request() -> Request:
    """The request itself. Behind Flask's own name for it, it is looked up anew for each attribute."""
    here: Request = request._get_current_object()  # type: ignore[attr-defined]
    return here


def visitor_address() -> str:
    """Where the request comes from, as throttles count it; proxies in front are taken off (PROXY_COUNT)."""
    return request.remote_addr or ""


def today() -> date:
    """The date at the hotel."""
    return hotel_time.hotel_date(get_deps().now(), get_hotel().timezone)


def use_hotel(hotel: Hotel) -> None:
    """It was read already."""
    g.hotel = hotel


def get_hotel() -> Hotel:
    """Read once in a request."""
    if "hotel" not in g:
        g.hotel = hotels.get_hotel()
    hotel: Hotel = g.hotel
    return hotel
