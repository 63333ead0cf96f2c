"""Every address of the portal × everybody who might come. Addresses are read from the application and sorted by their
beginning: one that no line of the table speaks of fails the test, so no new page is forgotten. Which role opens which
staff page is tests/staff/test_authorisation.py."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.deps import Deps
from portal.models import Payment, RateBucket, Refund, Reservation
from portal.services import api_tokens, links
from portal.services.anonymise import NAME
from tests.actors import everything_stored
from tests.security.raw import Answer, Browser, guest_of, nobody, staff_of

UNKNOWN = {"code": "7H4K2MQX9TBC", "payment_id": "PAY-AAAAAAAAAAAAAAAA", "refund_id": "REF-AAAAAAAAAAAAAAAA"}
RETURN_PAGES = ("/reservations/<code>/success", "/reservations/<code>/failed")

KINDS = (
    ("/static/", "open"),
    ("/look/", "open"),
    ("/healthz", "open"),
    ("/readyz", "open"),
    ("/favicon.ico", "open"),
    ("/metrics", "operator"),
    ("/webhooks/", "signed"),
    ("/staff/", "staff"),
    ("/api/", "api"),
    ("/reservations/", "stay"),
    ("/find", "open"),
    ("/link", "open"),
    ("/leave", "open"),
    ("/l/<token>", "open"),
)
"""The beginning of an address → who is asked to prove what. `/` alone is the form that finds a stay."""

API = {
    ("POST", "/api/payments/checkout-session"): "payments",
    ("POST", "/api/payments/<>/retry"): "payments",
    ("GET", "/api/payments/<>/status"): "payments",
    ("GET", "/api/payments/<>/history"): "payments",
    ("POST", "/api/payments/<>/refund"): "payments",
    ("POST", "/api/reservations"): "reservations",
    ("GET", "/api/reservations/<>"): "reservations",
    ("POST", "/api/reservations/<>/cancel"): "reservations",
    ("GET", "/api/openapi.json"): "nothing",
}
"""What a program's token has to be good for."""


def kind_of(rule: Rule) -> str | None:
    return "open" if rule.rule == "/" else next((kind for start, kind in KINDS if rule.rule.startswith(start)), None)


def api_key(rule: Rule, method: str) -> tuple[str, str]:
    plain = rule.rule
    for argument in rule.arguments:
        plain = "/".join("<>" if part.endswith(f"{argument}>") else part for part in plain.split("/"))
    return method, plain


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def rules(app: Flask, kind: str) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if kind_of(rule) == kind]


def address(rule: Rule, values: dict[str, Any]) -> str:
    _, path = rule.build({name: values.get(name, "x") for name in rule.arguments}) or ("", "")
    return path


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_address_is_without_a_line_in_the_table(app: Flask) -> None:
    assert [rule.rule for rule in app.url_map.iter_rules() if kind_of(rule) is None] == []
    programs = {api_key(rule, method) for rule in rules(app, "api") for method in methods(rule)}
    assert programs - set(API) == set(), "say in API what a token needs for it"


def test_whose_stay_it_is(
    app: Flask,
    deps: Deps,
    theirs: tuple[Reservation, Payment, Refund],
    make_reservation: Callable[..., Reservation],
) -> None:
    stay, payment, refund = theirs
    mine, revoked = make_reservation(), make_reservation(in_days=60)
    ended = guest_of(app, revoked)
    Reservation.update(link_version=2).where(Reservation.id == revoked.id).execute()
    theirs_ids = {"code": stay.code, "payment_id": payment.public_id, "refund_id": refund.public_id}
    of_my_code = {**theirs_ids, "code": mine.code}
    owner, stranger = guest_of(app, stay), guest_of(app, mine)
    outsiders = {
        "nobody": nobody(app),
        "another guest": stranger,
        "a guest who is no longer one": ended,
        "the reception": staff_of(app, deps, "reception"),
        "a manager": staff_of(app, deps, "manager"),
        "a program": Browser(app, extra={"Authorization": f"Bearer {api_tokens.add_token(deps, 'x')}"}),
        "a link as a program's token": Browser(
            app, extra={"Authorization": f"Bearer {links.make_link(deps, stay).rsplit('/', 1)[1]}"}
        ),
    }
    before = everything_stored()
    for rule in rules(app, "stay"):
        for method in methods(rule):
            for who, browser in outsiders.items():
                ours, unknown = (browser.send(method, address(rule, ids)) for ids in (theirs_ids, UNKNOWN))
                where = (who, method, rule.rule)
                assert ours.status == unknown.status == (200 if rule.rule in RETURN_PAGES else 404), where
                assert (ours.body, ours.lasting) == (unknown.body, unknown.lasting), where
                assert NAME not in ours.body
                assert stay.guest_name not in ours.body
            if rule.arguments - {"code"}:  # somebody else's payment under one's own stay
                ours, unknown = (
                    stranger.send(method, address(rule, ids)) for ids in (of_my_code, {**UNKNOWN, "code": mine.code})
                )
                assert (ours.status, ours.body) == (unknown.status, unknown.body), rule.rule
                assert ours.status == 404, rule.rule
    assert everything_stored() == before
    for rule in rules(app, "stay"):
        if "GET" in methods(rule):
            assert owner.send("GET", address(rule, theirs_ids)).status in (200, 303), rule.rule


def test_a_link_of_one_stay_opens_that_one_alone(
    app: Flask, deps: Deps, make_reservation: Callable[..., Reservation]
) -> None:
    mine, other = make_reservation(), make_reservation(room="River room")
    browser = nobody(app)
    opened = browser.send("GET", "/l/" + links.make_link(deps, mine).rsplit("/", 1)[1])
    assert (opened.status, opened.headers["Location"]) == (303, f"/reservations/{mine.code}")
    browser.cookie = opened.headers["Set-Cookie"].split(";")[0]
    statuses = [browser.send("GET", f"/reservations/{stay.code}").status for stay in (mine, other)]
    assert statuses == [200, 404]
    browser.cookie = browser.cookie.replace("guest=", "staff=")
    assert browser.send("GET", "/staff/reservations").status == 303


def test_who_is_not_asked_anything_learns_nothing(app: Flask, theirs: tuple[Reservation, Payment, Refund]) -> None:
    stay, payment, _ = theirs
    for rule in rules(app, "open") + rules(app, "operator"):
        for method in methods(rule):
            answer = nobody(app).send(method, address(rule, {"filename": "portal.css", "token": "x"}))
            assert answer.status < 500, rule.rule
            for word in (stay.guest_name, stay.email, stay.code, payment.public_id):
                assert word not in answer.body, rule.rule


def test_only_stripe_tells_us_of_money(app: Flask, deps: Deps, make_reservation: Callable[..., Reservation]) -> None:
    stay = make_reservation()
    everybody = [nobody(app), guest_of(app, stay), staff_of(app, deps, "manager")]
    before = everything_stored()
    for rule in rules(app, "signed"):
        for browser in everybody:
            assert browser.send("POST", rule.rule, body=b"{}", content_type="application/json").status == 400
    assert everything_stored() == before


def test_programs(
    app: Flask, deps: Deps, theirs: tuple[Reservation, Payment, Refund], make_reservation: Callable[..., Reservation]
) -> None:
    """Without a token: 401. With one for something else: 403. With a guest's own link: that stay, and all others look
    like stays that do not exist."""
    stay, payment, _ = theirs
    tokens = {scope: api_tokens.add_token(deps, scope, [scope]) for scope in api_tokens.SCOPES}

    def ask(rule: Rule, method: str, token: str | None, code: str, payment_id: str) -> Answer:
        where = "/api/payments/<>/refund"
        row = payment_id if api_key(rule, method)[1] == where else code
        browser = Browser(app, extra={"Authorization": f"Bearer {token}"} if token else {})
        body = b"" if method == "GET" else b'{"reservation_id":"%s"}' % code.encode() if not rule.arguments else b"{}"
        path = address(rule, dict.fromkeys(rule.arguments, row))
        return browser.send(method, path, body=body, content_type="application/json" if body else "")

    guest = links.make_link(deps, make_reservation()).rsplit("/", 1)[1]
    before = everything_stored()
    for rule in rules(app, "api"):
        for method in methods(rule):
            scope = API[api_key(rule, method)]
            if scope == "nothing":
                assert ask(rule, method, None, stay.code, "").status == 200
                continue
            for wrong in (None, "portal_made-up", tokens["payments"][:-1]):
                refused = ask(rule, method, wrong, stay.code, payment.public_id)
                assert (refused.status, '"ERR_AUTH"' in refused.body) == (401, True), (method, rule.rule, refused.body)
                RateBucket.delete().execute()  # this one is allowed to guess
            other = next(token for name, token in tokens.items() if name != scope)
            assert ask(rule, method, other, stay.code, payment.public_id).status == 403, (method, rule.rule)
            known, unknown = (
                ask(rule, method, guest, code, payment_id)
                for code, payment_id in ((stay.code, payment.public_id), (UNKNOWN["code"], UNKNOWN["payment_id"]))
            )
            assert known.status == unknown.status == 403, (method, rule.rule, known.body)
            assert (known.body, known.lasting) == (unknown.body, unknown.lasting)
    assert _without_use(everything_stored()) == _without_use(before)


def _without_use(stored: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """But when a token was last used, and how often somebody guessed."""
    return {name: rows for name, rows in stored.items() if name not in ("ApiToken", "RateBucket")}
