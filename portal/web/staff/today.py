"""The first page of the day: what needs attention, who arrives, which holds end."""

from flask import render_template

from portal.services import health
from portal.services import today as days
from portal.web.context import get_deps, get_hotel
from portal.web.staff import access
from portal.web.staff.blueprint import staff


@staff.get("/")
@access.needs(access.RECEPTION)
def today() -> str:
    deps = get_deps()
    return render_template(
        "staff/today.html", today=days.read_today(deps, get_hotel()), conditions=health.conditions(deps)
    )
