"""How managers set up the house, and what guests then see."""

import re
import struct
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from portal.models import ApiToken, AuditLog, Hotel, Reservation, Room
from portal.services import hotels
from portal.services.policy_editor import BadPolicy, read
from tests.actors import Guest, everything_stored
from tests.staff.desk import PASSWORD, Desk, fields_of

Make = Callable[..., Reservation]

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 8, 8) + b"\x08\x02\x00\x00\x00" + b"\x00" * 60
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + b"\x00" * 24
PARTS = ("", "/hotel", "/rooms", "/rooms/1", "/look", "/policy", "/tokens", "/guest-data")
DOORS = (
    *("/hotel", "/rooms", "/rooms/1", "/rooms/1/remove", "/look/colour", "/look/logo", "/look/logo/remove"),
    *("/policy", "/tokens", "/tokens/1/revoke", "/guest-data"),
)


def changes(entity: str) -> list[tuple[str, str, str]]:
    rows = AuditLog.select().where(AuditLog.entity == entity).order_by(AuditLog.id)
    return [(row.entity_id, row.actor, row.cause) for row in rows]


def posts(desk: Desk, path: str, data: Any = None, files: Any = None) -> requests.Response:
    """Past the form, with its token."""
    token = fields_of(desk.page.forms()[0])["csrf_token"]
    return desk.browser.post(
        desk.portal_url + "/staff/settings" + path, data={"csrf_token": token, **(data or {})}, files=files
    )


def test_the_reception_may_read_and_change_none_of_it(reception: Desk, manager: Desk) -> None:
    reception.goes_to("/staff/")
    before = everything_stored()
    for part in PARTS:
        assert reception.goes_to(f"/staff/settings{part}").status == 403
        assert "for managers" in reception.page.title
    reception.goes_to("/staff/")
    for door in DOORS:
        assert posts(reception, door).status_code == 403
    assert everything_stored() == before
    page = manager.goes_to("/staff/settings")
    for words in ("Hotel", "Rooms", "Look", "Cancellation policy", "API tokens", "Guest data", "People"):
        assert manager.goes_to(page.link(words)).status == 200


def test_what_guests_read_about_the_hotel(manager: Desk, guest: Guest, make_reservation: Make) -> None:
    manager.goes_to("/staff/settings/hotel")
    page = manager.submits("/hotel", name=" Quinta do Mar ", phone="+351 22 000 0000", check_in_from="16:30")
    assert "Saved." in page.text
    hotel = hotels.get_hotel()
    assert (hotel.name, hotel.city, hotel.check_in_from.hour) == ("Quinta do Mar", "Lisbon", 16)
    assert changes("hotel") == [("1", f"staff {manager.person.id}", "check_in_from, name, phone")]
    assert "Quinta do Mar" in guest.opens_link(make_reservation()).html
    # A form that does not bring a field leaves it, and what is the same is no change.
    assert posts(manager, "/hotel", {"name": "Quinta do Mar"}).status_code == 200
    assert hotels.get_hotel().email == "stay@limoeiro.example"
    assert len(changes("hotel")) == 1


def test_fields_of_the_hotel_that_cannot_be_so(manager: Desk, make_reservation: Make) -> None:
    manager.goes_to("/staff/settings/hotel")
    wrong = {"name": " ", "email": "nobody", "timezone": "Mars/Base", "check_in_from": "25:99", "phone": "1\u202e2"}
    for name, value in {**wrong, "currency": "XXX", "tagline": "x" * 201, "city": "a\x00b"}.items():
        before = everything_stored()
        page = manager.submits("/hotel", **{name: value})
        assert (page.status, everything_stored()) == (400, before), name
        assert page.root.find(f".//*[@id='{name}'][@aria-invalid='true']") is not None, name
        manager.goes_to("/staff/settings/hotel")
    manager.submits("/hotel", currency="SEK")
    assert hotels.get_hotel().currency == "SEK"
    make_reservation()
    page = manager.goes_to("/staff/settings/hotel")
    assert "Currency: SEK. It cannot change any more" in page.text
    posts(manager, "/hotel", {"name": "x", "currency": "EUR"})
    assert hotels.get_hotel().currency == "SEK"
    with pytest.raises(hotels.BadHotel, match="currency"):
        hotels.set_hotel(currency="EUR")
    page = manager.submits("/hotel", timezone="Asia/Tokyo")
    assert "midnight by the clock of Tokyo" in page.text


def test_rooms_are_added_changed_and_removed(manager: Desk, make_reservation: Make) -> None:
    make_reservation(adults=3)
    manager.goes_to("/staff/settings/rooms")
    page = manager.submits("/rooms", name="Attic", description="Under the roof", capacity="1")
    assert "Attic was added." in page.text
    assert manager.submits("/rooms", name="Attic", capacity="2").status == 400
    assert "is the name of another room" in manager.page.text
    for wrong in ({"name": ""}, {"name": "B", "capacity": "0"}, {"name": "B", "capacity": "9" * 30}, {"name": "B\x00"}):
        assert manager.submits("/rooms", **{"capacity": "2", **wrong}).status == 400
    attic = Room.get(Room.name == "Attic")
    manager.goes_to(f"/staff/settings/rooms/{attic.id}")
    assert manager.submits(f"/rooms/{attic.id}", name="Garden room").status == 400
    manager.submits(f"/rooms/{attic.id}", name="Loft")
    assert "was removed" in manager.submits("/remove").text
    causes = [cause for entity, _, cause in changes("room") if entity == str(attic.id)]
    assert causes == ["added", "name", "removed"]
    # A room with a stay remains, and may become smaller than the stay.
    garden = Room.get(Room.name == "Garden room")
    page = manager.goes_to(f"/staff/settings/rooms/{garden.id}")
    assert "so it stays" in page.text
    assert posts(manager, f"/rooms/{garden.id}/remove").status_code == 409
    page = manager.submits(f"/rooms/{garden.id}", capacity="2")
    assert "1 coming stay has more guests" in page.text
    assert Room.get_by_id(garden.id).capacity == 2
    for odd in ("999", str(2**31), "9" * 40):
        assert manager.goes_to(f"/staff/settings/rooms/{odd}").status == 404


def test_the_list_of_rooms_costs_the_same_however_long(manager: Desk, count_statements: Any) -> None:
    few = count_statements(lambda: manager.goes_to("/staff/settings/rooms"))
    hotels.add_rooms([f"Room {number}" for number in range(30)])
    assert count_statements(lambda: manager.goes_to("/staff/settings/rooms")) == few


def test_a_colour_is_looked_at_and_then_taken(manager: Desk, guest: Guest, make_reservation: Make) -> None:
    manager.goes_to("/staff/settings/look")
    before = everything_stored()
    page = manager.goes_to("/staff/settings/look?colour=%23FFD400")
    assert "could not be read everywhere" in page.text
    (address,) = [e.get("href") for e in page.root.iter("link") if "preview.css" in e.get("href", "")]
    css = manager.browser.get(manager.portal_url + address)
    assert css.headers["Content-Type"] == "text/css; charset=utf-8"
    assert ".look-light {" in css.text
    assert ".look-dark {" in css.text
    assert everything_stored() == before
    manager.submits("/look/colour")
    assert hotels.get_hotel().brand_colour == "#ffd400"
    assert changes("hotel") == [("1", f"staff {manager.person.id}", "brand_colour")]
    page = guest.opens_link(make_reservation())
    sheets = [e.get("href", "") for e in page.root.iter("link") if e.get("rel") == "stylesheet"]
    assert [sheet.split("?")[0] for sheet in sheets][1:] == ["/look/theme.css"]
    theme = guest.browser.get(guest.portal_url + sheets[1])
    assert "immutable" in theme.headers["Cache-Control"]
    assert "Set-Cookie" not in theme.headers
    for name in ("accent", "accent-hover", "accent-ink", "accent-text", "accent-wash"):
        assert len(re.findall(rf"--{name}: #[0-9a-f]{{6}};", theme.text)) == 2
    assert "unsafe" not in guest.answer.headers["Content-Security-Policy"]
    assert guest.browser.get(f"{guest.portal_url}/look/theme.css?v=old").headers["Cache-Control"] == "private, no-store"
    # Back to the colours that the portal comes with.
    manager.goes_to("/staff/settings/look")
    manager.submits("/look/colour")
    assert "theme.css" not in guest.goes_to("/").html
    assert guest.browser.get(f"{guest.portal_url}/look/theme.css").status_code == 404


@pytest.mark.parametrize("colour", ["red", "#fff", "#1f4f82;}", "\x00", "1f4f8\uff12", "</style>", "9" * 500])
def test_what_is_no_colour_is_refused(colour: str, manager: Desk) -> None:
    manager.goes_to("/staff/settings/look")
    assert posts(manager, "/look/colour", {"colour": colour}).status_code == 400
    assert hotels.get_hotel().brand_colour == ""
    answer = manager.browser.get(f"{manager.portal_url}/look/preview.css", params={"colour": colour})
    assert answer.status_code == 404
    answer = manager.browser.get(f"{manager.portal_url}/staff/settings/look", params={"colour": colour})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("content", "kind"), [(PNG, "image/png"), (WEBP, "image/webp"), (b"\xff\xd8\xff\xe0", "image/jpeg")]
)
def test_a_logo_is_seen_by_guests(content: bytes, kind: str, manager: Desk, guest: Guest) -> None:
    manager.goes_to("/staff/settings/look")
    # Its size counts and not its name; more than the usual largest form is taken here alone.
    content += b"\x00" * (150 * 1024)
    assert posts(manager, "/look/logo", files={"logo": ("picture.html", content)}).status_code == 200
    page = guest.goes_to("/")
    (source,) = [e.get("src", "") for e in page.root.iter("img") if "/look/logo" in e.get("src", "")]
    answer = guest.browser.get(guest.portal_url + source)
    assert (answer.content, answer.headers["Content-Type"]) == (content, kind)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "immutable" in answer.headers["Cache-Control"]
    stale = guest.browser.get(f"{guest.portal_url}/look/logo?v=other")
    assert stale.headers["Cache-Control"] == "private, no-store"
    manager.goes_to("/staff/settings/look")
    manager.submits("/logo/remove")
    assert "/look/logo" not in guest.goes_to("/").html
    assert guest.browser.get(guest.portal_url + source).status_code == 404
    assert [cause for _, _, cause in changes("hotel")] == ["logo", "logo"]


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("logo.png", b"<!doctype html><script>alert(1)</script>", 400),
        ("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', 400),
        ("logo.png", PNG + b"\x00" * 300 * 1024, 400),
        ("logo.png", PNG + b"\x00" * 1100 * 1024, 413),
        ("logo.png", b"", 400),
        ("lo\x00go.png", PNG, 400),
    ],
    ids=["html", "svg", "300 KiB", "1.1 MiB", "empty", "NUL"],
)
def test_an_upload_that_is_no_logo_is_refused(name: str, content: bytes, status: int, manager: Desk) -> None:
    manager.goes_to("/staff/settings/look")
    before = everything_stored()
    try:
        assert posts(manager, "/look/logo", files={"logo": (name, content)}).status_code == status
    except requests.ConnectionError:  # the server may hang up on what is far too large before it has been sent
        assert status == 413
    assert everything_stored() == before


def test_other_forms_take_no_more_than_before(manager: Desk) -> None:
    manager.goes_to("/staff/settings/hotel")
    assert posts(manager, "/hotel", {"name": "x" * 70_000}).status_code == 413


def test_a_new_policy_is_for_new_reservations(manager: Desk, make_reservation: Make) -> None:
    old = make_reservation()
    page = manager.goes_to("/staff/settings/policy")
    assert "€1,000.00" in page.text
    lines = {"days-0": "2", "percent-0": "25", "days-1": "30", "percent-1": "90", "days-2": "", "percent-2": ""}
    page = manager.submits("/policy", do="preview", **lines)
    assert "Nothing was saved yet" in page.text
    assert "€900.00" in page.text
    assert "€250.00" in page.text
    assert Hotel.get_by_id(1).policy == [[14, 100], [7, 50]]
    page = manager.submits("/policy", do="save")
    assert "Saved." in page.text
    assert Hotel.get_by_id(1).policy == [[30, 90], [2, 25]]
    assert Reservation.get_by_id(old.id).policy == [[14, 100], [7, 50]]
    later = timedelta(days=40)
    new = make_reservation(check_in=old.check_in + later, check_out=old.check_out + later)
    assert new.policy == [[30, 90], [2, 25]]
    assert changes("hotel") == [("1", f"staff {manager.person.id}", "policy")]
    for wrong in (
        {"days-0": "-1"},
        {"percent-0": "101"},
        {"percent-0": "5.5"},
        {"days-0": "9" * 9},
        {"percent-1": "95"},
    ):
        manager.goes_to("/staff/settings/policy")
        page = manager.submits("/policy", do="save", **{"days-1": "1", "percent-1": "5", **wrong})
        assert (page.status, "There is a problem" in page.text) == (400, True), wrong
    manager.goes_to("/staff/settings/policy")
    assert posts(manager, "/policy").status_code == 400
    assert Hotel.get_by_id(1).policy == [[30, 90], [2, 25]]


def test_lines_that_add_nothing_are_not_kept() -> None:
    lines = [("7", "50"), ("14", "50"), ("", ""), ("3", "0"), ("30", "100")]
    assert read(lines).as_pairs() == [[30, 100], [7, 50]]
    assert read([("0", "0")]).as_pairs() == []
    for wrong in ([("", "")], [("7", "50"), ("7", "60")], [("7", "50"), ("14", "40")], [("x", "1")], [("1", "")]):
        with pytest.raises(BadPolicy):
            read(wrong)


def test_a_policy_without_any_refund_can_be_read(manager: Desk, guest: Guest, make_reservation: Make) -> None:
    manager.goes_to("/staff/settings/policy")
    nothing = {f"{field}-{line}": "" for field in ("days", "percent") for line in range(1, 6)}
    assert manager.submits("/policy", do="save", **nothing, **{"days-0": "0", "percent-0": "0"}).status == 200
    assert "No refund" in guest.opens_link(make_reservation()).text


def test_a_token_is_shown_once_and_can_be_revoked(manager: Desk) -> None:
    manager.goes_to("/staff/settings/tokens")
    assert manager.submits("/tokens", name="Channel manager").status == 200
    token = manager.page.root.findtext(".//p[@class='secret']") or ""
    assert len(token) > 30
    stored = ApiToken.get()
    assert token not in (stored.token_hash, stored.name)
    page = manager.goes_to("/staff/settings/tokens")
    assert token not in page.html
    assert "Channel manager" in page.text
    assert manager.submits("/tokens", name="Channel manager").status == 400
    assert posts(manager, "/tokens", {"name": "No scope"}).status_code == 400
    assert posts(manager, "/tokens", {"name": "X", "scopes": "everything"}).status_code == 400
    assert posts(manager, "/tokens", {"name": "a\x00b", "scopes": "payments"}).status_code == 400
    assert "Revoked." in manager.submits(f"/{stored.id}/revoke").text
    assert ApiToken.get().revoked_at is not None
    assert "no such token" in posts(manager, "/tokens/999999/revoke").text
    assert posts(manager, f"/tokens/{'9' * 30}/revoke").status_code == 404
    assert [cause for _, _, cause in changes("api token")] == ["added", "revoked"]


def test_a_token_needs_a_fresh_password(manager: Desk, clock: Any) -> None:
    clock.advance(minutes=11)
    manager.goes_to("/staff/settings/tokens")
    assert manager.submits("/tokens", name="Shop", password="wrong").status == 403
    assert ApiToken.select().count() == 0
    assert manager.submits("/tokens", name="Shop", password=PASSWORD).status == 200
    assert ApiToken.select().count() == 1


def test_for_how_long_guest_data_is_kept(manager: Desk) -> None:
    page = manager.goes_to("/staff/settings/guest-data")
    assert "Now: 730 days." in page.text
    assert "Now: 400 days." in manager.submits("/guest-data", retention_days="400").text
    for wrong in ("29", "3651", "x", "-1", "9" * 40, "1e3"):
        assert manager.submits("/guest-data", retention_days=wrong).status == 400
        manager.goes_to("/staff/settings/guest-data")
    assert posts(manager, "/guest-data").status_code == 400
    assert Hotel.get_by_id(1).retention_days == 400
    manager.submits("/guest-data", retention_days="")
    assert Hotel.get_by_id(1).retention_days is None
    assert [cause for _, _, cause in changes("hotel")] == ["retention_days", "retention_days"]
