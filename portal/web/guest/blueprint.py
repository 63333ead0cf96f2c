"""The blueprint that all guest pages hang on."""

from typing import Any

from flask import Blueprint

from portal.web import security_log
from portal.web.context import get_hotel

guest = Blueprint("guest", __name__)
guest.before_request(security_log.look_at_form)


@guest.app_context_processor
def every_page() -> dict[str, Any]:
    """Every page names the hotel and how to reach it."""
    return {"hotel": get_hotel()}
