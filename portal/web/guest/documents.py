"""What a guest takes along: a calendar entry, and receipts and credit notes to print."""

from flask import Response, abort, render_template

from portal.services import receipts, stay_calendar
from portal.web.context import get_deps
from portal.web.guest import access
from portal.web.guest.blueprint import guest
from portal.web.security_log import note_foreign_id


@guest.get("/reservations/<code>/calendar.ics")
def calendar(code: str) -> Response:
    """Nothing to enter for a stay that never came about."""
    reservation = access.current_reservation(code)
    if reservation.status == "expired":
        abort(404)
    response = Response(stay_calendar.write_ics(get_deps(), reservation), mimetype="text/calendar")
    response.headers["Content-Disposition"] = f'attachment; filename="{stay_calendar.FILENAME}"'
    return response


@guest.get("/reservations/<code>/payments/<payment_id>/receipt")
def receipt(code: str, payment_id: str) -> str:
    """Of money that was kept; 404 for every other payment, and for other people's."""
    found = receipts.read_receipt(get_deps(), access.current_reservation(code), payment_id)
    if found is None:
        note_foreign_id("payment")
        abort(404)
    return render_template("guest/receipt.html", stay=found.stay, receipt=found)


@guest.get("/reservations/<code>/refunds/<refund_id>/credit-note")
def credit_note(code: str, refund_id: str) -> str:
    """Of a refund that has been sent."""
    found = receipts.read_credit_note(get_deps(), access.current_reservation(code), refund_id)
    if found is None:
        note_foreign_id("refund")
        abort(404)
    return render_template("guest/credit_note.html", stay=found.stay, note=found)
