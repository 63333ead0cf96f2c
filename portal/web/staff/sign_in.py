"""Signing in and out: password, then a code; the first time, setting up the app that makes the codes."""

import io
from dataclasses import dataclass
from datetime import timedelta

import segno
from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.models import Staff
from portal.services import password_resets, passwords, second_factor, staff_accounts
from portal.web.context import get_deps, get_hotel, visitor_address
from portal.web.staff import access
from portal.web.staff.account_forms import CodeForm, ForgotForm, NewPasswordForm, SignInForm
from portal.web.staff.blueprint import staff

PENDING = "pending"
CODE_WITHIN = timedelta(minutes=10)
"""Between the password and the code; later the password is asked again."""

LONGEST_NEXT = 500


@dataclass(frozen=True)
class Pending:
    """Somebody whose password was right a moment ago, and who is not in yet."""

    person: Staff
    next: str
    nonce: str


Answer = Response | str | tuple[str, int]

# The password ---------------------------------------------------------------------------------------------------------


@staff.get("/sign-in")
@access.needs(access.ANYONE)
def sign_in() -> Answer:
    wanted = request.args.get("next", "")[:LONGEST_NEXT]
    if access.find_session():
        return redirect(access.safe_next(wanted), 303)
    return _sign_in_page(SignInForm(), wanted)


@staff.post("/sign-in")
@access.needs(access.ANYONE)
def sign_in_post() -> Answer:
    """303 to the code, or to setting one up; one answer, 400, for everything that does not match."""
    deps, form, wanted = get_deps(), SignInForm(), request.form.get("next", "")[:LONGEST_NEXT]
    if not form.validate():
        return _sign_in_page(form, wanted), 400
    person = staff_accounts.check_password(deps, form.email.data, form.password.data, address=visitor_address())
    if person is None:
        form.password.errors = [_("That e-mail and password do not match. Check both.")]
        return _sign_in_page(form, wanted), 400
    session.clear()
    session[PENDING] = {
        "staff": person.id,
        "stamp": staff_accounts.stamp(deps, person),
        "at": int(deps.now().timestamp()),
        "next": wanted,
        "nonce": passwords.new_token(),
    }
    return redirect(url_for("staff.sign_in_code" if person.totp_secret else "staff.enrol"), 303)


@staff.post("/sign-out")
@access.needs(access.ANYONE)
def sign_out() -> Response:
    access.sign_out()
    return redirect(url_for("staff.sign_in"), 303)


def _sign_in_page(form: SignInForm, wanted: str) -> str:
    return render_template("staff/sign_in.html", form=form, wanted=wanted)


# The code -------------------------------------------------------------------------------------------------------------


@staff.get("/sign-in/code")
@access.needs(access.ANYONE)
def sign_in_code() -> Answer:
    pending = _find_pending()
    if pending is None:
        return _start_over()
    if pending.person.totp_secret is None:
        return redirect(url_for("staff.enrol"), 303)
    return _code_page(CodeForm())


@staff.post("/sign-in/code")
@access.needs(access.ANYONE)
def sign_in_code_post() -> Answer:
    """A code of the app or a recovery code; either is good for once."""
    pending, form = _find_pending(), CodeForm()
    if pending is None or pending.person.totp_secret is None:
        return _start_over()
    if not form.validate():
        return _code_page(form), 400
    if not second_factor.is_right(get_deps(), pending.person, form.code.data, address=visitor_address()):
        form.code.errors = [_("That code does not match, or was used before. Wait for the next one.")]
        return _code_page(form), 400
    access.sign_in(pending.person)
    if not second_factor.looks_like_app_code(form.code.data):
        left = second_factor.recovery_codes_left(pending.person)
        flash(ngettext("You have %(num)s recovery code left.", "You have %(num)s recovery codes left.", left), "good")
    return redirect(access.safe_next(pending.next), 303)


def _code_page(form: CodeForm) -> str:
    recovery = "recovery" in request.args
    form.code.label.text = _("Recovery code") if recovery else _("Code")
    return render_template("staff/sign_in_code.html", form=form, recovery=recovery)


# The first time -------------------------------------------------------------------------------------------------------


@staff.get("/sign-in/app")
@access.needs(access.ANYONE)
def enrol() -> Answer:
    pending = _find_pending()
    if pending is None:
        return _start_over()
    if pending.person.totp_secret is not None:
        return redirect(url_for("staff.sign_in_code"), 303)
    return _enrol_page(pending, CodeForm())


@staff.post("/sign-in/app")
@access.needs(access.ANYONE)
def enrol_post() -> Answer:
    """The first code shows that the app has the key. The recovery codes are in this answer and nowhere else."""
    pending, form, deps = _find_pending(), CodeForm(), get_deps()
    if pending is None or pending.person.totp_secret is not None:
        return _start_over()
    if not form.validate():
        return _enrol_page(pending, form), 400
    key = second_factor.key_from(deps, pending.person, pending.nonce)
    codes = second_factor.enrol(deps, pending.person, key, form.code.data, address=visitor_address())
    if codes is None:
        form.code.errors = [_("That code does not match. Check that your phone shows the right time.")]
        return _enrol_page(pending, form), 400
    access.sign_in(pending.person)
    return render_template("staff/recovery_codes.html", codes=codes, go_on=access.safe_next(pending.next))


def _enrol_page(pending: Pending, form: CodeForm) -> str:
    key = second_factor.key_from(get_deps(), pending.person, pending.nonce)
    return render_template(
        "staff/enrol.html",
        form=form,
        key=" ".join(key[at : at + 4] for at in range(0, len(key), 4)),
        qr=_draw(second_factor.address_of(key, pending.person, get_hotel().name)),
    )


def _draw(text: str) -> Markup:
    """A QR code as SVG with attributes alone, which the content security policy lets through; dark on white always."""
    out = io.BytesIO()
    segno.make(text, micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        nl=False,
        light="#fff",
        svgclass="qr",
        lineclass=None,
    )
    svg = out.getvalue().decode().replace("<svg ", '<svg role="img" aria-labelledby="qr-words" ', 1)
    return Markup(svg)  # noqa: S704  # drawn by the library; the text is in it as squares


def _find_pending() -> Pending | None:
    """Ends after ten minutes, and when the password or the second factor changes, or the person is disabled."""
    deps, kept = get_deps(), session.get(PENDING)
    if not isinstance(kept, dict):
        return None
    age = deps.now().timestamp() - kept["at"]
    person = staff_accounts.find_stamped(deps, kept["staff"], kept["stamp"])
    if person is None or not -1 <= age <= CODE_WITHIN.total_seconds():
        return None
    return Pending(person, kept["next"], kept["nonce"])


def _start_over() -> Response:
    session.pop(PENDING, None)
    if access.find_session():
        return redirect(url_for("staff.today"), 303)
    flash(_("Enter your password again: too much time has passed, or your sign-in was changed."), "bad")
    return redirect(url_for("staff.sign_in"), 303)


# A forgotten password -------------------------------------------------------------------------------------------------


@staff.get("/forgot")
@access.needs(access.ANYONE)
def forgot() -> str:
    return _forgot_page(ForgotForm())


@staff.post("/forgot")
@access.needs(access.ANYONE)
def forgot_post() -> Answer:
    """Always the same answer. Without a mail server there is nothing to ask for."""
    form = ForgotForm()
    if not get_deps().mail.is_on:
        return _forgot_page(form), 409
    if not form.validate():
        return _forgot_page(form), 400
    password_resets.ask(get_deps(), form.email.data, address=visitor_address())
    flash(_("If somebody here has that e-mail, a link is on its way to it. It works for an hour."), "good")
    return redirect(url_for("staff.sign_in"), 303)


def _forgot_page(form: ForgotForm) -> str:
    return render_template("staff/forgot.html", form=form, mail_is_on=get_deps().mail.is_on)


@staff.get("/reset/<token>")
@access.needs(access.ANYONE)
def reset_password(token: str) -> Answer:
    """Changes nothing: mail scanners follow links too."""
    reset = password_resets.find(get_deps(), token)
    return _reset_page(token, NewPasswordForm()) if reset else _reset_over()


@staff.post("/reset/<token>")
@access.needs(access.ANYONE)
def reset_password_post(token: str) -> Answer:
    deps, form = get_deps(), NewPasswordForm()
    reset = password_resets.find(deps, token)
    if reset is None:
        return _reset_over()
    if not form.is_good(reset.staff):
        return _reset_page(token, form), 400
    if not password_resets.use(deps, reset, form.new.data):
        return _reset_over()
    access.sign_out()
    flash(_("Your password is changed, and all sign-ins were ended. Sign in with the new one."), "good")
    return redirect(url_for("staff.sign_in"), 303)


def _reset_page(token: str, form: NewPasswordForm) -> str:
    return render_template("staff/reset_password.html", form=form, token=token)


def _reset_over() -> tuple[str, int]:
    return render_template("staff/reset_password.html", form=None, token=""), 404
