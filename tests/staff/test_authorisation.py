"""Role by route by owner: every address under /staff, for everybody who might come. The table of who may what is written
down here a second time, so that a view that asks for too little is noticed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from portal import create_app
from portal.deps import Deps
from portal.models import Reservation, StaffSession
from portal.services import staff_sessions
from tests.actors import everything_stored
from tests.staff.desk import hire

HERE = "http://127.0.0.1:8000"

SIGNED_OUT = ("staff.sign_in", "staff.sign_out", "staff.enrol", "staff.forgot", "staff.reset_password")
"""Endpoints, or beginnings of them, that somebody who is signed out may open: those of signing in."""
MANAGERS = ("staff.settings", "staff.people", "staff.add_person", "staff.person", "staff.change_person")
"""Those that change how the house works."""


@pytest.fixture
def app(deps: Deps) -> Flask:
    made = create_app(deps.settings, deps)
    made.config["WTF_CSRF_ENABLED"] = False  # what answers has to be the question of who it is
    return made


def expected_need(endpoint: str) -> str:
    if endpoint.startswith(SIGNED_OUT):
        return "anyone"
    return "manager" if endpoint.startswith(MANAGERS) else "reception"


def calls(app: Flask, reservation: Reservation) -> Iterator[tuple[Rule, str, str]]:
    """Each staff rule with each of its methods and an address, its blanks filled in."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("staff."):
            values: dict[str, Any] = {name: reservation.code if name == "code" else "1" for name in rule.arguments}
            _, address = rule.build(values) or ("", "")
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield rule, method, address


def browser_of(app: Flask, deps: Deps, role: str | None) -> FlaskClient:
    client = app.test_client()
    if role:
        token = staff_sessions.start(deps, hire(deps, role))
        with client.session_transaction("/staff/", base_url=HERE) as cookie:
            cookie["token"] = token
    return client


def test_every_view_needs_what_the_table_says(app: Flask) -> None:
    wrong = {
        endpoint: getattr(view, "needs", None)
        for endpoint, view in app.view_functions.items()
        if endpoint.startswith("staff.") and getattr(view, "needs", None) != expected_need(endpoint)
    }
    assert wrong == {}


def test_signed_out_nobody_gets_further_than_the_sign_in(
    app: Flask, deps: Deps, make_reservation: Callable[..., Reservation]
) -> None:
    reservation, client = make_reservation(), browser_of(app, deps, None)
    before = everything_stored()
    for rule, method, address in calls(app, reservation):
        if expected_need(rule.endpoint) != "anyone":
            answer = client.open(address, method=method, base_url=HERE)
            assert (answer.status_code, "/staff/sign-in" in answer.headers.get("Location", "")) == (303, True), address
            assert reservation.guest_name not in answer.text
    assert everything_stored() == before


def test_the_reception_changes_nothing_that_is_the_managers(
    app: Flask, deps: Deps, make_reservation: Callable[..., Reservation]
) -> None:
    reservation, client = make_reservation(), browser_of(app, deps, "reception")
    before = everything_stored()
    for rule, method, address in calls(app, reservation):
        if expected_need(rule.endpoint) == "manager":
            answer = client.open(address, method=method, base_url=HERE)
            assert (answer.status_code, "This page is for managers" in answer.text) == (403, True), (method, address)
    assert everything_stored() == before


@pytest.mark.parametrize("role", ["reception", "manager"])
def test_whoever_may_gets_an_answer_and_never_a_fault(
    role: str, app: Flask, deps: Deps, make_reservation: Callable[..., Reservation]
) -> None:
    reservation = make_reservation()
    for rule, method, address in calls(app, reservation):
        answer = browser_of(app, deps, role).open(address, method=method, base_url=HERE)
        assert answer.status_code < 500, (method, address)
        if role == "manager" or expected_need(rule.endpoint) != "manager":
            assert answer.status_code != 403 or "password" in answer.text, (method, address)


def test_a_sign_in_of_somebody_who_was_disabled_or_ended_opens_nothing(app: Flask, deps: Deps) -> None:
    client = browser_of(app, deps, "manager")
    assert client.get("/staff/", base_url=HERE).status_code == 200
    person = hire(deps, "manager")
    type(person).update(disabled_at=deps.now()).execute()
    assert client.get("/staff/", base_url=HERE).status_code == 303
    type(person).update(disabled_at=None).execute()
    StaffSession.update(ended_at=deps.now()).execute()
    assert client.get("/staff/", base_url=HERE).status_code == 303
