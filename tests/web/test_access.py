"""A browser sees the stays that it opened, and no other."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from itsdangerous import timed

from portal.domain.guest_match import show_code
from portal.models import Payment, Reservation
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows

Make = Callable[..., Reservation]
PAGES = ("", "/payments")


def test_another_guests_stay_looks_like_one_that_does_not_exist(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    mine, other = make_reservation(), make_reservation(room="River room", guest_name="Somebody Else")
    guest.opens_link(mine)
    token = guest.page.fields(guest.page.forms("/pay")[0])["csrf_token"]
    for path in PAGES:
        theirs = guest.goes_to(f"/reservations/{other.code}{path}")
        unknown = guest.goes_to(f"/reservations/7H4K2MQX9TBC{path}")
        assert theirs.status == unknown.status == 404
        assert theirs.html == unknown.html
        assert "Nothing was charged." in theirs.text

    for code in (other.code, "7H4K2MQX9TBC"):
        answer = guest.browser.post(f"{guest.portal_url}/reservations/{code}/pay", data={"csrf_token": token})
        assert answer.status_code == 404
    assert rows(Payment) == stripe.requests() == []


def test_leaving_ends_it(guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    page = guest.sends("/leave")
    assert (page.status, page.title) == (200, "Find your reservation")
    for path in PAGES:
        assert guest.goes_to(f"/reservations/{reservation.code}{path}").status == 404


def test_the_cookie_is_kept_from_scripts_and_other_sites(guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    header = guest.answer.history[0].headers["Set-Cookie"]
    assert header.startswith("guest=")
    flags = {part.strip().split("=")[0].lower() for part in header.split(";")[1:]}
    assert {"httponly", "path", "expires", "samesite"} <= flags
    assert "SameSite=Lax" in header
    assert "domain" not in flags
    for private in ("ines", "Carvalho"):
        assert private not in header


@pytest.mark.parametrize(
    ("how", "change"),
    [
        ("other signature", lambda cookie: cookie[:-5] + "AAAAA"),
        ("a letter more", lambda cookie: "x" + cookie),
        ("no signature", lambda cookie: cookie.split(".")[0]),
        ("long", lambda cookie: "A" * 7_000),
        ("empty", lambda cookie: ""),
        ("a quote", lambda cookie: '"'),
        ("made up", lambda cookie: "eyJzdGF5cyI6eyJYIjoxfX0.aaaa.bbbb"),
        ("other content", lambda cookie: ".".join(["W10", *cookie.split(".")[1:]])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_altered_cookie_is_a_stranger(
    how: str, change: Callable[[str], str], guest: Guest, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    cookie = guest.browser.cookies["guest"]
    guest.browser.cookies.clear()
    guest.browser.headers["Cookie"] = f"guest={change(cookie)}"
    assert guest.goes_to(f"/reservations/{reservation.code}").status == 404
    assert guest.goes_to("/").status == 200


def test_a_session_ends_after_a_day(guest: Guest, make_reservation: Make) -> None:
    guest.opens_link(make_reservation())
    expires = next(cookie.expires for cookie in guest.browser.cookies if cookie.name == "guest")
    assert 0 < expires - time.time() <= 24 * 3600 + 5


def test_a_cookie_that_was_read_before_ends_with_its_day_too(
    guest: Guest, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    now = time.time()
    for hours, status in ((0, 200), (23, 200), (25, 404), (-1, 404), (0, 200)):
        monkeypatch.setattr(timed, "time", SimpleNamespace(time=lambda hours=hours: now + hours * 3600))
        guest.browser.headers["Cookie"] = f"guest={guest.browser.cookies['guest']}"
        assert guest.goes_to(f"/reservations/{reservation.code}").status == status


def test_other_cookies_beside_it_change_nothing(guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    ours = f"guest={guest.browser.cookies['guest']}"
    guest.browser.cookies.clear()
    for cookies in (f"a=1; {ours}", f"{ours}; b=\xff\xfe", f"{'x' * 2_000}=1; {ours}", f"staff=x; {ours}; ;=;,"):
        guest.browser.headers["Cookie"] = cookies.encode("latin-1")
        assert guest.goes_to(f"/reservations/{reservation.code}").status == 200, cookies
    guest.browser.headers["Cookie"] = ours.replace("guest=", "staff=")
    assert guest.goes_to(f"/reservations/{reservation.code}").status == 404


def test_one_browser_holds_several_stays(guest: Guest, make_reservation: Make) -> None:
    stays = [make_reservation(in_days=10 * number) for number in range(1, 7)]
    for stay in stays:
        guest.opens_link(stay)
    assert [guest.goes_to(f"/reservations/{stay.code}").status for stay in stays] == [404, 200, 200, 200, 200, 200]


@pytest.mark.parametrize("typed", [str.lower, show_code])
def test_the_address_of_a_stay_may_be_typed_in_other_ways(
    typed: Callable[[str], str], guest: Guest, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    assert guest.goes_to(f"/reservations/{typed(reservation.code)}").reservation_status == "pending"


def test_after_the_clock_ran_back_a_stay_can_still_be_seen(guest: Guest, clock: Clock, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    clock.advance(minutes=-10)
    assert guest.goes_to(f"/reservations/{reservation.code}").status == 200
