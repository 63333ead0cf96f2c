"""Staff add a reservation, change one, and write notes, with nothing but a browser."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from portal.db import transaction
from portal.deps import Deps
from portal.models import AuditLog, Note, OutgoingMail, Reservation, Room, RoomNight
from portal.services import checkout, notes, offline_payments, reservation_editing
from portal.services import reservations as stays
from stripe_simulator import Control
from tests.actors import Clock, LivePortal, everything_stored, rows
from tests.concurrency.together import all_well, at_once
from tests.mailbox import Mailbox
from tests.pages import Page
from tests.refunds.hotel import Hotelier, status
from tests.staff.desk import Desk, fields_of

Make = Callable[..., Reservation]
Count = Callable[[Callable[[], object]], int]
NEW = "/staff/reservations/new"


def page_of(reservation: Reservation) -> str:
    return f"/staff/reservations/{reservation.code}"


def now(reservation: Reservation) -> Reservation:
    found: Reservation = Reservation.get_by_id(reservation.id)
    return found


def price(reservation: Reservation) -> list[tuple[str, int, str, str | None]]:
    return [(line.label, line.amount, line.detail, line.vat_percent) for line in now(reservation).lines]


def nights_of(reservation: Reservation) -> list[tuple[str, str]]:
    mine = RoomNight.select(RoomNight, Room).join(Room).where(RoomNight.reservation == reservation.id)
    return [(row.room.name, row.night.isoformat()) for row in mine.order_by(RoomNight.night)]


def days(reservation: Reservation, first: int, last: int) -> dict[str, str]:
    """Dates to type, so many days from today."""
    today = reservation.check_in - timedelta(days=30)
    return {"check_in": str(today + timedelta(days=first)), "check_out": str(today + timedelta(days=last))}


def fields(page: Page, action_ends: str) -> dict[str, Any]:
    return fields_of(page.forms(action_ends)[0])


def edits(desk: Desk, reservation: Reservation, **values: Any) -> Page:
    """Opens the form, changes some fields and saves."""
    assert desk.goes_to(f"{page_of(reservation)}/edit").status == 200
    return desk.submits("/edit", **values)


def last_entry(reservation: Reservation) -> str:
    return str(rows(AuditLog, entity_id=reservation.code)[-1].cause)


def in_audit_log() -> str:
    return " ".join(f"{entry.cause} {entry.entity_id}" for entry in rows(AuditLog))


# Adding ---------------------------------------------------------------------------------------------------------------


def test_a_reservation_is_added_and_sending_the_form_twice_adds_one(
    reception: Desk, deps: Deps, mailbox: Mailbox
) -> None:
    today = stays.today_at_hotel(deps)
    check_in, check_out = (str(today + timedelta(days=n)) for n in (10, 12))
    reception.goes_to("/staff/reservations")
    page = reception.goes_to(f"{reception.page.link('New reservation')}?room=River+room&check_in={check_in}")
    assert page.title == "New reservation"
    prefilled = fields(page, "/new")
    assert (prefilled["room"], prefilled["check_in"], prefilled["hold_hours"]) == ("River room", check_in, "24")
    typed = {
        "check_out": check_out,
        "guest_name": "Zoë <b>Quinn</b>",
        "email": "zoe@quinn.example",
        "phone": "+351 21 1",
        "children": "1",
        "lines-0-label": "River room",
        "lines-0-amount": "375,00",
        "lines-0-detail": "2 nights",
        "lines-0-vat_percent": "6 %",
        "lines-3-label": "Winter discount",
        "lines-3-amount": "−25.5",
    }
    more = reception.submits("/new", more="1", **typed)
    assert more.status == 200
    assert typed.items() <= fields(more, "/new").items()
    assert "lines-9-label" in fields(more, "/new")
    page = reception.submits("/new", **{"lines-9-label": "City tax", "lines-9-amount": "6"})
    assert page.title == "Zoë <b>Quinn</b>", page.text
    assert "The reservation is added." in page.text
    assert "private link is on its way" in page.text
    (made,) = rows(Reservation)
    assert (made.total, made.status, made.adults, made.children, made.locale) == (35_550, "pending", 2, 1, "en_GB")
    assert made.hold_until == deps.now() + timedelta(hours=24)
    assert price(made) == [
        ("River room", 37_500, "2 nights", "6"),
        ("Winter discount", -2550, "", None),
        ("City tax", 600, "", None),
    ]
    assert [mail.kind for mail in rows(OutgoingMail)] == ["private_link"]
    assert rows(AuditLog, entity_id=made.code)[0].actor == f"staff {reception.person.id}"
    reception.goes_to(NEW)
    again = reception.submits("/new", room="River room", check_in=check_in, **typed)
    assert again.status == 409
    assert "This reservation is there already." in again.text
    assert made.code in again.link("Zoë")
    assert len(rows(Reservation)) == 1


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(reception: Desk, make_reservation: Make) -> None:
    stay = make_reservation()
    reception.goes_to(f"{NEW}?room=%00nobody&check_in=soon&check_out=2026-13-45")
    assert fields(reception.page, "/new")["check_in"] == ""
    wrong = {
        "room": "Attic",
        "check_in": "2026-02-30",
        "check_out": "x",
        "guest_name": " ",
        "email": "nobody",
        "adults": "none",
        "hold_hours": "0",
        "locale": "en_GB",
        "lines-1-label": "Room",
        "lines-1-amount": "1.125",
        "lines-2-amount": "10",
        "lines-4-label": "x" * 201,
        "lines-4-amount": "1",
    }
    page = reception.submits("/new", **wrong)
    assert page.status == 400
    for words in (
        "Check-in: Choose a day.",
        "Guest's name: Fill this in.",
        "E-mail: This is not an e-mail address",
        "Adults: Type a whole number from 1 to 50.",
        "hours: Type a whole number from 1 to 1440.",
        "Price line 2, Amount: Type a sum such as €375.00",
        "Price line 3, Text: Say what the guest pays for.",
        "Price line 5, Text: Use at most 200 letters.",
    ):
        assert words in page.text
    assert page.link("Price line 2, Amount") == "#lines-1-amount"
    kept = fields(page, "/new")
    assert all(kept[name] == value.strip() for name, value in wrong.items() if name != "room")
    right = {
        "room": "Garden room",
        "guest_name": "A",
        "email": "a@b.example",
        "adults": "3",
        "children": "2",
        "lines-1-amount": "0,20",
        "lines-2-amount": "",
        "lines-4-label": "",
        "lines-4-amount": "",
        "hold_hours": "24",
    }
    page = reception.submits("/new", **right, **days(stay, 3, 2))
    assert "Check-out: Check-out has to be after check-in." in page.text
    assert "All lines together have to come to nothing, or from €0.50" in page.text
    page = reception.submits("/new", **{"lines-1-amount": "20"}, **days(stay, 3, 4))
    assert "Room: Garden room takes at most 4 guests." in page.text
    assert "Language: Choose a language." in reception.submits("/new", locale="xx").text
    assert len(rows(Reservation)) == 1


def test_no_odd_form_brings_a_page_down(reception: Desk, make_reservation: Make) -> None:
    stay = make_reservation()
    odd = ("\x00²", "١٢", "9" * 30, "\u202e-1€", "x" * 1000)
    for address in (NEW, f"{page_of(stay)}/edit"):
        for value in odd:
            reception.goes_to(address)
            action = address.rsplit("/", 1)[-1]
            page = reception.submits(
                action, **dict.fromkeys(fields(reception.page, action).keys() - {"csrf_token"}, value)
            )
            assert page.status in (400, 409), (address, value, page.text)
    assert [now(stay).guest_name, len(rows(Reservation))] == [stay.guest_name, 1]
    assert reception.goes_to(f"{NEW}?room={'9' * 40}&check_in=0000-00-00").status == 200


def test_nights_that_are_taken_are_named_with_who_has_them(reception: Desk, make_reservation: Make, deps: Deps) -> None:
    stay = make_reservation(guest_name="Inês Carvalho")
    with transaction():
        RoomNight.create(room=stay.room_id, night=stay.check_out, reservation=None)
    reception.goes_to(NEW)
    typed = {
        "room": "Garden room",
        "guest_name": "Rui Sá",
        "email": "rui@sa.example",
        "lines-0-label": "Room",
        "lines-0-amount": "90",
    }
    page = reception.submits("/new", **typed, **days(stay, 29, 34))
    assert page.status == 409
    assert "Nothing was added." in page.text
    assert page.link("Inês Carvalho") == page_of(stay)
    assert "blocked" in page.text
    assert typed.items() <= fields(page, "/new").items()
    assert reception.submits("/new", **days(stay, 28, 30)).title == "Rui Sá"


def test_fifty_price_lines_are_the_most(reception: Desk, make_reservation: Make, count_statements: Count) -> None:
    stay = make_reservation()
    few = count_statements(lambda: reception.goes_to(f"{page_of(stay)}/edit"))
    for _ in range(9):
        reception.submits("/edit", more="1")
    lines = {f"lines-{n}-{part}": "2.5" for n in range(50) for part in ("label", "amount")}
    assert lines.keys() <= fields(reception.page, "/edit").keys()
    assert "Add more lines" not in reception.page.text
    assert "The stay costs €125.00 now." in reception.submits("/edit", **lines).text
    assert len(price(stay)) == 50
    assert count_statements(lambda: reception.goes_to(f"{page_of(stay)}/edit")) == few


# Changing -------------------------------------------------------------------------------------------------------------


def test_everything_about_an_unpaid_stay_can_be_changed(
    reception: Desk, make_reservation: Make, clock: Clock, deps: Deps, hotel: Hotelier
) -> None:
    stay = make_reservation(in_days=30, phone="1")
    clock.advance(minutes=5)
    assert "Nothing was changed." in edits(reception, stay).text
    assert last_entry(stay) == "reservation added"
    assert now(stay).updated_at == stay.updated_at
    until = (deps.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")  # Lisbon keeps UTC in winter
    page = edits(
        reception,
        stay,
        guest_name="Inês C. Carvalho",
        email="new@carvalho.example",
        phone="",
        adults="1",
        children="1",
        room="River room",
        hold_until=until,
        **days(stay, 32, 34),
        **{"lines-0-label": "River room", "lines-0-amount": "800", "lines-0-detail": "2 nights"},
    )
    assert page.title == "Inês C. Carvalho"
    assert "Saved. The stay costs €800.00 now." in page.text
    assert "old address still work" in page.text
    changed = now(stay)
    assert (changed.email, changed.phone, changed.adults, changed.children) == ("new@carvalho.example", "", 1, 1)
    assert (changed.total, changed.policy, changed.status) == (80_000, stay.policy, "pending")
    assert changed.hold_until.strftime("%Y-%m-%dT%H:%M") == until
    dates = days(stay, 32, 34)
    assert nights_of(stay) == [
        ("River room", dates["check_in"]),
        ("River room", str(changed.check_in + timedelta(days=1))),
    ]
    assert last_entry(stay) == (
        "edited: guest name, e-mail, phone, adults, children, room, check-in, check-out, price, hold"
        " (from 112500 to 80000 in minor units)"
    )
    assert "arvalho" not in in_audit_log()
    for odd, words in (("2020-01-01T10:00", "passed already"), ("2099-01-01T10:00", "after the stay"), ("x", "a day")):
        assert words in edits(reception, stay, hold_until=odd).text
    page = edits(reception, stay, adults="9", email="no")
    assert page.status == 400
    assert "takes at most 4" not in page.text
    assert "takes at most 4" in edits(reception, stay, adults="9").text
    assert now(stay).adults == 1
    hotel.books_are_right()


def test_an_open_payment_page_is_closed_before_the_price_changes(
    reception: Desk, make_reservation: Make, hotel: Hotelier, stripe: Control, clock: Clock
) -> None:
    stay = make_reservation()
    session = hotel.opens_session(stay)
    assert "Saved." in edits(reception, stay, guest_name="Inês Maria").text  # the page shows no name
    assert "payment page" not in reception.page.text
    assert [s["status"] for s in stripe.truth()["sessions"]] == ["open"]
    stripe.fault("500", path="/v1/checkout/sessions*", times=20)
    page = edits(reception, stay, **{"lines-0-amount": "1000"})
    assert page.status == 409
    assert "could not reach Stripe" in page.text
    assert "Nothing was changed" in page.text
    assert fields(page, "/edit")["lines-0-amount"] == "1000"
    assert now(stay).total == 112_500
    stripe.clear_faults()
    page = reception.submits("/edit")
    assert "The open payment page was closed; the guest was not charged. The stay costs €1,000.00 now." in page.text
    assert [(s["id"], s["status"]) for s in stripe.truth()["sessions"]] == [(session, "expired")]
    paid = hotel.is_paid(stay)
    assert (paid.amount, status(stay)) == (100_000, ("confirmed", 100_000))
    hotel.books_are_right()


def test_a_guest_who_has_just_paid_keeps_what_was_paid_for(
    reception: Desk, make_reservation: Make, hotel: Hotelier, stripe: Control, clock: Clock
) -> None:
    stay = make_reservation()
    nights = nights_of(stay)
    reception.goes_to(f"{page_of(stay)}/edit")
    assert stripe.pay(hotel.opens_session(stay))["status"] == "paid"  # and no message about it has come
    page = reception.submits("/edit", **days(stay, 31, 32), **{"lines-0-amount": "100"})
    assert page.status == 409
    assert "The guest has just paid. So nothing was changed." in page.text
    assert status(stay) == ("confirmed", 112_500)
    assert nights_of(stay) == nights
    assert "Something has been paid, so the price stays as it is" in page.text
    assert "lines-0-amount" not in fields(page, "/edit")
    page = reception.submits("/edit", **{"lines-0-label": "Room", "lines-0-amount": "100"})
    assert page.status == 409
    assert "The price cannot be changed any more." in page.text
    page = reception.submits("/edit", **days(stay, 31, 32), room="River room")
    assert "Saved. The price stays €1,125.00." in page.text
    assert nights_of(stay) == [("River room", days(stay, 31, 32)["check_in"])]
    assert last_entry(stay) == "edited: room, check-in, check-out"
    assert status(stay) == ("confirmed", 112_500)
    hotel.books_are_right()


def test_a_part_that_was_paid_in_cash_freezes_the_price_and_not_the_days(
    reception: Desk, make_reservation: Make, hotel: Hotelier, stripe: Control, deps: Deps
) -> None:
    stay = make_reservation()
    offline_payments.record_offline(deps, stay.id, 12_500, "staff 1")
    hotel.opens_session(stay)
    page = edits(reception, stay, **{"lines-0-label": "Room", "lines-0-amount": "900"})
    assert (page.status, "The price cannot be changed any more." in page.text) == (409, True)
    page = edits(reception, stay, **days(stay, 30, 32))
    assert "The open payment page was closed; the guest was not charged. The price stays €1,125.00." in page.text
    assert [s["status"] for s in stripe.truth()["sessions"]] == ["expired"]
    assert hotel.is_paid(stay).amount == 100_000
    hotel.books_are_right()


def test_a_guest_who_presses_pay_while_the_price_changes_is_asked_for_one_of_the_two(
    reception: Desk, make_reservation: Make, hotel: Hotelier, stripe: Control, deps: Deps
) -> None:
    stay = make_reservation()
    reception.goes_to(f"{page_of(stay)}/edit")
    pays = partial(checkout.start_checkout, deps, stay.id, actor="guest")
    page, _ = all_well(at_once([partial(reception.submits, "/edit", **{"lines-0-amount": "900"}), pays]))
    assert now(stay).total == (90_000 if page.status == 200 else 112_500)
    assert "opening a payment page" in page.text or page.status == 200
    assert {s["amount_total"] for s in stripe.truth()["sessions"] if s["status"] == "open"} <= {now(stay).total}
    hotel.books_are_right()


def test_a_payment_that_the_bank_still_checks_keeps_the_stay_as_it_is(
    reception: Desk, make_reservation: Make, hotel: Hotelier, stripe: Control
) -> None:
    stay = make_reservation()
    stripe.complete_unpaid(hotel.opens_session(stay))
    page = edits(reception, stay, **days(stay, 31, 32))
    assert (page.status, "A payment of the guest is being checked." in page.text) == (409, True)
    assert "Saved." in edits(reception, stay, email="other@carvalho.example").text
    assert now(stay).check_in == stay.check_in


def test_of_a_cancelled_stay_only_the_guests_data_can_be_changed(
    reception: Desk, make_reservation: Make, hotel: Hotelier
) -> None:
    stay = make_reservation()
    hotel.cancels(stay)
    page = edits(reception, stay, phone="+44 20 7946 0000")
    assert "Saved." in page.text
    assert now(stay).phone == "+44 20 7946 0000"
    before = nights_of(stay)
    page = edits(reception, stay, **days(stay, 31, 32))
    assert page.status == 409
    assert "Only the guest's data can be changed. Nothing was changed." in page.text
    assert nights_of(stay) == before == []


def test_an_edit_that_somebody_else_overtook_shows_what_is_stored(
    reception: Desk, manager: Desk, make_reservation: Make
) -> None:
    stay = make_reservation(guest_name="Inês Carvalho")
    reception.goes_to(f"{page_of(stay)}/edit")
    assert "Saved." in edits(manager, stay, guest_name="Irene Castro").text
    page = reception.submits("/edit", guest_name="Iris Cruz", adults="3")
    assert page.status == 409
    assert "Somebody else changed this reservation meanwhile." in page.text
    assert "Irene Castro" in page.text
    assert fields(page, "/edit")["guest_name"] == "Iris Cruz"
    assert now(stay).guest_name == "Irene Castro"
    assert "Saved." in reception.submits("/edit").text
    assert (now(stay).guest_name, now(stay).adults) == ("Iris Cruz", 3)


def test_nights_that_somebody_else_has_stay_theirs(reception: Desk, make_reservation: Make, hotel: Hotelier) -> None:
    stay, other = make_reservation(), make_reservation(guest_name="Rui Sá", in_days=33)
    hotel.opens_session(stay)
    page = edits(reception, stay, **days(stay, 30, 34))
    assert page.status == 409
    assert page.link("Rui Sá") == page_of(other)
    assert fields(page, "/edit")["check_out"] == days(stay, 30, 34)["check_out"]
    assert len(nights_of(stay)) == 3
    assert hotel.stripe.truth()["sessions"][0]["status"] == "open"  # an edit that cannot be disturbs no guest
    hotel.books_are_right()


def test_of_two_edits_at_once_onto_the_same_nights_one_wins(
    portal: LivePortal, deps: Deps, make_reservation: Make, hotel: Hotelier
) -> None:
    first, second = make_reservation(), make_reservation(in_days=40, guest_name="Rui Sá")
    desks = [Desk(portal.url, deps, role) for role in ("reception", "manager")]
    for desk, stay in zip(desks, (first, second), strict=True):
        desk.goes_to(f"{page_of(stay)}/edit")
    typed = {"room": "River room", **days(first, 50, 52)}
    all_well(at_once([partial(desk.submits, "/edit", **typed) for desk in desks]))
    assert sorted(desk.page.status for desk in desks) == [200, 409]
    (loser,) = [desk for desk in desks if desk.page.status == 409]
    assert "The room is not free for all of these nights." in loser.page.text
    assert sorted(len(nights_of(stay)) for stay in (first, second)) == [2, 3]
    hotel.books_are_right()


def test_two_stays_that_are_to_swap_their_rooms_at_once_do_not_wait_for_each_other(
    portal: LivePortal, deps: Deps, make_reservation: Make, hotel: Hotelier
) -> None:
    stays_there = make_reservation(), make_reservation(room="River room")
    desks = [Desk(portal.url, deps, role) for role in ("reception", "manager")]
    for desk, stay in zip(desks, stays_there, strict=True):
        desk.goes_to(f"{page_of(stay)}/edit")
    rooms = ("River room", "Garden room")
    acts = [partial(desk.submits, "/edit", room=room) for desk, room in zip(desks, rooms, strict=True)]
    assert [page.status for page in all_well(at_once(acts))] == [409, 409]
    hotel.books_are_right()


# Notes ----------------------------------------------------------------------------------------------------------------


def test_notes_are_kept_in_order_and_nowhere_else(
    reception: Desk,
    manager: Desk,
    make_reservation: Make,
    count_statements: Count,
    capfd: pytest.CaptureFixture[str],
) -> None:
    stay = make_reservation()
    reception.goes_to(page_of(stay))
    page = reception.submits("/notes", text="Allergic to <b>nuts</b>\r\n& late \x07arrival")
    assert "Guests do not see it." in page.text
    few = count_statements(lambda: reception.goes_to(page_of(stay)))
    manager.goes_to(page_of(stay))
    page = manager.submits("/notes", text="Called back. \u202eGets the cot.")
    assert "Allergic to <b>nuts</b> & late arrival" in page.text
    assert page.text.index("Reception, ") < page.text.index("Allergic") < page.text.index("Called back. Gets the cot.")
    for number in range(5):
        manager.submits("/notes", text=f"Note {number}")
    assert count_statements(lambda: reception.goes_to(page_of(stay))) == few
    before = everything_stored()
    for odd, words in ((" \n\t ", "Type your note first."), ("x" * 2001, "Use at most 2000 letters")):
        page = reception.submits("/notes", text=odd)
        assert (page.status, words in page.text) == (400, True)
    assert fields(page, "/notes")["text"] == "x" * 2001
    assert everything_stored() == before
    assert len(rows(Note)) == 7
    assert rows(Note)[0].text == "Allergic to <b>nuts</b>\n& late arrival"
    assert "Allergic" not in in_audit_log() + "".join(capfd.readouterr())
    assert reception.goes_to("/staff/reservations/AAAABBBBCCCC/edit").status == 404


def test_what_a_note_keeps_of_what_was_typed() -> None:
    assert notes.clean("  a\x00\r\nb\rc\td\u2028 e  \n\n") == "a\nb\nc d e"
    assert notes.clean("👩‍🍳 ok") == "👩‍🍳 ok"
    assert set(reservation_editing.NAMES) > reservation_editing.CONTACT
