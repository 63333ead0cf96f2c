"""Commands about reservations: adding one or a file of them, and their private links."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from portal import db
from portal.deps import Deps
from portal.domain.guest_match import show_code
from portal.models import Reservation
from portal.services import hotels, links, mails, new_reservation, reservation_import, reservations
from portal.services.new_reservation import BadReservation
from portal.services.reservation_import import BadFile, BadRows, CheckedRow

ACTOR = "command line"


def add(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        hotel = hotels.get_hotel()
        new = new_reservation.read(
            _reservation_data(arguments), currency=hotel.currency, today=reservations.today_at_hotel(deps)
        )
        reservation = reservations.add_reservation(deps, new, actor=ACTOR)
        answer = _summary(deps, reservation)
    if new.send_link:
        _note_mail(deps)
    if arguments.json:
        print(json.dumps(answer))
    else:
        print(*(f"{name}: {value}" for name, value in answer.items()), sep="\n")


def _reservation_data(arguments: argparse.Namespace) -> Any:
    if arguments.json:
        text = sys.stdin.read() if arguments.json == "-" else _read(arguments.json)
        try:
            return json.loads(text)
        except ValueError as error:
            raise BadReservation({"JSON": f"cannot be read: {error}"}) from None
    given = {
        name: getattr(arguments, name) for name in new_reservation.FIELDS if getattr(arguments, name, None) is not None
    }
    return {**given, "lines": [_line(text) for text in arguments.line or []]}


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadReservation({"file": f"{file} cannot be read ({type(error).__name__})"}) from None


def _line(text: str) -> dict[str, Any]:
    label, _, amount = text.rpartition("=")
    digits = amount.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise BadReservation({"--line": f"must be LABEL=AMOUNT with a whole number of minor units, not {text}"})
    return {"label": label, "amount": int(amount)}


def _summary(deps: Deps, reservation: Reservation) -> dict[str, Any]:
    return {
        "reservation_id": show_code(reservation.code),
        "status": reservation.status,
        "total": reservation.total,
        "currency": reservation.currency,
        "amount_due": reservation.amount_due,
        "hold_until": reservation.hold_until.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "link": links.make_link(deps, reservation),
    }


def link(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        reservation = reservations.get_by_code(arguments.code)
        if arguments.send:
            mails.queue_link(deps, reservation)
            _note_mail(deps)
        print(links.make_link(deps, reservation))


def _note_mail(deps: Deps) -> None:
    """The worker sends it; without a mail server it waits, and whoever asked for it should know."""
    if not deps.mail.is_on:
        print("The mail waits: SMTP_URL is not set, so nothing is sent yet.", file=sys.stderr)


# A file of them -------------------------------------------------------------------------------------------------------


def import_file(arguments: argparse.Namespace, deps: Deps) -> int:
    """Exit status 1 when a row is bad and neither left out by `--skip-bad` nor imported."""
    try:
        rows = reservation_import.read_file(_read_bytes(arguments.file))
    except BadFile as problem:
        return _refuse(str(problem))
    with db.connection():
        try:
            checked = _import(arguments, deps, rows)
        except BadRows as bad:
            checked = bad.rows
            _refuse("Nothing was imported. With --skip-bad the good rows are imported and these are left out.")
        if arguments.json:
            print(json.dumps([_row_summary(deps, row) for row in checked]))
    _print_bad(checked)
    if not arguments.json:
        _print_counts(checked)
    if any(row.status == reservation_import.IMPORTED and row.new and row.new.send_link for row in checked):
        _note_mail(deps)
    return 1 if any(row.problems for row in checked) and not arguments.skip_bad else 0


def _import(arguments: argparse.Namespace, deps: Deps, rows: list[reservation_import.Row]) -> list[CheckedRow]:
    if arguments.dry_run:
        return reservation_import.preview(deps, rows)
    return reservation_import.import_rows(
        deps, rows, actor=ACTOR, skip_bad=arguments.skip_bad, progress=_progress(len(rows))
    )


def _progress(total: int) -> Callable[[int], None]:
    def show(done: int) -> None:
        if sys.stderr.isatty() and (done % 50 == 0 or done == total):
            print(f"\r{done} of {total} rows", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show


def _read_bytes(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(reservation_import.LARGEST_FILE + 1)
        with Path(file).open("rb") as opened:
            return opened.read(reservation_import.LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise BadFile(f"{file} cannot be read ({type(error).__name__}).") from None


def _row_summary(deps: Deps, row: CheckedRow) -> dict[str, Any]:
    summary: dict[str, Any] = {"row": row.number, "status": row.status}
    if row.problems:
        return {**summary, "problems": row.problems}
    if row.reservation is None:
        return summary
    link = links.make_link(deps, row.reservation)
    return {**summary, "reservation_id": show_code(row.reservation.code), "link": link}


def _print_bad(checked: list[CheckedRow]) -> None:
    for row in checked:
        for column, problem in row.problems.items():
            print(f"row {row.number:>4}  {column:<12}  {problem}", file=sys.stderr)


def _print_counts(checked: list[CheckedRow]) -> None:
    for status in reservation_import.STATUSES:
        if number := sum(row.status == status for row in checked):
            print(f"{status}: {number}")


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1
