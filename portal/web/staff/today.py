"""The first page of the day: what needs attention, who arrives, which holds end."""

from flask import render_template

from portal.web.staff import access
from portal.web.staff.blueprint import staff


@staff.get("/")
@access.needs(access.RECEPTION)
def today() -> str:
    return render_template("staff/today.html")
