"""Addresses that nobody types by accident."""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from portal import db
from portal.models import RateBucket, Reservation
from stripe_simulator import Control
from tests.actors import Guest, everything_stored, session_of

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]


@pytest.mark.parametrize(
    "path",
    [
        "/reservations/{code}.css",
        "/reservations/x.css",
        "/reservations/..%2f",
        "/reservations/..%2f..%2fetc%2fpasswd",
        "/reservations/{code};jsessionid=1",
        "/reservations/{code}/",
        "/reservations/{code}/pay.css",
        "/reservations/{code}/payments/x",
        "/reservations/{code}%00",
        "/reservations/{code}/success/",
        "/reservations/%F0%9F%98%80",
        "/reservations/%FF",
        "/reservations/{code}...",
        "//evil.example/reservations/{code}",
        "/RESERVATIONS/{code}",
        "/static/..%2f..%2fportal%2fsettings.py",
        "/static/../portal/settings.py",
        "/static/%00",
        "/.env",
        "/.git/config",
        "/l/",
        "/" + "x" * 5_000,
    ],
)
def test_it_is_not_found_and_not_kept(path: str, guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    status, headers, body = _raw_get(guest, path.format(code=reservation.code))
    assert status == 404, (path, body[:200])
    assert headers["cache-control"] == "private, no-store"
    assert "Carvalho" not in body
    assert "Traceback" not in body


def test_a_get_changes_nothing(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))  # there would be something to settle
    before = everything_stored(but=(RateBucket,))
    code = reservation.code
    paths = [
        "/",
        "/find",
        "/leave",
        "/l/garbled",
        "/healthz",
        "/readyz",
        "/nowhere",
        "/webhooks/stripe",
        "/favicon.ico",
    ]
    for path in [*paths, f"/reservations/{code}", f"/reservations/{code}/payments", f"/reservations/{code}/pay"]:
        for method in ("GET", "HEAD", "OPTIONS"):
            guest.browser.request(method, guest.portal_url + path)
    assert everything_stored(but=(RateBucket,)) == before
    guest.goes_to(f"/reservations/{code}/success")
    assert everything_stored(but=(RateBucket,)) != before, "the return page may, and the comparison sees it"


def test_a_busy_database_is_told_as_such(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    with db.transaction():
        db.lock(Reservation, reservation.id)  # on SQLite the transaction alone keeps every other writer out
        page = guest.presses_pay_in_vain()
        assert page.status == 503
        assert int(guest.answer.headers["Retry-After"]) > 0
        assert "Nothing was charged by this." in page.text
        assert guest.goes_to(f"/reservations/{reservation.code}").status == 200, "reading goes on"
    assert guest.presses_pay()
    assert len(stripe.truth()["sessions"]) == 1


def _raw_get(guest: Guest, path: str) -> tuple[int, dict[str, str], str]:
    """As it stands, without a client that tidies the address up."""
    where = urlsplit(guest.portal_url)
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in guest.browser.cookies)
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        lines = [f"GET {path} HTTP/1.1", f"Host: {where.netloc}", f"Cookie: {cookie}", "Connection: close", "", ""]
        connection.sendall("\r\n".join(lines).encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    status, *fields = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return int(status.split()[1]), headers, body
