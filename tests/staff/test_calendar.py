"""The rooms by day, and nights that are blocked."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from portal import create_app
from portal.deps import Deps
from portal.models import AuditLog, Reservation, Room, RoomNight
from portal.services import blocked_nights, hotels, reservations, staff_sessions
from portal.services.new_reservation import BadReservation
from tests.actors import Clock, everything_stored, rows
from tests.concurrency.together import at_once
from tests.pages import Page
from tests.refunds.hotel import Hotelier
from tests.staff.desk import Desk
from tests.staff.test_authorisation import HERE, browser_of
from tests.stays import new_stay

Make = Callable[..., Reservation]
Count = Callable[[Callable[[], object]], int]
CALENDAR = "/staff/calendar"
BLOCK, UNBLOCK = "/calendar/block", "/staff/calendar/unblock"
DAY = timedelta(days=1)


@pytest.fixture
def today(deps: Deps) -> date:
    return reservations.today_at_hotel(deps)


def row(page: Page, room: str) -> list[tuple[int, str]]:
    """(nights, what is written there) of each cell of a room, from left to right."""
    for line in page.main.iter("tr"):
        head = line.find("th")
        if head is not None and "".join(head.itertext()) == room:
            return [(int(td.get("colspan", "1")), words(td)) for td in line.iter("td")]
    raise AssertionError(f"no row {room} in {page.text}")


def words(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def presses(desk: Desk, which: str, **values: Any) -> Page:
    """Fill in the form and press Block, or Unblock, which sends the same fields elsewhere."""
    (form,) = desk.page.forms(BLOCK)
    if which == UNBLOCK:
        (button,) = [b for b in form.iter("button") if b.get("formaction")]
        form.set("action", button.get("formaction", ""))
    return desk.submits(which, **values)


def test_each_stay_is_seen_on_its_nights_and_cut_at_the_edges(
    reception: Desk, deps: Deps, hotel: Hotelier, today: date, make_reservation: Make, clock: Clock
) -> None:
    hotels.add_rooms(["Room 10", "Room 2"])
    hotel.is_paid(make_reservation(in_days=0, nights=3, guest_name="Ada <b>Paid</b>"))
    held = make_reservation(in_days=3, nights=1, guest_name="Ben Held")
    make_reservation(in_days=10, nights=30, room="River room", guest_name="Cleo Stays")
    page = reception.goes_to(CALENDAR)
    assert page.title == "Calendar"
    heads = [words(th) for th in page.main.iter("th")]
    assert heads[0] == "Room"
    assert sum(th.get("scope") == "col" for th in page.main.iter("th")) == 15
    assert heads[-4:] == ["Garden room", "River room", "Room 2", "Room 10"]
    (marked,) = [th for th in page.main.iter("th") if th.get("aria-current") == "date"]
    assert re.fullmatch(rf"\w+ {today.day} ?, today", words(marked))
    garden = row(page, "Garden room")
    assert [nights for nights, _ in garden] == [1, 3, 1, *[1] * 9], "begins yesterday"
    assert "Ada <b>Paid</b> Confirmed" in garden[1][1]
    assert "Ben Held On hold until" in garden[2][1]
    assert "tomorrow" in garden[2][1]
    assert garden[0][1] == "Free", "yesterday"
    assert garden[3][1].startswith("+ Free, new reservation in Garden room from ")
    assert page.link("Ben Held").endswith(f"/staff/reservations/{held.code}")
    assert row(page, "River room")[-1][0] == 3
    assert row(page, "River room")[-1][1].startswith("Cleo Stays ›")
    in_the_midst = row(reception.goes_to(page.link("Later")), "River room")
    assert in_the_midst[0][0] == 14
    assert in_the_midst[0][1].startswith("‹ Cleo Stays ›")
    ends = row(reception.goes_to(f"{CALENDAR}?from={today + timedelta(days=39)}"), "River room")
    assert ends[0][0] == 1
    assert ends[0][1].startswith("‹ Cleo Stays On hold")
    assert [(nights, words.partition(",")[0]) for nights, words in ends[1:]] == [(1, "+ Free")] * 13
    text = reception.goes_to(f"{CALENDAR}?view=list").text
    assert text.index("Garden room") < text.index("Ada <b>Paid</b>") < text.index("Ben Held") < text.index("Cleo Stays")
    assert "Hold is over" not in text
    clock.advance(hours=24)
    reception.takes_cookie({"token": staff_sessions.start(deps, reception.person)})
    assert "Hold is over" in reception.goes_to(CALENDAR).text, "until the worker has looked after it"


def test_nights_are_blocked_and_free_again(reception: Desk, deps: Deps, today: date, make_reservation: Make) -> None:
    stay = make_reservation(in_days=5, nights=2, guest_name="Ada Arrives")
    tomorrow, fourth = today + DAY, today + timedelta(days=4)
    reception.goes_to(CALENDAR)
    page = presses(reception, BLOCK, room="Garden room", first=tomorrow, last=fourth)
    assert page.status == 200
    assert "Blocked 4 nights of Garden room." in page.text
    assert [nights for nights, what in row(page, "Garden room") if "Blocked" in what] == [4]
    with pytest.raises(BadReservation, match="not free for all of these nights"):
        reservations.add_reservation(deps, new_stay(today, in_days=4, nights=1), actor="test")
    make_reservation(in_days=4, nights=1, room="River room")
    # once more, and a longer stretch that holds them: only what is new counts
    assert "blocked already" in presses(reception, BLOCK, room="Garden room", first=fourth, last=fourth).text
    assert "Blocked 1 night of" in presses(reception, BLOCK, room="Garden room", first=today, last=fourth).text

    before = everything_stored()
    refused = presses(reception, BLOCK, room="Garden room", first=today, last=today + timedelta(days=9))
    assert (refused.status, refused.title) == (409, "Calendar")
    assert "Nothing was blocked A stay has one or more of these nights." in refused.text
    assert refused.link("Ada Arrives").endswith(stay.code)
    assert f'value="{today + timedelta(days=9)}"' in refused.html
    assert '<option selected value="Garden room">' in refused.html
    assert everything_stored() == before

    # the blocked nights lead to the form, filled in; a stay in the midst keeps its nights
    reception.goes_to(refused.link("Blocked"))
    assert f'value="{today}"' in reception.page.html
    page = presses(reception, UNBLOCK, last=today + timedelta(days=20))
    assert "5 nights of Garden room are free again." in page.text
    assert {night.reservation_id for night in rows(RoomNight, room=stay.room_id)} == {stay.id}
    page = presses(reception, UNBLOCK, room="Garden room", first=today, last=today)
    assert "None of these nights was blocked." in page.text
    told = rows(AuditLog, entity="room", entity_id=str(stay.room_id))
    assert [(entry.from_state, entry.to_state) for entry in told] == [("free", "blocked")] * 2 + [("blocked", "free")]
    assert told[0].cause == f"4 nights blocked from {tomorrow} to {fourth}"
    assert {entry.actor for entry in told} == {f"staff {reception.person.id}"}  # type: ignore[union-attr]


def test_odd_input_is_refused_kindly(reception: Desk, today: date) -> None:
    default = words(next(reception.goes_to(CALENDAR).main.iter("p")))
    odd = (
        "x",
        "2026-02-30",
        "2026-W51-5",
        "0001-01-01",
        "9999-12-31",
        "1999-01-01",
        "%00",
        "%ff",
        "٢٠٢٦-٠١-٠١",
        "9" * 500,
    )
    for text in odd:
        page = reception.goes_to(f"{CALENDAR}?from={text}&view={text}&room={text}&first={text}&last={text}")
        assert (page.status, words(next(page.main.iter("p")))) == (200, default), text
    for edge in (-5 * 366, 5 * 366):
        page = reception.goes_to(f"{CALENDAR}?from={today + timedelta(days=edge)}")
        assert words(next(page.main.iter("p"))) != default
        assert ("Earlier" in page.text, "Later" in page.text) == (edge > 0, edge < 0)
    before = everything_stored()
    for first, last, told in (
        ("", "", "First night: Choose a date."),
        ("no date", str(today), "First night: Not a valid date value."),
        (today - DAY, today, "First night: This night is over."),
        (today + DAY, today, "Last night: The last night must not be before the first."),
        (today, today + 366 * DAY, "Last night: This is more than a year."),
        ("9999-12-31", "9999-12-31", "First night: This is more than five years away."),
        ("0001-01-01", today, "First night: This is more than five years away."),
        (today, "9999-12-31", "Last night: This is more than five years away."),
    ):
        reception.goes_to(CALENDAR)
        page = presses(reception, BLOCK, first=first, last=last)
        assert (page.status, told in page.text) == (400, True), (first, last, page.text)
        if "is over" not in told:
            assert presses(reception, UNBLOCK, first=first, last=last).status == 400
    for room in ("", "Ballroom", "\x00", "\ud800".encode("utf-8", "surrogatepass"), "x" * 5000):
        reception.goes_to(CALENDAR)
        page = presses(reception, BLOCK, room=room, first=today, last=today)
        assert (page.status, "There is no room with this name." in page.text) == (400, True)
    assert everything_stored() == before
    reception.goes_to(CALENDAR)
    assert "Blocked 366 nights" in presses(reception, BLOCK, first=today, last=today + 365 * DAY).text
    RoomNight.delete().execute()
    Room.delete().execute()
    assert "There are no rooms yet." in reception.goes_to(CALENDAR).text


def test_the_days_are_the_hotels(reception: Desk, deps: Deps, clock: Clock) -> None:
    """At 23:30 in Greenwich the next day has begun for a hotel in Auckland."""
    hotels.set_hotel(timezone="Pacific/Auckland")
    clock.move_to(datetime.combine(clock.now(), time(23, 30), UTC) + DAY)
    reception.takes_cookie({"token": staff_sessions.start(deps, reception.person)})
    there = clock.now().date() + DAY
    page = reception.goes_to(CALENDAR)
    assert f'value="{there - DAY}"' in page.html
    (marked,) = [th for th in page.main.iter("th") if th.get("aria-current") == "date"]
    assert str(there.day) in words(marked)
    assert "This night is over." in presses(reception, BLOCK, first=there - DAY, last=there).text
    assert "Blocked 1 night of Garden room." in presses(reception, BLOCK, first=there, last=there).text


def test_free_nights_lead_to_a_new_reservation(deps: Deps, today: date) -> None:
    hotels.add_rooms(["Suíte & co"])
    app = create_app(deps.settings, deps)
    browser = browser_of(app, deps, "reception")
    html = browser.get(CALENDAR, base_url=HERE).text
    assert f"/staff/reservations/new?room=Su%C3%ADte+%26+co&amp;check_in={today}" in html
    assert f"check_in={today + timedelta(days=12)}" in html
    assert f"check_in={today - DAY}" not in html
    listed = browser.get(f"{CALENDAR}?view=list", base_url=HERE).text
    assert f"/staff/reservations/new?room=Su%C3%ADte+%26+co&amp;check_in={today}" in listed


def test_many_rooms_and_stays_take_as_many_statements_as_few(
    reception: Desk, deps: Deps, today: date, make_reservation: Make, count_statements: Count
) -> None:
    make_reservation(in_days=0, nights=1)
    few = count_statements(lambda: reception.goes_to(CALENDAR))
    listed = count_statements(lambda: reception.goes_to(f"{CALENDAR}?view=list"))
    hotels.add_rooms([f"Room {number}" for number in range(12)])
    for number in range(1, 7):
        make_reservation(in_days=number * 2, nights=1)
        make_reservation(in_days=number, nights=1, room=f"Room {number}")
        blocked_nights.block(deps, f"Room {number + 5}", today, today + timedelta(days=number), actor="test")
    assert count_statements(lambda: reception.goes_to(CALENDAR)) == few
    assert count_statements(lambda: reception.goes_to(f"{CALENDAR}?view=list")) == listed


def test_a_block_and_a_stay_never_have_the_same_night(reception: Desk, deps: Deps, today: date) -> None:
    """At the same moment: one has it, the other is told so; and two blocks of the same nights both do."""
    other = Desk(reception.portal_url, deps, "manager")
    other.goes_to(CALENDAR)
    for number in range(6):
        reception.goes_to(CALENDAR)
        first = today + timedelta(days=number * 4)
        new = new_stay(today, in_days=number * 4 + 2, nights=3)
        page, stay, another = at_once(
            [
                lambda first=first: presses(reception, BLOCK, room="Garden room", first=first, last=first + 3 * DAY),
                lambda new=new: reservations.add_reservation(deps, new, actor="test"),
                lambda first=first: presses(other, BLOCK, room="Garden room", first=first, last=first + 3 * DAY),
            ]
        )
        kept = rows(RoomNight)
        if isinstance(stay, Reservation):
            assert (page.status, another.status) == (409, 409)
            assert "Nothing was blocked" in page.text
            assert {night.reservation_id for night in kept} == {stay.id}
            assert len(kept) == 3
        else:
            assert isinstance(stay, BadReservation), stay
            assert (page.status, another.status) == (200, 200)
            assert {night.reservation_id for night in kept} == {None}
            assert len(kept) == 4
        RoomNight.delete().execute()
        other.goes_to(CALENDAR)
