"""Finding a stay by its code and e-mail: forgiving to its guest, silent to everybody else."""

from collections.abc import Callable

import pytest

from portal.domain.guest_match import show_code
from portal.models import RateBucket, Reservation
from tests.actors import Clock, Guest, everything_stored

Make = Callable[..., Reservation]


@pytest.mark.parametrize(
    ("way", "typed"),
    [
        ("as it is", str),
        ("lower case", str.lower),
        ("with dashes", show_code),
        ("with spaces around", lambda code: f"  {show_code(code).lower()} "),
        ("with spaces between", " ".join),
        ("with look-alikes", lambda code: code.replace("0", "O").replace("1", "l").replace("V", "u")),
        ("in full width", lambda code: "".join(chr(ord(letter) + 0xFEE0) for letter in code)),
        ("with long dashes", lambda code: show_code(code).replace("-", "–")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_code_is_found_in_every_way_of_typing_it(
    way: str, typed: Callable[[str], str], guest: Guest, make_reservation: Make
) -> None:
    reservation = make_reservation()
    page = guest.finds(typed(reservation.code), "ines@carvalho.example")
    assert (page.status, page.reservation_status) == (200, "pending")
    assert page.url == f"{guest.portal_url}/reservations/{reservation.code}"


@pytest.mark.parametrize("typed", ["INES@Carvalho.Example", "  ines@carvalho.example  ", "ｉｎｅｓ@carvalho.example"])
def test_an_email_is_found_in_every_way_of_typing_it(typed: str, guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    assert guest.finds(reservation.code, typed).reservation_status == "pending"


def test_all_misses_look_the_same(guest: Guest, clock: Clock, make_reservation: Make) -> None:
    reservation = make_reservation()
    over = make_reservation(room="River room", in_days=1, nights=1)
    clock.advance(days=40)
    misses = [
        (reservation.code, "other@guest.example"),
        ("7H4K2MQX9TBC", "ines@carvalho.example"),
        ("not a code", "ines@carvalho.example"),
        (over.code, "ines@carvalho.example"),
    ]
    seen = set()
    for code, email in misses:
        page = guest.finds(code, email)
        assert page.status == 404
        seen.add(page.text)
        assert guest.goes_to(f"/reservations/{over.code}").status == 404
    assert len(seen) == 1
    (words,) = seen
    assert "Check both." in words


def test_ten_misses_from_one_address_are_enough_but_the_link_still_works(
    guest: Guest, new_browser: Callable[[], Guest], clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    for number in range(10):
        assert guest.finds(f"7H4K2MQX9TB{number}", "ines@carvalho.example").status == 404
    page = guest.finds(reservation.code, "ines@carvalho.example")
    assert page.status == 429
    assert int(guest.answer.headers["Retry-After"]) > 0
    assert "Nothing was charged." in page.text

    assert new_browser().opens_link(reservation).status == 200
    clock.advance(minutes=15)
    assert guest.finds(reservation.code, "ines@carvalho.example").status == 200


def test_five_misses_of_one_code_are_enough_for_that_code_alone(
    guest: Guest, clock: Clock, make_reservation: Make
) -> None:
    reservation, other = make_reservation(), make_reservation(room="River room")
    for number in range(5):
        assert guest.finds(show_code(reservation.code), f"guess{number}@guest.example").status == 404
    assert guest.finds(reservation.code, "ines@carvalho.example").status == 429
    assert guest.finds(other.code, "ines@carvalho.example").status == 200
    assert guest.opens_link(reservation).status == 200
    clock.advance(hours=1)
    assert guest.finds(reservation.code, "ines@carvalho.example").status == 200


def test_hits_are_never_counted(guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    for _ in range(12):
        assert guest.finds(reservation.code, "ines@carvalho.example").status == 200


@pytest.mark.parametrize(
    ("code", "email"),
    [
        ("", "ines@carvalho.example"),
        ("7H4K2MQX9TBC", ""),
        ("7H4K2MQX9TBC", "no at sign"),
        ("7H4K2MQX9TBC", "a@" + "b" * 200),
        ("7" * 10_000, "ines@carvalho.example"),
        ("7H4K2MQX9TBC", "ines@carvalho.example\r\nBcc: all@guests.example"),
        ("7H4K\x002MQX9TBC", "ines@carvalho.example"),
        ("7H4K2MQX9TBC", "ines\x00@carvalho.example"),
        ("\u202e7H4K2MQX9TBC", "ines@carvalho.example"),
        ("7H4K2MQX9TBC", "ines@carvalho.example\u200b"),
    ],
)
def test_what_cannot_be_a_code_or_an_email_is_refused_without_a_look(
    code: str, email: str, guest: Guest, database: str
) -> None:
    before = everything_stored()
    page = guest.finds(code, email)
    assert page.status == 400
    assert page.title == "Find your reservation"
    assert everything_stored() == before


def test_what_was_typed_is_shown_again_but_never_as_html(guest: Guest, database: str) -> None:
    page = guest.finds('"><script>alert(1)</script>', "{{7*7}}@<b>.example")
    assert page.status in (400, 404)
    assert "<script>alert" not in page.html
    assert "49@" not in page.html


def test_the_counters_hold_no_address_and_no_code(guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.finds(reservation.code, "other@guest.example")
    stored = repr(list(RateBucket.select().tuples()))
    assert reservation.code not in stored
    assert "127.0.0.1" not in stored
