"""What every view needs: the parts that services work with, and the hotel."""

from flask import Flask, current_app, g

from portal.deps import Deps
from portal.models import Hotel
from portal.services import hotels


def set_deps(app: Flask, deps: Deps) -> None:
    app.extensions["portal.deps"] = deps


def get_deps() -> Deps:
    deps: Deps = current_app.extensions["portal.deps"]
    return deps


def get_hotel() -> Hotel:
    """Read once in a request."""
    if "hotel" not in g:
        g.hotel = hotels.get_hotel()
    hotel: Hotel = g.hotel
    return hotel
