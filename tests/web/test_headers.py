"""What every answer carries, whatever kind it is."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import pytest
from flask import Flask, Response

from portal import create_app
from portal.deps import Deps
from portal.models import Reservation
from portal.web import static_files
from stripe_simulator import Control, Simulator
from tests.actors import Guest

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]
KINDS = (
    *("/", "/reservations/{code}", "/reservations/{code}/payments", "/reservations/{code}/failed"),
    *("/reservations/7H4K2MQX9TBC", "/reservations/7H4K2MQX9TBC/success", "/nowhere", "/l/garbled", "/healthz"),
    *("/readyz", "/find", "/webhooks/stripe", "/static/nothing.css"),
)


@pytest.mark.parametrize("path", KINDS)
def test_every_answer_is_guarded(path: str, guest: Guest, simulator: Simulator, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    answer = guest.browser.get(guest.portal_url + path.format(code=reservation.code), allow_redirects=False)
    _is_guarded(answer.headers, simulator)


def test_redirects_and_refusals_are_guarded_too(
    guest: Guest, stripe: Control, simulator: Simulator, make_reservation: Make
) -> None:
    guest.opens_link(make_reservation())
    _is_guarded(guest.answer.history[0].headers, simulator)
    form = guest.page.forms("/pay")[0]
    pay = f"{guest.portal_url}{form.get('action')}"
    for data in ({}, guest.page.fields(form)):
        _is_guarded(guest.browser.post(pay, data=data, allow_redirects=False).headers, simulator)
    _is_guarded(guest.browser.post(f"{guest.portal_url}/webhooks/stripe", data=b"{}").headers, simulator)


def test_pages_of_one_browser_are_not_given_to_another(guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    for path in (f"/reservations/{reservation.code}", "/reservations/7H4K2MQX9TBC", "/"):
        guest.goes_to(path)
        assert "Cookie" in guest.answer.headers["Vary"]
        assert guest.answer.headers["Cache-Control"] == "private, no-store"


def test_static_files_with_a_hash_are_kept_by_browsers(guest: Guest, database: str) -> None:
    page = guest.goes_to("/")
    style = str(next(e.get("href") for e in page.root.iter("link") if e.get("rel") == "stylesheet"))
    font = urljoin(style, "fonts/newsreader-latin-400-600.woff2")  # as the style sheet names it
    for address in (style, font):
        answer = guest.browser.get(guest.portal_url + address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in answer.headers


def test_a_page_of_another_version_still_gets_its_style_but_not_for_good(guest: Guest, database: str) -> None:
    for address in ("/static/v/0123456789ab/portal.css", "/static/portal.css"):
        answer = guest.browser.get(guest.portal_url + address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=3600")
    for nothing in ("/static/v/0123456789ab/nothing.css", "/static/v/0123456789ab/../../wsgi.py"):
        answer = guest.browser.get(guest.portal_url + nothing)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "private, no-store")


def test_addresses_of_static_files_change_with_their_contents(tmp_path: Path) -> None:
    def address() -> str:
        app = Flask(__name__, static_folder=str(tmp_path), static_url_path="/static")
        static_files.register(app)
        with app.app_context():
            return static_files.asset("a.css")

    (tmp_path / "a.css").write_text("one")
    first = address()
    assert address() == first
    (tmp_path / "a.css").write_text("two")
    assert address() != first
    (tmp_path / "a.css").write_text("one")
    (tmp_path / "b.css").write_text("")
    assert address() != first


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "", "a b", "[::"])
def test_a_forged_host_is_refused(host: str, guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    answer = guest.browser.get(f"{guest.portal_url}/", headers={"Host": host}, allow_redirects=False)
    assert answer.status_code == 400
    assert "evil" not in answer.text
    guest.opens_link(reservation)


def test_forwarded_headers_of_nobody_we_trust_change_nothing(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    guest.browser.headers.update(
        {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "203.0.113.9",
            "Forwarded": "host=evil.example;proto=https",
            "X-Original-URL": "/nowhere",
        }
    )
    page = guest.opens_link(make_reservation())
    assert page.status == 200
    assert "evil" not in page.html
    guest.presses_pay()
    (session,) = stripe.truth()["sessions"]
    assert session["success_url"].startswith(guest.portal_url)


def test_an_answer_that_takes_the_place_of_another_is_guarded_too(deps: Deps, simulator: Simulator) -> None:
    app = create_app(deps.settings, deps)
    app.after_request_funcs[None].append(lambda _: Response("of the library's own class"))
    answer = app.test_client().get("/", base_url=deps.settings.public_base_url)
    assert answer.text.startswith("of the library")
    _is_guarded(answer.headers, simulator)
    assert len(answer.headers.getlist("Content-Security-Policy")) == 1


@pytest.mark.parametrize(
    "language", ["xx-YY", "'; DROP TABLE", "de;q=nan", "*" * 5_000, "\u00e9", "zh-Hans-CN-x-private"]
)
def test_a_language_nobody_speaks_is_english(language: str, guest: Guest, make_reservation: Make) -> None:
    guest.browser.headers["Accept-Language"] = language.encode("latin-1")
    page = guest.opens_link(make_reservation(locale=language[:40]))
    assert page.status == 200
    assert page.root.get("lang") == "en-GB"


def _is_guarded(headers, simulator: Simulator) -> None:  # type: ignore[no-untyped-def]
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert f"form-action 'self' https://checkout.stripe.com {simulator.url};" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["X-Request-Id"]
