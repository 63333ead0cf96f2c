"""What every view needs: the parts that services work with, and the hotel."""

from datetime import date

from flask import Flask, Request, request
from flask.ctx import _AppCtxGlobals
from flask.globals import _cv_app, _cv_request
from flask.sessions import SessionMixin

from portal.deps import Deps
from portal.domain import hotel_time
from portal.models import Hotel
from portal.services import hotels


def set_deps(app: Flask, deps: Deps) -> None:
    app.extensions["portal.deps"] = deps
    app.jinja_env.globals["mail_is_on"] = deps.mail.is_on  # a page promises a mail only if it can be sent


def get_deps() -> Deps:
    deps: Deps = this_app().extensions["portal.deps"]
    return deps


# The things themselves that Flask's own names stand for: behind those, each is looked up anew for every attribute, in a
# few steps, and a page asks for a hundred.


def this_request() -> Request:
    return _cv_request.get().request


def this_session() -> SessionMixin:
    return _cv_request.get().session


def this_app() -> Flask:
    return _cv_app.get().app


def kept() -> _AppCtxGlobals:
    """What is kept until this request is answered, or this mail made: `flask.g`."""
    return _cv_app.get().g


def visitor_address() -> str:
    """Where the request comes from, as throttles count it; proxies in front are taken off (PROXY_COUNT)."""
    return request.remote_addr or ""


def today() -> date:
    """The date at the hotel."""
    return hotel_time.hotel_date(get_deps().now(), get_hotel().timezone)


def use_hotel(hotel: Hotel) -> None:
    """It was read already."""
    kept().hotel = hotel


def get_hotel() -> Hotel:
    """Read once in a request."""
    here = kept()
    if "hotel" not in here:
        here.hotel = hotels.get_hotel()
    hotel: Hotel = here.hotel
    return hotel
