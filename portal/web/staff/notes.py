"""Writing down something about a stay, for colleagues."""

from flask import abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.services import notes, reservation_lists
from portal.services.notes import BadNote
from portal.web.context import get_deps
from portal.web.staff import access
from portal.web.staff.blueprint import staff
from portal.web.staff.reservations import reservation_page


@staff.post("/reservations/<code>/notes")
@access.needs(access.RECEPTION)
def add_note(code: str) -> Response | tuple[str, int]:
    """303 to the reservation; 400 for a note that is empty or too long, with what was typed."""
    found = reservation_lists.find_by_code(code) or abort(404)
    typed = request.form.get("text", "")
    try:
        notes.add_note(get_deps(), found.id, access.current_staff(), typed)
    except BadNote as bad:
        problem = (
            _("Type your note first.")
            if bad.why == "empty"
            else _("Use at most %(num)s letters, or write a second note.", num=notes.LONGEST)
        )
        return reservation_page(found, note_problem=problem, note_typed=notes.clean(typed)), 400
    flash(_("The note is kept. Guests do not see it."), "good")
    return redirect(url_for("staff.reservation", code=found.code, _anchor="notes-h"), 303)
