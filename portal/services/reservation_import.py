"""Reservations from a CSV file: its rows are read, checked by the rules for one reservation, and added all or none."""

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from io import StringIO
from typing import Any

from portal.db import lock, savepoint, transaction
from portal.deps import Deps
from portal.domain import hotel_time
from portal.domain.guest_match import normalise_email, show_code
from portal.models import Hotel, Reservation, Room, RoomNight
from portal.services import hotels, new_reservation, reservations
from portal.services.new_reservation import BadReservation, NewReservation

LARGEST_FILE = 1024 * 1024
MOST_ROWS = 1000
"""They are added in one transaction, and on SQLite everybody else who wants to write waits for it (five seconds)."""

REQUIRED = ("room", "guest_name", "email", "check_in", "check_out", "lines")
_NUMBERS = ("adults", "children", "hold_hours")
_SEPARATORS = ",;\t"
_FLAGS = {"true": True, "false": False}
_WHOLE = re.compile(r"-?[0-9]{1,15}")

OK, IMPORTED, ALREADY_THERE, REFUSED = "ready", "imported", "already there", "refused"
STATUSES = (OK, IMPORTED, ALREADY_THERE, REFUSED)


class BadFile(Exception):
    """The file as a whole cannot be read; the text says why and what to do."""


class BadRows(Exception):
    """Some rows are bad, so nothing was imported; `rows` holds all of them as they were checked."""

    def __init__(self, rows: "list[CheckedRow]") -> None:
        super().__init__("some rows are bad")
        self.rows = rows


@dataclass(frozen=True)
class Row:
    """`number` as a spreadsheet counts: the header is row 1. `cells`: texts by column, without the empty ones."""

    number: int
    cells: dict[str, str]
    problem: str = ""


@dataclass(frozen=True)
class CheckedRow:
    """One row and what becomes of it. `problems`: {column: sentence}; `reservation`: the one that was added or that is
    already there (of the latter only id, code, status and link_version are read)."""

    number: int
    guest_name: str
    status: str
    new: NewReservation | None = None
    problems: dict[str, str] = field(default_factory=dict)
    reservation: Reservation | None = None

    @property
    def nights(self) -> int:
        return (self.new.check_out - self.new.check_in).days if self.new else 0


# Reading --------------------------------------------------------------------------------------------------------------


def read_file(content: bytes) -> list[Row]:
    """The rows of a CSV file, blank ones left out. BadFile when it is no such file."""
    if len(content) > LARGEST_FILE:
        raise BadFile(f"The file is larger than {LARGEST_FILE // 1024} KB. Split it into several files.")
    text = _decode(content)
    separator = _find_separator(text)
    records = _read_records(text, separator)
    header = _read_header(records[0])
    rows = [_read_row(n, header, cells) for n, cells in enumerate(records[1:], 2) if any(map(str.strip, cells))]
    if not rows:
        raise BadFile("The file has a header but no reservations below it.")
    if len(rows) > MOST_ROWS:
        raise BadFile(f"The file has {len(rows)} reservations; {MOST_ROWS} fit into one import. Split it into several.")
    return rows


def _decode(content: bytes) -> str:
    if b"\x00" in content:
        raise BadFile("This is not a text file in UTF-8. Save it as “CSV UTF-8” and try again.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile(
            "The letters in this file are not written in UTF-8. Save it as “CSV UTF-8” and try again."
        ) from None
    if not text.strip():
        raise BadFile("The file is empty.")
    return text


def _find_separator(text: str) -> str:
    """The one that makes the most known columns of the first line."""
    first = text.splitlines()[0]

    def known(separator: str) -> int:
        return len({_column(part.strip('" ')) for part in first.split(separator)} & set(new_reservation.FIELDS))

    return max(_SEPARATORS, key=known)


def _read_records(text: str, separator: str) -> list[list[str]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[list[str]] = []
    try:
        records.extend(reader)
    except csv.Error:
        raise BadFile(
            f"Row {len(records) + 1} cannot be read: a quotation mark that does not close, or a cell that is too long."
        ) from None
    return records


def _read_header(cells: list[str]) -> list[str]:
    header = [_column(cell) for cell in cells]
    while header and not header[-1]:
        header.pop()
    if unknown := [name for name in header if name not in new_reservation.FIELDS]:
        raise BadFile(f"There are columns that we do not know: {_names(unknown)}. {_columns_hint()}")
    if double := sorted({name for name in header if header.count(name) > 1}):
        raise BadFile(f"There are columns that come twice: {_names(double)}.")
    if missing := [name for name in REQUIRED if name not in header]:
        raise BadFile(f"There are columns missing: {_names(missing)}. {_columns_hint()}")
    return header


def _column(cell: str) -> str:
    return cell.strip().lower()


def _names(names: Iterable[str]) -> str:
    short = ["".join(c if c.isprintable() else "?" for c in name[:40]) or "(without a name)" for name in names]
    return ", ".join(short[:5]) + (" …" if len(short) > 5 else "")


def _columns_hint() -> str:
    return f"The first row has to name the columns; there are {', '.join(new_reservation.FIELDS)}."


def _read_row(number: int, header: list[str], cells: list[str]) -> Row:
    filled = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
    if len(cells) < len(header) or any(cell.strip() for cell in cells[len(header) :]):
        words = f"has {len(cells)} cells, but there are {len(header)} columns"
        return Row(number, filled, f"{words}; put a cell with the separator in it into quotation marks")
    return Row(number, filled)


# Checking -------------------------------------------------------------------------------------------------------------


def preview(deps: Deps, rows: list[Row]) -> list[CheckedRow]:
    """What would become of each row if it were imported now. Writes nothing; runs no statement for each row."""
    hotel, today = hotels.get_hotel(), reservations.today_at_hotel(deps)
    read = [_read_reservation(row, hotel.currency, today) for row in rows]
    house = _House.load([row.new for row in read if row.new])
    return [house.check(row) for row in read]


def _read_reservation(row: Row, currency: str, today: date) -> CheckedRow:
    name = row.cells.get("guest_name", "")
    if row.problem:
        return CheckedRow(row.number, name, REFUSED, problems={"row": row.problem})
    data = {column: _value(column, cell) for column, cell in row.cells.items()}
    try:
        new = new_reservation.read(data, currency=currency, today=today)
    except BadReservation as bad:
        return CheckedRow(row.number, name, REFUSED, problems=_by_column(bad.problems))
    return CheckedRow(row.number, name, OK, new)


def _value(column: str, cell: str) -> Any:
    """The cell as the JSON of one reservation would have it; what cannot be, as a text that its rules refuse."""
    if column in _NUMBERS:
        return _number(cell)
    if column == "send_link":
        return _FLAGS.get(cell.lower(), cell)
    return [_line(part) for part in cell.split(";") if part.strip()] if column == "lines" else cell


def _number(text: str) -> int | str:
    text = text.strip()
    return int(text) if _WHOLE.fullmatch(text) else text


def _line(text: str) -> dict[str, Any]:
    label, _, amount = text.rpartition("=")
    return {"label": label, "amount": _number(amount)}


def _by_column(problems: dict[str, str]) -> dict[str, str]:
    """Several problems with price lines are one of the column's; counted from 1, as people do."""
    columns: dict[str, str] = {}
    for name, problem in problems.items():
        column, _, place = name.partition("[")
        words = (
            f"price line {int(place.rstrip(']')) + 1}: {problem}; write label=amount;label=amount" if place else problem
        )
        columns[column] = f"{columns[column]}. {words}" if column in columns else words
    return columns


Stay = tuple[int, date, date, str]
"""Room, check-in, check-out and the guest's e-mail: what makes two reservations the same one."""


@dataclass
class _House:
    """Rooms, and who has which night: stored, and by the rows that were checked before."""

    rooms: dict[str, Room]
    stays: dict[Stay, Reservation]
    nights: dict[tuple[int, date], str]

    @classmethod
    def load(cls, wanted: list[NewReservation]) -> "_House":
        rooms = {room.name: room for room in Room.select()}
        if not wanted:
            return cls(rooms, {}, {})
        first, last = min(new.check_in for new in wanted), max(new.check_out for new in wanted)
        return cls(rooms, _stored_stays(first, last), _stored_nights(first, last))

    def check(self, row: CheckedRow) -> CheckedRow:
        if row.new is None:
            return row
        new, room = row.new, self.rooms.get(row.new.room)
        problem = reservations.room_problem(new, room)
        if room is None or problem:
            return replace(row, status=REFUSED, problems={"room": problem or ""})
        if there := self.stays.get((room.id, new.check_in, new.check_out, normalise_email(new.email))):
            return replace(row, status=ALREADY_THERE, reservation=there)
        keys = [(room.id, night) for night in hotel_time.nights(new.check_in, new.check_out)]
        taken = next((key for key in keys if key in self.nights), None)
        if taken:
            problem = f"{new.room} is not free for all of these nights: {taken[1]} {self.nights[taken]}"
            return replace(row, status=REFUSED, problems={"room": problem})
        self.nights.update(dict.fromkeys(keys, f"is already wanted by row {row.number}"))
        return row


def _stored_stays(first: date, last: date) -> dict[Stay, Reservation]:
    """Cancelled ones too: the same file again must not bring a stay back to life. A later one of two counts."""
    found = (
        Reservation.select(
            Reservation.id,
            Reservation.code,
            Reservation.status,
            Reservation.link_version,
            Reservation.room,
            Reservation.check_in,
            Reservation.check_out,
            Reservation.email,
        )
        .where(Reservation.check_in.between(first, last))
        .order_by(Reservation.id)
    )
    return {(stay.room_id, stay.check_in, stay.check_out, normalise_email(stay.email)): stay for stay in found}


def _stored_nights(first: date, last: date) -> dict[tuple[int, date], str]:
    found: Any = (
        RoomNight.select(RoomNight.room, RoomNight.night, Reservation.code)
        .left_outer_join(Reservation)
        .where(RoomNight.night.between(first, last - timedelta(days=1)))
        .tuples()
    )
    return {
        (room, night): f"belongs to reservation {show_code(code)}" if code else "is blocked"
        for room, night, code in found
    }


# Importing ------------------------------------------------------------------------------------------------------------


def import_rows(
    deps: Deps,
    rows: list[Row],
    *,
    actor: str,
    skip_bad: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> list[CheckedRow]:
    """All rows or, when one is bad, none and BadRows; with `skip_bad` the good ones. Those that are already there stay
    as they are, so that the same file may come again. `progress` is told how many rows are done."""
    with transaction():
        lock(Hotel, 1)  # one import at a time: a second one of the same file sees what the first has added
        checked = preview(deps, rows)
        if not skip_bad and any(row.problems for row in checked):
            raise BadRows(checked)
        for index, row in enumerate(checked):
            checked[index] = _import_row(deps, row, actor) if row.status == OK else row
            if checked[index].problems and not skip_bad:
                # Somebody took a night meanwhile. Rows before it say "imported", which is taken back.
                raise BadRows([replace(r, status=OK, reservation=None) if r.status == IMPORTED else r for r in checked])
            progress(index + 1)
    return checked


def _import_row(deps: Deps, row: CheckedRow, actor: str) -> CheckedRow:
    assert row.new is not None  # a row that is ready was read
    try:
        with savepoint():
            reservation = reservations.add_inside(deps, row.new, actor=actor)
    except BadReservation as bad:
        return replace(row, status=REFUSED, problems=_by_column(bad.problems))
    return replace(row, status=IMPORTED, reservation=reservation)


# An example -----------------------------------------------------------------------------------------------------------


def example(deps: Deps) -> str:
    """A file that would be accepted, with rooms of this hotel, but for those whose name a spreadsheet would run."""
    names = [room.name for room in Room.select().order_by(Room.id) if room.name[:1] not in "=+-@"][:3]
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(new_reservation.FIELDS)
    check_in = reservations.today_at_hotel(deps) + timedelta(days=60)
    for number, name in enumerate(names or ["Garden room"], 1):
        stay = (name, f"Guest {number}", f"guest{number}@example.com", "", check_in, check_in + timedelta(days=2))
        writer.writerow([*stay, 1, 0, "Room, 2 nights=20000;Breakfast=2000", "", 24, "false"])
    return text.getvalue()
