"""Who may open which staff page. Every view says what it needs; one that says nothing opens for nobody."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from portal import errors
from portal.errors import Refusal
from portal.models import Staff, StaffSession
from portal.services import staff_accounts, staff_sessions
from portal.web.context import get_deps, use_hotel, visitor_address

View = TypeVar("View", bound=Callable[..., Any])

ANYONE = "anyone"
RECEPTION = "reception"
MANAGER = "manager"
_MAY = {ANYONE: (ANYONE,), RECEPTION: (ANYONE, RECEPTION), MANAGER: (ANYONE, RECEPTION, MANAGER)}

TOKEN = "token"  # noqa: S105  # the name of a place in the cookie, not a secret


def needs(role: str) -> Callable[[View], View]:
    """Marks a view: ANYONE (also signed out), RECEPTION (both roles) or MANAGER."""

    def mark(view: View) -> View:
        view.needs = role  # type: ignore[attr-defined]
        return view

    return mark


def needed_role(endpoint: str) -> str | None:
    """What the view of this endpoint needs; None when it does not say."""
    return getattr(current_app.view_functions[endpoint], "needs", None)


def let_in() -> Response | None:
    """Before every staff page: signed out goes to the sign-in, and the wrong role reads that it may not."""
    wanted = needed_role(request.endpoint or "")
    if wanted is None:
        abort(404)
    person = find_staff()
    if wanted == ANYONE:
        return None
    if person is None:
        return redirect(url_for("staff.sign_in", next=_here()), 303)
    if person.must_change_password and request.endpoint not in ("staff.change_password", "staff.sign_out"):
        return redirect(url_for("staff.change_password"), 303)
    if wanted not in _MAY[person.role]:
        raise Refusal(errors.MANAGERS_ONLY)
    return None


def find_session() -> StaffSession | None:
    """The sign-in of this browser, read once in a request; None when it is signed out, or the sign-in was ended."""
    if "staff_session" not in g:
        token = session.get(TOKEN)
        g.staff_session = staff_sessions.find(get_deps(), token) if isinstance(token, str) else None
        if g.staff_session is not None:
            use_hotel(g.staff_session.hotel)
    found: StaffSession | None = g.staff_session
    return found


def find_staff() -> Staff | None:
    found = find_session()
    return found.staff if found else None


def current_session() -> StaffSession:
    """For views that need a role: the sign-in is there."""
    found = find_session()
    if found is None:
        abort(404)
    return found


def current_staff() -> Staff:
    person: Staff = current_session().staff
    return person


def actor() -> str:
    """How the audit log names the person: by number, for it holds no personal data."""
    return f"staff {current_staff().id}"


def sign_in(person: Staff) -> None:
    """A new session for somebody who has just proved who they are; whatever the cookie held before is gone."""
    session.clear()
    session[TOKEN] = staff_sessions.start(get_deps(), person, device=request.headers.get("User-Agent", ""))
    g.pop("staff_session", None)


def sign_out() -> None:
    found = find_session()
    if found is not None:
        staff_sessions.end(get_deps(), found.id, of=found.staff)
    session.clear()
    g.pop("staff_session", None)


def has_fresh_password() -> bool:
    return staff_sessions.has_fresh_password(get_deps(), current_session())


def confirm_password() -> str | None:
    """For a form about money (`password_field` in its template): None when the password was typed in the last ten
    minutes or is right in this form; otherwise what is wrong with it, for the form to say.
    TOO_MANY_TRIES past the limit."""
    if has_fresh_password():
        return None
    deps, found = get_deps(), current_session()
    typed = request.form.get("password", "")
    if not typed:
        return "missing"
    if not staff_accounts.check_password_again(deps, found.staff, typed, address=visitor_address()):
        return "wrong"
    staff_sessions.note_password(deps, found)
    g.pop("staff_session", None)
    return None


def _here() -> str:
    """This page, to come back to after signing in; for forms the list they came from is as good as any."""
    return request.full_path.rstrip("?") if request.method == "GET" else ""


def safe_next(wanted: str) -> str:
    """An address of a staff page to go on to, whatever was asked for: no other site, no other part of this one."""
    is_plain = wanted.isprintable() and not any(odd in wanted for odd in ("\\", "//", "/."))
    return wanted if is_plain and wanted.startswith("/staff/") else url_for("staff.today")
