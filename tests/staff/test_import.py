"""A file of reservations at the front desk: what is read of it, what is shown, and what is stored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal.db import DatabaseBusy, lock, transaction
from portal.deps import Deps
from portal.models import AuditLog, OutgoingMail, Reservation, RoomNight
from portal.services import hotels, nights, reservation_import, reservations, state
from portal.services.reservation_import import BadFile, import_rows, preview, read_file
from tests.actors import everything_stored
from tests.concurrency.together import all_well, at_once
from tests.mailbox import Mailbox
from tests.staff.desk import Desk, fields_of

Count = Callable[[Callable[[], object]], int]
HEAD = "room,guest_name,email,check_in,check_out,lines,adults"


def row(deps: Deps, name: str, in_days: int, *, room: str = "Garden room", adults: object = 2, stay: int = 2) -> str:
    check_in = reservations.today_at_hotel(deps) + timedelta(days=in_days)
    return f"{room},{name},{name.lower()}@example.com,{check_in},{check_in + timedelta(days=stay)},Room=10000,{adults}"


def csv_of(*rows: str) -> str:
    return "\n".join((HEAD, *rows, ""))


def uploads(desk: Desk, content: bytes) -> Any:
    """Choose a file on the form and press the button."""
    desk.goes_to("/staff/reservations/import")
    (form, *_) = desk.page.forms("/staff/reservations/import")
    files = {"file": ("stays.csv", content, "text/csv")}
    return desk._read(desk.browser.post(desk._url(form.get("action")), data=fields_of(form), files=files))


def test_a_file_is_chosen_looked_at_and_imported(reception: Desk, deps: Deps, mailbox: Mailbox) -> None:
    reception.goes_to("/staff/reservations")
    assert reception.goes_to(reception.page.link("Import")).title.startswith("Import reservations")
    # As a spreadsheet in Lisbon saves it.
    check_in = reservations.today_at_hotel(deps) + timedelta(days=9)
    text = (
        "Room;guest_name;email;check_in;check_out;lines;send_link\r\n"
        f'River room;Inês;ines@example.com;{check_in};{check_in + timedelta(days=2)};"Room, 2 nights=20000;Tax=450";TRUE\r\n'
        f"Garden room;=1+1;jonas@example.com;{check_in};{check_in + timedelta(days=1)};Room=9000;\r\n;;;;;;\r\n"
    )
    before = everything_stored()
    page = uploads(reception, b"\xef\xbb\xbf" + text.encode())
    assert page.status == 200
    assert "2 ready, 0 with problems" in page.text
    assert "€294.50" in page.text
    assert "Import 2 reservations" in page.text
    assert everything_stored() == before
    page = reception.submits("/import/run")
    assert "2 reservations were imported." in page.text
    assert "=1+1" in page.text
    assert sorted(r.total for r in Reservation.select()) == [9000, 20_450]
    assert [m.recipient for m in OutgoingMail.select()] == ["ines@example.com"]
    assert AuditLog.get(AuditLog.entity == "reservation").actor.startswith("staff ")
    page = uploads(reception, text.encode())
    assert "0 ready, 0 with problems, 2 already there" in page.text
    assert not page.forms("/import/run")


def test_each_bad_row_is_named_and_the_good_ones_may_go_alone(reception: Desk, deps: Deps) -> None:
    rows = [
        row(deps, "Ana", 3),
        row(deps, "Unknown", 3, room="Attic"),
        row(deps, "Many", 30, adults=9),
        row(deps, "Half", 30, adults="2.5"),
        row(deps, "Clash", 4),
        row(deps, "Past", -3),
        "Garden room,Short,short@example.com",
        row(deps, "Wide", 30) + ",more",
        row(deps, "Price", 30).replace("Room=10000", "Room=100.5;=5"),
        row(deps, "Mail", 30).replace("mail@", "mail"),
        row(deps, "Bea", 5),
    ]
    reception.goes_to("/staff/reservations/import")
    page = reception.submits("/import", text=csv_of(*rows))
    assert "2 ready, 9 with problems" in page.text
    for says in (
        "there is no room called Attic",
        "takes at most 4 guests",
        "adults: must be a whole number",
        "is already wanted by row 2",
        "is in the past",
        "has 3 cells, but there are 7 columns",
        "has 8 cells",
        "price line 1: amount must be a whole number of minor units",
        "price line 2: label is missing",
        "is not an e-mail address",
    ):
        assert says in page.text, says
    bad = [r.number for r in preview(deps, read_file(csv_of(*rows).encode())) if r.problems]
    assert bad == [3, 4, 5, 6, 7, 8, 9, 10, 11]
    page = reception.submits("/import/run", skip_bad="")
    assert (page.status, Reservation.select().count()) == (409, 0)
    assert "nothing was imported" in page.text
    assert "Import the 2 good rows" in page.text
    page = reception.submits("/import/run")
    assert "2 reservations were imported. 9 bad rows were left out." in page.text
    assert sorted(r.guest_name for r in Reservation.select()) == ["Ana", "Bea"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (HEAD.encode(), "no reservations below"),
        ("room,Inês".encode("latin-1"), "CSV UTF-8"),
        (HEAD.encode("utf-16"), "CSV UTF-8"),
        (b"PK\x03\x04\x00\x00", "CSV UTF-8"),
        (b"room,room,guest_name,email,check_in,check_out,lines\nx", "come twice: room"),
        (f"{HEAD},total\nx".encode(), "do not know: total"),
        (b"room,email\nx", "missing: guest_name, check_in"),
        (f'{HEAD}\n"open'.encode(), "Row 2 cannot be read"),
        (f"{HEAD}\n{'x' * 200_000}".encode(), "Row 2 cannot be read"),
        (b"x" * (reservation_import.LARGEST_FILE + 1), "larger than 1024 KB"),
        (f"{HEAD}\n{'x' * 50}\n".encode() + b"x\n" * 1000, "1000 fit into one import"),
        ("\u2028\u2028x\x1b\n".encode(), "do not know"),
    ],
    ids=range(14),
)
def test_what_is_no_file_of_reservations_gets_a_sentence(content: bytes, says: str) -> None:
    with pytest.raises(BadFile, match=says):
        read_file(content)


def test_odd_files_never_make_a_fault(reception: Desk, deps: Deps) -> None:
    good = csv_of(row(deps, "Ana", 3))
    for content in (
        b"\x00\xff",
        good.replace("Ana", "A\u202ena").encode(),
        good.replace("Ana", "x" * 9000).encode(),
        good.replace("10000", "9" * 5000).encode(),
        good.replace("Room=10000", ";".join(["a=1"] * 60)).encode(),
        good.replace("Garden room", "\x1b[31m").encode(),
        b"room\r" + good.encode(),
    ):
        page = uploads(reception, content)
        assert page.status in (200, 400), content[:60]
        assert not page.forms("/import/run")
    assert uploads(reception, b"x" * 1_100_000).status == 400
    assert Reservation.select().count() == 0


def test_only_those_who_are_signed_in_may_send_much(reception: Desk, stranger: Desk) -> None:
    address = reception._url("/staff/reservations/import")
    reception.goes_to("/staff/reservations/import")
    token = fields_of(reception.page.forms("/staff/reservations/import")[0])["csrf_token"]
    much = {"csrf_token": token, "text": "x" * 4_000_000}
    assert reception.browser.post(address, data=much).status_code == 413
    assert stranger.browser.post(address, data={"text": "x" * 100_000}).status_code == 413
    example = reception.browser.get(address + "/example.csv")
    assert (example.status_code, "Garden room" in example.text) == (200, True)


def test_the_example_can_be_imported(deps: Deps) -> None:
    hotels.add_rooms(["=cmd()"], capacity=2)
    text = reservation_import.example(deps)
    assert "=cmd" not in text
    assert [r.problems for r in preview(deps, read_file(text.encode()))] == [{}, {}]


def test_a_cancelled_stay_is_not_brought_back_and_a_blocked_night_is_refused(
    deps: Deps, make_reservation: Callable[..., Reservation]
) -> None:
    rows = read_file(csv_of(row(deps, "Ana", 3), row(deps, "Bea", 9)).encode())
    done = import_rows(deps, rows, actor="test")
    first = done[0].reservation
    assert first is not None
    with transaction():
        state.move(lock(Reservation, first.id), "cancelled", actor="test", cause="cancelled", now=deps.now())
        nights.free_nights(first)
    make_reservation(in_days=3, nights=2)
    again = preview(deps, rows)
    assert [r.status for r in again] == ["already there", "already there"]
    RoomNight.update(reservation=None).execute()
    (blocked,) = preview(deps, read_file(csv_of(row(deps, "Eva", 10)).encode()))
    assert "is blocked" in blocked.problems["room"]


def test_the_preview_runs_as_many_statements_for_many_rows_as_for_one(deps: Deps, count_statements: Count) -> None:
    one = read_file(csv_of(row(deps, "Ana", 3)).encode())
    many = read_file(csv_of(*(row(deps, f"G{n}", 3 + 2 * n) for n in range(80))).encode())
    assert count_statements(lambda: preview(deps, one)) == count_statements(lambda: preview(deps, many))


def test_two_imports_of_a_file_at_once_make_one_set(deps: Deps) -> None:
    rows = read_file(csv_of(*(row(deps, f"G{n}", 3 + 2 * n) for n in range(12))).encode())
    outcomes = all_well(at_once([lambda: import_rows(deps, rows, actor="test")] * 2))
    assert sorted({r.status for r in outcome}.pop() for outcome in outcomes) == ["already there", "imported"]
    assert (Reservation.select().count(), RoomNight.select().count()) == (12, 24)


def test_a_failure_in_the_middle_leaves_nothing(deps: Deps) -> None:
    rows = read_file(csv_of(*(row(deps, f"G{n}", 3 + 2 * n) for n in range(6))).encode())
    before = everything_stored()

    def fails(done: int) -> None:
        if done == 4:
            raise DatabaseBusy("gone")

    with pytest.raises(DatabaseBusy):
        import_rows(deps, rows, actor="test", progress=fails)
    assert everything_stored() == before
    assert len(import_rows(deps, rows, actor="test")) == 6
