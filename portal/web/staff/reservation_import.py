"""Many reservations at once from a CSV file: choose it, look at what would be done, and import it.

Between the steps the file's text travels in the form; each step reads and checks it anew."""

from flask import Response as Download
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.services import reservation_import
from portal.services.reservation_import import ALREADY_THERE, IMPORTED, OK, REFUSED, BadFile, BadRows, CheckedRow
from portal.web.context import get_deps
from portal.web.staff import access
from portal.web.staff.blueprint import staff

MOST_SHOWN = 200
Answer = Response | tuple[str, int]


@staff.get("/reservations/import")
@access.needs(access.RECEPTION)
def import_file() -> Answer:
    return _show_form("", "")


@staff.get("/reservations/import/example.csv")
@access.needs(access.RECEPTION)
def import_example() -> Response:
    # The mark at the beginning tells spreadsheets that it is UTF-8.
    answer = Download("\ufeff" + reservation_import.example(get_deps()), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=reservations.csv"
    return answer


@staff.post("/reservations/import")
@access.needs(access.RECEPTION)
def import_preview() -> Answer:
    """Step two. Changes nothing."""
    content = _sent()
    try:
        rows = reservation_import.read_file(content)
    except BadFile as problem:
        return _show_form(request.form.get("text", ""), str(problem))
    return _show_preview(reservation_import.preview(get_deps(), rows), content.decode("utf-8-sig"), 200)


@staff.post("/reservations/import/run")
@access.needs(access.RECEPTION)
def import_run() -> Answer:
    """Step three: all rows, or with `skip_bad` the good ones."""
    content = _sent()
    try:
        rows = reservation_import.read_file(content)
        done = reservation_import.import_rows(
            get_deps(), rows, actor=access.actor(), skip_bad=request.form.get("skip_bad") == "1"
        )
    except BadFile as problem:
        return _show_form(request.form.get("text", ""), str(problem))
    except BadRows as bad:
        return _show_preview(bad.rows, content.decode("utf-8-sig"), 409)
    flash(_what_was_done(done), "good")
    return redirect(url_for("staff.reservations"), 303)


def _sent() -> bytes:
    """The file, or the text that was pasted when there is none."""
    file = request.files.get("file")
    return (file.read() if file else b"") or request.form.get("text", "").encode(errors="replace")


def _show_form(text: str, problem: str) -> Answer:
    return render_template("staff/import.html", text=text, problem=problem), 400 if problem else 200


def _show_preview(rows: list[CheckedRow], text: str, status: int) -> Answer:
    by_status = {status: [row for row in rows if row.status == status] for status in (OK, ALREADY_THERE, REFUSED)}
    good = by_status[OK]
    page = render_template(
        "staff/import_preview.html",
        bad=by_status[REFUSED],
        good=good,
        there=by_status[ALREADY_THERE],
        total=sum(row.new.total for row in good if row.new),
        most=MOST_SHOWN,
        text=text,
        changed=status == 409,
    )
    return page, status


def _what_was_done(rows: list[CheckedRow]) -> str:
    count = {status: sum(row.status == status for row in rows) for status in (IMPORTED, ALREADY_THERE, REFUSED)}
    sentences = [
        ngettext("%(num)d reservation was imported.", "%(num)d reservations were imported.", count[IMPORTED])
        if count[IMPORTED]
        else _("Nothing was imported.")
    ]
    if there := count[ALREADY_THERE]:
        sentences.append(ngettext("%(num)d was already there.", "%(num)d were already there.", there))
    if left := count[REFUSED]:
        sentences.append(ngettext("%(num)d bad row was left out.", "%(num)d bad rows were left out.", left))
    return " ".join(sentences)
