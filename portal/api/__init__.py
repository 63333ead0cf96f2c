"""The JSON API: the same services as the pages, for booking sites and property management systems."""

from flask import Flask

from portal.api import openapi, payments, refunds, refusals, reservations
from portal.api.endpoint import api
from portal.api.refusals import ApiRefusal

__all__ = ["api", "openapi", "payments", "refunds", "register", "reservations"]


def register(app: Flask) -> None:
    """The blueprint, and its way to say no."""
    app.register_error_handler(ApiRefusal, refusals.show)
    app.register_blueprint(api)
