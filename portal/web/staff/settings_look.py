"""The hotel's colour and its logo."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.domain.brand_colour import normal, theme_of
from portal.services import hotels, pictures
from portal.services.hotels import BadHotel
from portal.services.pictures import BadPicture
from portal.web.context import get_hotel
from portal.web.staff import access
from portal.web.staff.blueprint import staff
from portal.web.staff.settings import Page, by, printable, say_saved


@staff.get("/settings/look")
@access.needs(access.MANAGER)
def settings_look() -> str | Page:
    """With `?colour=` a preview of it; nothing is stored by looking."""
    typed = request.args.get("colour", "").strip()
    if not typed:
        return _page()
    try:
        return _page(typed=typed, chosen=normal(typed))
    except ValueError:
        return _page(typed=printable(typed[:20]), colour_problem=_("Write the colour like #1f4f82.")), 400


@staff.post("/settings/look/colour")
@access.needs(access.MANAGER)
def settings_set_colour() -> Response | Page:
    if "colour" not in request.form:
        return _page(colour_problem=_("Choose a colour first.")), 400
    try:
        changed = hotels.set_brand_colour(by(), request.form["colour"])
    except BadHotel:
        return _page(colour_problem=_("Write the colour like #1f4f82.")), 400
    say_saved(changed)
    return redirect(url_for("staff.settings_look"), 303)


@staff.post("/settings/look/logo")
@access.needs(access.MANAGER)
def settings_upload_logo() -> Response | Page:
    """What the file is called matters to nobody, but a name that cannot be printed comes from no file chooser."""
    file = request.files.get("logo")
    if file is None or not (file.filename or "x").isprintable():
        return _page(logo_problem=_("Choose a picture first.")), 400
    try:
        pictures.set_logo(by(), file.read())
    except BadPicture as bad:
        return _page(logo_problem=_("The file %(problem)s.", problem=_(str(bad)))), 400
    flash(_("Guests and staff now see this logo."), "good")
    return redirect(url_for("staff.settings_look"), 303)


@staff.post("/settings/look/logo/remove")
@access.needs(access.MANAGER)
def settings_remove_logo() -> Response:
    pictures.remove_logo(by())
    flash(_("The logo was removed."), "good")
    return redirect(url_for("staff.settings_look"), 303)


def _page(typed: str = "", chosen: str = "", colour_problem: str = "", logo_problem: str = "") -> str:
    shown = chosen or get_hotel().brand_colour
    return render_template(
        "staff/settings/look.html",
        typed=typed or shown,
        chosen=chosen,
        shown=shown,
        theme=theme_of(shown) if shown else None,
        colour_problem=colour_problem,
        logo_problem=logo_problem,
        largest=pictures.LARGEST // 1024,
    )
