"""Somebody at the front desk, with a plain browser and a sign-in."""

import re
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from portal.deps import Deps
from portal.models import Staff
from portal.services import passwords, staff_accounts, staff_sessions
from tests.actors import Guest
from tests.pages import Page

PASSWORD = "pear tree in the yard"
EMAILS = {"manager": "marta@limoeiro.example", "reception": "rita@limoeiro.example"}


def cheap_passwords() -> None:
    """Hashes that cost nothing: tests make many."""
    passwords.hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hire(deps: Deps, role: str, *, email: str | None = None) -> Staff:
    cheap_passwords()
    email = email or EMAILS[role]
    found = Staff.get_or_none(Staff.email == email)
    return found or staff_accounts.add_staff(
        deps, email, role=role, name=role.title(), password=PASSWORD, must_change=False
    )


def cookie_of(deps: Deps, content: dict[str, Any]) -> str:
    """As the portal writes it, signed."""
    app = Flask("cookie")
    app.secret_key = deps.settings.secret_keys[0]
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return str(serializer.dumps(content))


class Desk(Guest):
    """A `Guest` who works here: the same browser, with the cookie of a sign-in."""

    def __init__(self, portal_url: str, deps: Deps, role: str | None) -> None:
        super().__init__(portal_url, deps)
        self.person = hire(deps, role) if role else None
        if self.person:
            self.takes_cookie({"token": staff_sessions.start(deps, self.person)})

    def takes_cookie(self, content: dict[str, Any]) -> None:
        self.browser.cookies.set("staff", cookie_of(self.deps, content), domain="127.0.0.1", path="/")

    def submits(self, action_ends: str, **values: Any) -> Page:
        """Fill in and send a form of the present page, with the chosen options and texts that it already holds."""
        (form,) = self.page.forms(action_ends)[:1] or [None]
        assert form is not None, f"no form {action_ends} on {self.page.url}: {self.page.text}"
        data = {**fields_of(form), **values}
        return self._read(self.browser.post(self._url(form.get("action", "")), data=data))


def fields_of(form: Any) -> dict[str, Any]:
    """What a browser would send of an untouched form."""
    data: dict[str, Any] = {}
    for item in form.iter():
        name, kind = item.get("name"), item.get("type")
        if not name or kind in ("submit", "file"):
            continue
        if item.tag == "input" and (kind not in ("checkbox", "radio") or item.get("checked") is not None):
            data[name] = item.get("value", "on" if kind == "checkbox" else "")
        elif item.tag == "textarea":
            data[name] = re.sub(r"^\n", "", "".join(item.itertext()))
        elif item.tag == "select":
            options = list(item.iter("option"))
            chosen = [o for o in options if o.get("selected") is not None] or options[:1]
            data[name] = chosen[0].get("value", "".join(chosen[0].itertext())) if chosen else ""
    return data
