"""The private link: opens one stay again and again, changes nothing, and can be taken back."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from itsdangerous import URLSafeSerializer

from portal.deps import Deps
from portal.models import RateBucket, Reservation
from portal.services import links
from tests.actors import Clock, Guest, everything_stored

Make = Callable[..., Reservation]


def test_a_link_leads_to_an_address_without_its_token(guest: Guest, deps: Deps, make_reservation: Make) -> None:
    reservation = make_reservation()
    page = guest.opens_link(reservation)
    assert page.url == f"{guest.portal_url}/reservations/{reservation.code}"
    token = links.make_link(deps, reservation).rsplit("/", 1)[1]
    assert token not in page.html
    assert guest.answer.history[0].status_code == 303


def test_mail_scanners_that_open_it_fifty_times_change_nothing(
    new_browser: Callable[[], Guest], deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    path = urlsplit(links.make_link(deps, reservation)).path
    before = everything_stored()
    scanner = new_browser()
    for _ in range(25):
        assert scanner.browser.get(scanner.portal_url + path).status_code == 200
        assert scanner.browser.head(scanner.portal_url + path).status_code == 303
    assert everything_stored() == before
    assert new_browser().opens_link(reservation).status == 200


@pytest.mark.parametrize(
    ("how", "garble"),
    [
        ("cut short", lambda token: token[:-1]),
        ("too long", lambda token: token + "A"),
        ("other case", str.swapcase),
        ("no dot", lambda token: token.replace(".", "")),
        ("endless", lambda token: "x" * 5_000),
        ("NUL", lambda token: "%00"),
        ("not ASCII", lambda token: "%F0%9F%98%80"),
        ("not UTF-8", lambda token: "%FF%FE"),
        ("unsigned", lambda token: token.split(".")[0]),
        ("a dot", lambda token: "x."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_garbled_link_shows_the_way_on(
    how: str, garble: Callable[[str], str], guest: Guest, deps: Deps, make_reservation: Make
) -> None:
    token = links.make_link(deps, make_reservation()).rsplit("/", 1)[1]
    before = everything_stored(but=(RateBucket,))
    page = guest.goes_to(f"/l/{garble(token)}")
    assert page.status == 404
    assert "Nothing was charged." in page.text
    assert page.link("Find my reservation")
    assert "Carvalho" not in page.html
    assert everything_stored(but=(RateBucket,)) == before


def test_a_link_that_was_replaced_no_longer_opens_and_ends_open_sessions(
    guest: Guest, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    old = urlsplit(links.make_link(deps, reservation)).path
    guest.goes_to(old)
    Reservation.update(link_version=2).where(Reservation.id == reservation.id).execute()

    assert guest.goes_to(f"/reservations/{reservation.code}").status == 404
    assert guest.goes_to(old).status == 404
    assert guest.opens_link(reservation).status == 200


def test_a_link_works_until_thirty_days_after_check_out(guest: Guest, clock: Clock, make_reservation: Make) -> None:
    reservation = make_reservation(in_days=1, nights=2)
    clock.advance(days=33)
    assert guest.opens_link(reservation).status == 200
    clock.advance(days=1)
    assert guest.opens_link(reservation).status == 404
    assert guest.goes_to(f"/reservations/{reservation.code}").status == 404


def test_a_link_signed_with_the_older_key_still_opens(guest: Guest, deps: Deps, make_reservation: Make) -> None:
    reservation = make_reservation()
    rotated = replace(deps, settings=replace(deps.settings, secret_keys=("n" * 32, *deps.settings.secret_keys)))
    old = links.make_link(deps, reservation).rsplit("/", 1)[1]
    assert links.find_by_token(rotated, old) == reservation
    new = links.make_link(rotated, reservation).rsplit("/", 1)[1]
    assert links.find_by_token(deps, new) is None, "the new key signs"
    other_purpose = URLSafeSerializer(deps.settings.secret_keys[0], salt="something else")
    assert links.find_by_token(deps, other_purpose.dumps([reservation.code, 1])) is None


@pytest.mark.parametrize(
    "content",
    [
        *(None, [], [1], ["x", "y", "z"], {}, "x", [None, None], [1.5, True], ["X", True], ["X", "1"]),
        *(["X", 2**70], ["X", -1], ["X", 2**31], ["a\0b", 1], ["é", 1]),
    ],
    ids=repr,
)
def test_a_well_signed_token_of_the_wrong_shape_opens_nothing(
    content: object, guest: Guest, deps: Deps, database: str
) -> None:
    token = links._serializer(deps).dumps(content)
    assert guest.goes_to(f"/l/{token}").status == 404


def test_guessing_links_is_throttled_and_a_good_link_is_not(
    guest: Guest, new_browser: Callable[[], Guest], make_reservation: Make
) -> None:
    for number in range(20):
        assert guest.goes_to(f"/l/guess{number}").status == 404
    page = guest.goes_to("/l/guess")
    assert page.status == 429
    assert int(guest.answer.headers["Retry-After"]) > 0
    assert new_browser().opens_link(make_reservation()).status == 200
