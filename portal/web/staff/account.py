"""My own account: where I am signed in, my password, my recovery codes."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.services import second_factor, staff_accounts, staff_sessions
from portal.web.context import get_deps, visitor_address
from portal.web.staff import access
from portal.web.staff.account_forms import ChangePasswordForm
from portal.web.staff.blueprint import staff


@staff.get("/account")
@access.needs(access.RECEPTION)
def account() -> str:
    return _page()


@staff.post("/account/sign-ins/<row:session_id>")
@access.needs(access.RECEPTION)
def end_sign_in(session_id: int) -> Response:
    """Ends one of one's own; ending the present one is signing out."""
    if session_id == access.current_session().id:
        access.sign_out()
        return redirect(url_for("staff.sign_in"), 303)
    ended = staff_sessions.end(get_deps(), session_id, of=access.current_staff())
    flash(_("The sign-in is ended.") if ended else _("That sign-in had ended already."), "good")
    return redirect(url_for("staff.account"), 303)


@staff.post("/account/sign-ins")
@access.needs(access.RECEPTION)
def end_other_sign_ins() -> Response:
    found = access.current_session()
    ended = staff_sessions.end_all(get_deps(), found.staff, but=found.id)
    flash(ngettext("%(num)s other sign-in was ended.", "%(num)s other sign-ins were ended.", ended), "good")
    return redirect(url_for("staff.account"), 303)


@staff.post("/account/recovery-codes")
@access.needs(access.RECEPTION)
def new_recovery_codes() -> str | tuple[str, int]:
    """They are in this answer and nowhere else."""
    if problem := access.confirm_password():
        return _page(problem), 403
    codes = second_factor.new_recovery_codes(access.current_staff())
    return render_template("staff/recovery_codes.html", codes=codes, go_on=url_for("staff.account"))


@staff.route("/password", methods=["GET", "POST"])
@access.needs(access.RECEPTION)
def change_password() -> Response | str | tuple[str, int]:
    """One's own new password; all other sign-ins end. Who has to change a first password typed it a moment ago."""
    form, found = ChangePasswordForm(), access.current_session()
    person, must = found.staff, found.staff.must_change_password
    if request.method == "GET":
        return render_template("staff/change_password.html", form=form, must=must)
    if not (must or _is_current(form)) or not form.is_good(person):
        return render_template("staff/change_password.html", form=form, must=must), 400
    if not staff_accounts.change_password(get_deps(), person, form.new.data, but=found.id):
        access.sign_out()
        flash(_("Your password was changed elsewhere at the same moment. Sign in again."), "bad")
        return redirect(url_for("staff.sign_in"), 303)
    staff_sessions.note_password(get_deps(), found)
    flash(_("Your password is changed. All your other sign-ins were ended."), "good")
    return redirect(url_for("staff.today" if must else "staff.account"), 303)


def _is_current(form: ChangePasswordForm) -> bool:
    """Whether the present password was typed; otherwise its field says so. Misses are counted."""
    typed = (form.current.data or "")[:1000]
    person, address = access.current_staff(), visitor_address()
    if typed and staff_accounts.check_password_again(get_deps(), person, typed, address=address):
        return True
    form.current.errors = [_("That is not your password.") if typed else _("Enter your present password.")]
    return False


def _page(problem: str = "") -> str:
    person, deps = access.current_staff(), get_deps()
    return render_template(
        "staff/account.html",
        sign_ins=[(row, device_words(row.device)) for row in staff_sessions.open_sessions(deps, person)],
        present=access.current_session().id,
        codes_left=second_factor.recovery_codes_left(person),
        problem=problem,
    )


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_words(agent: str) -> str:
    """Firefox, Windows: as much as the browser said of itself."""
    found = [next((words for sign, words in signs if sign in agent), "") for signs in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found)) or _("Another browser")
