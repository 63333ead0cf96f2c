"""What a form may carry: our own token, only our fields, and not too much."""

from collections.abc import Callable

import pytest
import requests

from portal.models import Payment, Reservation
from stripe_simulator import Control
from tests.actors import Guest, everything_stored, rows
from tests.pages import read_page

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]


@pytest.mark.parametrize("token", [None, "IjEi.aaaa.bbbb", "foreign"])
@pytest.mark.parametrize("path", ["/pay", "/leave", "/find"])
def test_a_form_without_our_token_does_nothing_and_says_so(
    path: str,
    token: str | None,
    guest: Guest,
    new_browser: Callable[[], Guest],
    stripe: Control,
    make_reservation: Make,
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    if token == "foreign":
        other = new_browser().goes_to("/")
        token = other.fields(other.forms("/find")[0])["csrf_token"]
    data = {"code": reservation.code, "email": reservation.email} | ({} if token is None else {"csrf_token": token})
    before = everything_stored()
    target = f"/reservations/{reservation.code}/pay" if path == "/pay" else path

    answer = guest.browser.post(guest.portal_url + target, data=data, allow_redirects=False)
    page = read_page(answer.status_code, answer.url, answer.text)
    assert page.status == 400
    assert "This page did not charge you." in page.text
    assert everything_stored() == before
    assert stripe.requests() == []
    assert guest.goes_to(f"/reservations/{reservation.code}").status == 200, "still signed in"


def test_what_a_form_adds_about_money_is_ignored(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    forged = {"amount": "1", "currency": "jpy", "attempt": "9", "total": "1", "price": "0.01", "reservation": "x"}
    form = guest.page.forms("/pay")[0]
    guest.browser.post(
        f"{guest.portal_url}{form.get('action')}?amount=1&currency=usd",
        data=guest.page.fields(form) | forged | {"code": "7H4K2MQX9TBC", "status": "confirmed"},
        allow_redirects=False,
    )
    (session,) = stripe.truth()["sessions"]
    assert (session["amount_total"], session["currency"]) == (112_500, "eur")
    (payment,) = rows(Payment)
    assert (payment.amount, payment.attempt_number, payment.reservation_id) == (112_500, 1, reservation.id)


def test_other_methods_are_refused(guest: Guest, make_reservation: Make) -> None:
    code = make_reservation().code
    token = {"csrf_token": guest.goes_to("/").fields(guest.page.forms("/find")[0])["csrf_token"]}
    before = everything_stored()
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        for path in ("/", "/find", "/leave", f"/reservations/{code}", f"/reservations/{code}/pay", "/webhooks/stripe"):
            answer = guest.browser.request(method, guest.portal_url + path, data=token, allow_redirects=False)
            assert answer.status_code == 405, (method, path)
    assert everything_stored() == before


@pytest.mark.parametrize("path", ["/find", "/leave", "/reservations/{code}/pay", "/webhooks/stripe"])
def test_an_action_is_never_a_get(path: str, guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    answer = guest.browser.get(guest.portal_url + path.format(code=reservation.code))
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    override = guest.browser.get(
        f"{guest.portal_url}{path.format(code=reservation.code)}?_method=POST",
        headers={"X-HTTP-Method-Override": "POST"},
    )
    assert override.status_code == 405
    assert rows(Payment) == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_form_that_is_too_large_is_refused(chunked: bool, guest: Guest, database: str) -> None:
    guest.goes_to("/")
    body = b"code=" + b"7" * 70_000
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    data = iter([body[:1000], body[1000:]]) if chunked else body
    answer = guest.browser.post(f"{guest.portal_url}/find", data=data, headers=headers)
    assert answer.status_code in ((400, 413) if chunked else (413,))
    assert "This page did not charge you." in answer.text


def test_ten_thousand_fields_are_refused(guest: Guest, database: str) -> None:
    guest.goes_to("/")
    answer = guest.browser.post(f"{guest.portal_url}/find", data={f"f{n}": "1" for n in range(10_000)})
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    "body",
    [b"code=%FF%FE&email=%C3%28", b"code=%ED%A0%80&email=a%40b.example", b"\xff\xfe\x00", b"code=a&code=b&email=a@b"],
    ids=["not UTF-8", "a surrogate", "no form", "twice"],
)
def test_bytes_that_are_no_text_are_refused(body: bytes, guest: Guest, database: str) -> None:
    page = guest.goes_to("/")
    token = page.fields(page.forms("/find")[0])["csrf_token"].encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = guest.browser.post(f"{guest.portal_url}/find", data=b"csrf_token=" + token + b"&" + body, headers=headers)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data", "x", ""])
def test_other_kinds_of_bodies_are_refused(
    content_type: str, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    answer = guest.browser.post(
        f"{guest.portal_url}/reservations/{reservation.code}/pay",
        data=b'{"csrf_token": "x"}',
        headers={"Content-Type": content_type},
    )
    assert answer.status_code == 400
    assert stripe.requests() == []


def test_a_body_that_ends_early_is_no_fault_of_ours(guest: Guest, database: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{guest.portal_url}/find",
            data=b"--x\r\nContent-Disposition: form-data; name=",
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
    assert answer.status_code == 400
