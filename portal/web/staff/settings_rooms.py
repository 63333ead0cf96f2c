"""The rooms: adding, describing, and taking away those that were never used."""

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from werkzeug.wrappers import Response
from wtforms import IntegerField, StringField
from wtforms.validators import DataRequired, Length, NumberRange

from portal.models import Room
from portal.services import hotels
from portal.services.hotels import MOST_GUESTS, BadHotel
from portal.services.new_reservation import LONGEST_TEXT
from portal.web import context
from portal.web.staff import access
from portal.web.staff.blueprint import staff
from portal.web.staff.settings import Page, SettingsForm, by, say_saved


class RoomForm(SettingsForm):
    name = StringField(
        lazy_gettext("Name"), [DataRequired(lazy_gettext("A room needs a name.")), Length(max=LONGEST_TEXT)]
    )
    description = StringField(
        lazy_gettext("Description"),
        [Length(max=LONGEST_TEXT)],
        description=lazy_gettext("One line that guests read below the name."),
    )
    capacity = IntegerField(
        lazy_gettext("Guests at most"),
        [NumberRange(1, MOST_GUESTS, lazy_gettext("A whole number from 1 to %(most)s.", most=MOST_GUESTS))],
        default=2,
    )


@staff.get("/settings/rooms")
@access.needs(access.MANAGER)
def settings_rooms() -> str:
    return _list_page(RoomForm())


@staff.post("/settings/rooms")
@access.needs(access.MANAGER)
def settings_add_room() -> Response | Page:
    form = RoomForm()
    if not form.validate():
        return _list_page(form), 400
    try:
        room = hotels.add_room(
            by(), name=form.name.data, description=form.description.data or "", capacity=form.capacity.data
        )
    except BadHotel as bad:
        form.show_problems(bad)
        return _list_page(form), 400
    flash(_("%(room)s was added.", room=room.name), "good")
    return redirect(url_for("staff.settings_rooms"), 303)


@staff.get("/settings/rooms/<row:room_id>")
@access.needs(access.MANAGER)
def settings_room(room_id: int) -> str:
    room = _find(room_id)
    return _room_page(room, RoomForm(obj=room))


@staff.post("/settings/rooms/<row:room_id>")
@access.needs(access.MANAGER)
def settings_change_room(room_id: int) -> Response | Page:
    """A capacity below what coming stays have is allowed, and said."""
    room = _find(room_id)
    form = RoomForm(obj=room)
    if not form.validate():
        return _room_page(room, form), 400
    capacity = form.capacity.data
    try:
        changed = hotels.change_room(
            by(), room_id, name=form.name.data, description=form.description.data or "", capacity=capacity
        )
    except BadHotel as bad:
        form.show_problems(bad)
        return _room_page(room, form), 400
    say_saved(changed)
    above = hotels.stays_above(room_id, capacity, context.today()) if changed else 0
    if above:
        flash(
            ngettext(
                "%(num)s coming stay has more guests than the room now takes. It was not changed.",
                "%(num)s coming stays have more guests than the room now takes. They were not changed.",
                above,
            ),
            "warn",
        )
    return redirect(url_for("staff.settings_room", room_id=room_id), 303)


@staff.post("/settings/rooms/<row:room_id>/remove")
@access.needs(access.MANAGER)
def settings_remove_room(room_id: int) -> Response | Page:
    room = _find(room_id)
    try:
        hotels.remove_room(by(), room_id)
    except BadHotel:
        return _room_page(room, RoomForm(formdata=None, obj=room), refused=True), 409
    flash(_("%(room)s was removed.", room=room.name), "good")
    return redirect(url_for("staff.settings_rooms"), 303)


def _find(room_id: int) -> Room:
    try:
        return hotels.get_room(room_id)
    except LookupError:
        abort(404)


def _list_page(form: RoomForm) -> str:
    return render_template("staff/settings/rooms.html", form=form, rooms=hotels.list_rooms())


def _room_page(room: Room, form: RoomForm, *, refused: bool = False) -> str:
    return render_template("staff/settings/room.html", form=form, room=room, used=hotels.is_used(room), refused=refused)
