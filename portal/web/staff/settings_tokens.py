"""Tokens for programs, and for how long guests' data is kept."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response
from wtforms import IntegerField
from wtforms.validators import NumberRange, Optional

from portal.services import api_tokens, hotels
from portal.services.api_tokens import SCOPES, BadToken
from portal.services.hotels import LONGEST_RETENTION, SHORTEST_RETENTION, BadHotel
from portal.web.context import get_deps, get_hotel
from portal.web.staff import access
from portal.web.staff.blueprint import staff
from portal.web.staff.settings import Page, SettingsForm, by, printable, say_saved


class GuestDataForm(SettingsForm):
    retention_days = IntegerField(
        lazy_gettext("Days after check-out"),
        [
            Optional(),
            NumberRange(
                SHORTEST_RETENTION,
                LONGEST_RETENTION,
                lazy_gettext(
                    "A whole number from %(least)s to %(most)s.", least=SHORTEST_RETENTION, most=LONGEST_RETENTION
                ),
            ),
        ],
    )


@staff.get("/settings/tokens")
@access.needs(access.MANAGER)
def settings_tokens() -> str:
    return _page()


@staff.post("/settings/tokens")
@access.needs(access.MANAGER)
def settings_add_token() -> str | Page:
    """Shows the token; it is in this answer and nowhere else. It outlives the sign-in, so the password is asked for."""
    name, scopes = request.form.get("name", ""), request.form.getlist("scopes")
    if problem := access.confirm_password():
        return _page(name=name, scopes=scopes, password_problem=problem), 403
    try:
        token = api_tokens.add_token(get_deps(), name, scopes, actor=access.actor())
    except BadToken as bad:
        return _page(name=name, scopes=scopes, problem=_(str(bad))), 400
    return _page(token=token)


@staff.post("/settings/tokens/<row:token_id>/revoke")
@access.needs(access.MANAGER)
def settings_revoke_token(token_id: int) -> Response:
    if not api_tokens.revoke_token(get_deps(), token_id, actor=access.actor()):
        flash(_("There is no such token, or it was revoked before."), "bad")
    else:
        flash(_("Revoked. Programs that use this token are turned away from now on."), "good")
    return redirect(url_for("staff.settings_tokens"), 303)


@staff.get("/settings/guest-data")
@access.needs(access.MANAGER)
def settings_guest_data() -> str:
    return _guest_data_page(GuestDataForm(obj=get_hotel()))


@staff.post("/settings/guest-data")
@access.needs(access.MANAGER)
def settings_set_guest_data() -> Response | Page:
    """Nothing typed: the installation's number holds. A form without the field changes nothing."""
    if "retention_days" not in request.form:
        abort(400)
    form = GuestDataForm(obj=get_hotel())
    if not form.validate():
        return _guest_data_page(form), 400
    days = form.retention_days.data if request.form["retention_days"].strip() else None
    try:
        changed = hotels.set_retention(by(), days)
    except BadHotel as bad:
        form.show_problems(bad)
        return _guest_data_page(form), 400
    say_saved(changed)
    return redirect(url_for("staff.settings_guest_data"), 303)


def _guest_data_page(form: GuestDataForm) -> str:
    default = get_deps().settings.retention_days
    return render_template("staff/settings/guest_data.html", form=form, default=default)


def _page(
    name: str = "",
    scopes: list[str] | None = None,
    problem: str = "",
    password_problem: str = "",
    token: str = "",
) -> str:
    return render_template(
        "staff/settings/tokens.html",
        tokens=api_tokens.list_tokens(),
        all_scopes=SCOPES,
        name=printable(name),
        scopes=list(SCOPES) if scopes is None else scopes,
        problem=problem,
        password_problem=password_problem,
        token=token,
    )
