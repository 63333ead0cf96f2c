"""The people who may sign in: adding them, their role, and letting them in again or no more."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from portal.models import Staff
from portal.services import passwords, staff_accounts
from portal.services.staff_accounts import BadStaff, LastManager
from portal.web.context import get_deps
from portal.web.staff import access
from portal.web.staff.account_forms import NewPersonForm, PersonForm
from portal.web.staff.blueprint import staff

Answer = Response | str | tuple[str, int]


@staff.get("/settings/people")
@access.needs(access.MANAGER)
def people() -> str:
    return _list_page(NewPersonForm())


@staff.post("/settings/people")
@access.needs(access.MANAGER)
def add_person() -> Answer:
    """Shows the first password; it is in this answer and nowhere else."""
    form, password = NewPersonForm(), passwords.new_password()
    if problem := access.confirm_password():
        return _list_page(form, problem), 403
    try:
        person = staff_accounts.add_staff(
            get_deps(),
            form.email.data or "",
            role=form.role.data or "",
            name=form.name.data or "",
            password=password,
            actor=access.actor(),
        )
    except BadStaff as bad:
        _show_problems(form, bad)
        return _list_page(form), 400
    return _person_page(person, first_password=password)


@staff.get("/settings/people/<row:staff_id>")
@access.needs(access.MANAGER)
def person(staff_id: int) -> str:
    return _person_page(_find(staff_id))


@staff.post("/settings/people/<row:staff_id>")
@access.needs(access.MANAGER)
def change_person(staff_id: int) -> Answer:
    """What the pressed button says; 409 when nobody would be left who manages."""
    found, do = _find(staff_id), request.form.get("do", "save")
    if do not in _DOINGS and do not in ("save", "reset-password"):
        abort(400)
    if problem := access.confirm_password():
        return _person_page(found, problem=problem), 403
    try:
        if do == "save":
            return _save(found)
        if do == "reset-password":
            password = staff_accounts.reset_password(get_deps(), staff_id, actor=access.actor())
            return _person_page(_find(staff_id), first_password=password)
        work, done = _DOINGS[do]
        work(get_deps(), staff_id, actor=access.actor())
    except LastManager:
        return _person_page(_find(staff_id), last_manager=True), 409
    flash(str(done), "good")
    return redirect(url_for("staff.person", staff_id=staff_id), 303)


_DOINGS: dict[str, Any] = {
    "disable": (staff_accounts.disable, lazy_gettext("Cannot sign in any more. Open sign-ins were ended.")),
    "enable": (staff_accounts.enable, lazy_gettext("May sign in again.")),
    "reset-second-factor": (
        staff_accounts.reset_second_factor,
        lazy_gettext("The app is set up anew at the next sign-in. Open sign-ins were ended."),
    ),
}


def _save(found: Staff) -> Answer:
    form = PersonForm()
    try:
        changed = staff_accounts.change(
            get_deps(), found.id, name=form.name.data or "", role=form.role.data or "", actor=access.actor()
        )
    except BadStaff as bad:
        _show_problems(form, bad)
        return _person_page(found, form), 400
    flash(_("Saved.") if changed else _("Nothing was changed."), "good")
    return redirect(url_for("staff.person", staff_id=found.id), 303)


def _show_problems(form: PersonForm, bad: BadStaff) -> None:
    for name, words in bad.problems.items():
        form[name].errors = [_(words)]


def _find(staff_id: int) -> Staff:
    found: Staff | None = Staff.get_or_none(Staff.id == staff_id)
    if found is None:
        abort(404)
    return found


def _list_page(form: NewPersonForm, problem: str = "") -> str:
    return render_template("staff/people.html", form=form, everybody=staff_accounts.list_staff(), problem=problem)


def _person_page(found: Staff, form: PersonForm | None = None, **more: Any) -> str:
    return render_template(
        "staff/person.html",
        person=found,
        form=form or PersonForm(formdata=None, name=found.name, role=found.role),
        **{"first_password": "", "problem": "", "last_manager": False, **more},
    )
