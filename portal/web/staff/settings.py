"""How the house works, for managers: the way to each part, and what those parts share."""

from typing import Any

from flask import flash, render_template
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from portal.services.hotels import BadHotel, By
from portal.services.new_reservation import text_problem
from portal.web.context import get_deps
from portal.web.staff import access
from portal.web.staff.blueprint import staff

Page = tuple[str, int]


class SettingsForm(FlaskForm):  # type: ignore[misc]
    """A field that a form did not bring keeps what is stored."""

    class Meta:
        csrf = False  # every POST is checked before its view

    def validate(self, extra_validators: Any = None) -> bool:
        """Also refuses what cannot be printed, and shows it as a question mark."""
        is_good = bool(super().validate(extra_validators))
        for field in self:
            field.raw_data = [printable(text) for text in field.raw_data or [] if isinstance(text, str)]
            if isinstance(field.data, str) and (problem := text_problem(field.data)):
                field.errors = [*field.errors, _(problem)]
                field.data, is_good = printable(field.data), False
        return is_good

    def show_problems(self, bad: BadHotel) -> None:
        """Put what the service refused beside the fields."""
        for name, problem in bad.problems.items():
            if name in self:
                self[name].errors = [*self[name].errors, _(problem)]


@staff.get("/settings")
@access.needs(access.MANAGER)
def settings() -> str:
    return render_template("staff/settings/settings.html")


def by() -> By:
    """Who changes something now, for the audit log."""
    return By(access.actor(), get_deps().now())


def printable(text: str) -> str:
    """What was typed, to be shown again: a page can hold no control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def say_saved(changed: Any) -> None:
    flash(_("Saved.") if changed else _("Nothing was different, so nothing was changed."), "good")
