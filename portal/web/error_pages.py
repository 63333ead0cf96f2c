"""Refusals and faults as pages: never a stack trace, always whether money was taken and what to do next."""

from pathlib import Path

import peewee
import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from playhouse.pool import MaxConnectionsExceeded
from werkzeug.exceptions import HTTPException, SecurityError

from portal import db, errors, logs
from portal.db import DatabaseBusy, is_mistake
from portal.errors import Refusal, RefusalText
from portal.web import programs
from portal.web.sessions import is_staff_page
from portal.web.staff.blueprint import every_staff_page

log = structlog.get_logger()

_BY_STATUS = {
    404: errors.NOT_FOUND,
    405: errors.METHOD_NOT_ALLOWED,
    413: errors.TOO_LARGE,
}


def register(app: Flask) -> None:
    app.register_error_handler(Refusal, lambda refusal: show(refusal.text))
    app.register_error_handler(CSRFError, lambda _: show(errors.FORM_OUT_OF_DATE))
    app.register_error_handler(HTTPException, _show_http)
    for busy in (DatabaseBusy, peewee.OperationalError, peewee.InterfaceError, MaxConnectionsExceeded):
        app.register_error_handler(busy, _show_busy)
    app.register_error_handler(peewee.DataError, lambda _: show(errors.BAD_REQUEST))  # text that no column can take
    app.register_error_handler(Exception, _show_fault)


def show(text: RefusalText) -> Response:
    """The page of a refusal, or its JSON for programs."""
    if programs.is_for_programs():
        return programs.refuse_instead_of(text)
    response = make_response(_page(text))
    response.status_code = text.status
    if text.retry_after:
        response.headers["Retry-After"] = str(text.retry_after)
    return response


def _page(text: RefusalText) -> str:
    if isinstance(request.routing_exception, SecurityError):
        return _failsafe()  # asked for under a name that is not ours: no address of ours can be made for a page
    try:
        # Static files are served without a connection, but this page names the hotel.
        g.opened = db.open_connection() or g.get("opened", False)
        if is_staff_page():
            return _staff_page(text)
        return render_template("errors/refusal.html", refusal=text, retry_after=text.retry_after, stay_url=_stay_url())
    except Exception as error:  # without a database there is no hotel to name either
        log.error("refusal page failed", error=type(error).__name__)
        return _failsafe()


def _staff_page(text: RefusalText) -> str:
    """For whoever is signed in with the way to all pages, and for others without a word of what there is."""
    # An address that belongs to no page does not get by itself what every staff page is given.
    context = {} if request.blueprint == "staff" else every_staff_page()
    return render_template("staff/refused.html", refusal=errors.FOR_STAFF.get(text.code, text), **context)


def _stay_url() -> str | None:
    code = (request.view_args or {}).get("code")
    return f"/reservations/{code}" if code and code.isalnum() else None


def _show_http(error: HTTPException) -> Response:
    response = error.get_response()
    if response.status_code < 400:
        return make_response(response)
    text = _BY_STATUS.get(response.status_code, errors.BAD_REQUEST)
    shown = show(text)
    if text is errors.BAD_REQUEST:
        shown.status_code = response.status_code
    if "Allow" in response.headers:
        shown.headers["Allow"] = response.headers["Allow"]
    return shown


def _show_busy(error: Exception) -> Response:
    if is_mistake(error):
        return _show_fault(error)
    log.error("database not available", error=type(error).__name__, cause=str(error)[:40])
    return show(errors.BUSY)


def _show_fault(error: Exception) -> Response:
    log.error("fault", **logs.describe(error))
    if programs.is_for_programs():
        return programs.refuse(500, "This could not be done: the fault is ours.", "Send it again later.")
    response = make_response(_failsafe())
    response.status_code = 500
    return response


def _failsafe() -> str:
    name = "failsafe_staff.html" if is_staff_page() else "failsafe.html"
    return (Path(__file__).parents[2] / "templates/errors" / name).read_text(encoding="utf-8")
