"""What needs a decision: the list, one line with its buttons, and closing it with a word why."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.models import Alert
from portal.services import alert_lines, alerts, health
from portal.services.alert_lines import AlertLine
from portal.services.listing import read_page
from portal.web.context import get_deps
from portal.web.staff import access
from portal.web.staff.blueprint import staff

LONGEST_WHY = 500


@staff.get("/attention")
@access.needs(access.RECEPTION)
def attention() -> str:
    """Open lines, or with `closed=1` those that somebody has dealt with; `kind` of one kind alone."""
    closed = request.args.get("closed") == "1"
    kind = request.args.get("kind", "")
    kind = kind if kind in alert_lines.WORDS else ""
    query = alert_lines.with_stays().where(Alert.closed_at.is_null(not closed))
    if kind:
        query = query.where(Alert.kind == kind)
    listing = read_page(query, Alert.id, Alert.id, after=request.args.get("after"), newest_first=True)
    return render_template(
        "staff/attention.html",
        listing=listing,
        lines=alert_lines.to_lines(listing.rows),
        kinds=sorted(alert_lines.WORDS.items(), key=lambda item: item[1].title),
        kind=kind,
        closed=closed,
        conditions=[] if closed else health.conditions(get_deps()),
    )


@staff.get("/attention/<row:alert_id>")
@access.needs(access.RECEPTION)
def alert(alert_id: int) -> str:
    return _page(_find(alert_id))


@staff.post("/attention/<row:alert_id>")
@access.needs(access.RECEPTION)
def close_alert(alert_id: int) -> Response | tuple[str, int]:
    """303 to the list; 400 without a word why; 409 when somebody was faster."""
    _find(alert_id)
    why = " ".join(request.form.get("why", "").replace("\x00", "").split())
    if not why or len(why) > LONGEST_WHY:
        problem = _("Say in a word why it is done.") if not why else _("Use at most %(num)s letters.", num=LONGEST_WHY)
        return _page(_find(alert_id), problem=problem, why=why), 400
    try:
        alerts.close_alert(alert_id, actor=access.actor(), why=why, now=get_deps().now())
    except LookupError:
        return _page(_find(alert_id), too_late=True), 409
    flash(_("Closed. It stays readable under Closed."), "good")
    return redirect(url_for("staff.attention"), 303)


def _find(alert_id: int) -> AlertLine:
    found = list(alert_lines.with_stays().where(Alert.id == alert_id))
    if not found:
        abort(404)
    return alert_lines.to_lines(found)[0]


def _page(line: AlertLine, *, problem: str = "", why: str = "", too_late: bool = False) -> str:
    return render_template("staff/alert.html", line=line, problem=problem, why=why, too_late=too_late)
