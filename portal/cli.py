"""Commands: each reads its arguments and calls one service. Exit status 0: done; 1: refused, with a sentence why."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from portal import (
    NotReady,
    check_database,
    cli_money,
    cli_operations,
    cli_reservations,
    cli_staff,
    db,
    demo,
    jobs,
    logs,
    migrations,
)
from portal.cli_money import NotConfirmed
from portal.db import DatabaseBusy
from portal.deps import Deps
from portal.gateways.stripe_gateway import FOR_A_REQUEST, FOR_A_WORKER, StripeUnavailable
from portal.services import hotels, new_reservation
from portal.services.api_tokens import BadToken
from portal.services.backup import NoBackup
from portal.services.hotels import BadHotel, By
from portal.services.new_reservation import BadReservation
from portal.services.staff_accounts import BadStaff, LastManager
from portal.services.staff_refunds import BadRefund
from portal.settings import Settings, SettingsError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what went wrong goes to standard error in plain words."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except (SettingsError, NotReady, BadHotel, demo.DemoProblem, NotConfirmed, BadRefund, NoBackup) as problem:
        return _fail(str(problem))
    except (BadStaff, BadToken) as problem:
        return _fail(str(problem))
    except LastManager:
        return _fail("Nobody else who can sign in is a manager. Add another one first. Nothing was done.")
    except BadReservation as bad:
        return _fail("The reservation was not added.", *(f"  {field} {why}" for field, why in bad.problems.items()))
    except LookupError as problem:
        return _fail(str(problem.args[0]))
    except StripeUnavailable as problem:
        return _fail(f"Stripe cannot be reached now ({problem}). What was done until then stands; run it again.")
    except DatabaseBusy as problem:
        return _fail(f"The database cannot be used now ({problem}). Look what was stored before you repeat this.")
    except KeyboardInterrupt:
        return 130


def _fail(*sentences: str) -> int:
    print(*sentences, sep="\n", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m portal", description="A guest portal for a small hotel.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _command(commands, "migrate", _migrate, "bring the database up to date; the first time it makes it")
    _add_hotel(commands)
    _add_room(commands)
    _add_reservation(commands)
    link = _command(commands, "link", _with_deps(cli_reservations.link), "print the private link of a reservation")
    link.add_argument("code", help="the reservation's code, dashes optional")
    link.add_argument("--send", action="store_true", help="also e-mail it to the guest")
    _add_money(commands)
    _add_staff(commands)
    _add_operations(commands)
    worker = _command(commands, "worker", _worker, "do what must not depend on a browser: sweeps, retries, holds")
    worker.add_argument("--once", action="store_true", help="every job once, then end (for cron)")
    return parser


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text.capitalize() + ".")
    parser.set_defaults(run=run)
    return parser


def _group(commands: Any, name: str, text: str) -> Any:
    return commands.add_parser(name, help=text, description=text.capitalize() + ".").add_subparsers(
        required=True, metavar="COMMAND"
    )


def _add_demo(commands: Any) -> None:
    parser = _command(commands, "demo", _demo, "try everything: a seeded hotel, a Stripe simulator, portal and worker")
    parser.add_argument("--port", type=int, default=8000, help="of the portal (default 8000)")
    parser.add_argument("--stripe-port", type=int, default=12111, help="of the Stripe simulator (default 12111)")
    parser.add_argument("--mailbox-port", type=int, default=8025, help="of the mailbox that you read (default 8025)")
    parser.add_argument("--smtp-port", type=int, default=1025, help="of the mailbox's mail server (default 1025)")
    parser.add_argument("--folder", type=Path, default=Path("var/demo"), help="where its files go (default var/demo)")


def _add_hotel(commands: Any) -> None:
    parser = _command(
        _group(commands, "hotel", "the house"), "set", _hotel_set, "change what guests read about the hotel"
    )
    for name in hotels.EDITABLE:
        convert = _time if name.startswith("check_") else str
        parser.add_argument(f"--{name.replace('_', '-')}", type=convert, default=None, metavar="VALUE")


def _time(text: str) -> time:
    """A time of day like 15:00; ValueError for anything else."""
    return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # on the hotel's clock, whatever its zone


def _add_room(commands: Any) -> None:
    parser = _command(_group(commands, "room", "rooms"), "add", _room_add, "add rooms by name")
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--description", default="")
    parser.add_argument("--capacity", type=int, default=2, help="guests, at most (default 2)")


def _add_money(commands: Any) -> None:
    cancel = _command(commands, "cancel", _with_deps(cli_money.cancel), "cancel a stay; shows what comes back first")
    cancel.add_argument("code")
    cancel.add_argument("--refund", type=int, metavar="AMOUNT", help="another sum than the policy's, in minor units")
    refund = _command(commands, "refund", _with_deps(cli_money.refund), "send money of a payment back; the stay stays")
    refund.add_argument("payment", metavar="PAY-…")
    refund.add_argument("--amount", type=int, help="in minor units (default: all that is left)")
    for parser in (cancel, refund):
        parser.add_argument("--reason", default="", help="kept with it, for the hotel")
    again = _command(
        commands, "refund-again", _with_deps(cli_money.retry), "try a refund again that failed at the bank"
    )
    handed = _command(
        commands, "refund-handed-back", _with_deps(cli_money.hand_back), "record that cash was handed back"
    )
    for parser in (again, handed):
        parser.add_argument("refund", metavar="REF-…")
    for parser in (cancel, refund, again, handed):
        parser.add_argument("--yes", action="store_true", help="do not ask")
    _add_books(commands)


def _add_books(commands: Any) -> None:
    alerts = _command(commands, "alerts", _with_deps(cli_money.list_alerts), "what needs a person's attention")
    alerts.add_argument("--json", action="store_true")
    close = _command(alerts.add_subparsers(metavar="COMMAND"), "close", _with_deps(cli_money.close_alert), "close one")
    close.add_argument("id", type=int)
    close.add_argument("--why", required=True, help="a word why")
    close.add_argument("--who", default=cli_money.ACTOR, help="whose decision it is")
    reconcile = _command(commands, "reconcile", _with_deps(cli_money.reconcile), "settle everything that Stripe lists")
    reconcile.add_argument("--since", type=cli_money.duration, help="such as 48h (default: since the last time)")
    audit = _command(commands, "audit", _with_deps(cli_money.audit), "check the books, and compare them with Stripe's")
    audit.add_argument("--since", type=cli_money.duration, default=timedelta(days=35), help="such as 48h (default 35d)")
    audit.add_argument("--offline", action="store_true", help="do not ask Stripe")
    audit.add_argument("--json", action="store_true")


def _add_staff(commands: Any) -> None:
    group = _group(commands, "staff", "people who sign in to the staff pages")
    add = _command(group, "add", _with_deps(cli_staff.add), "add somebody and print a first password")
    add.add_argument("--role", choices=("manager", "reception"), default="reception", help="default: reception")
    add.add_argument("--name", default="")
    others = (
        ("disable", cli_staff.disable, "no longer let somebody sign in; ends their sign-ins"),
        ("enable", cli_staff.enable, "let somebody sign in again"),
        ("reset-password", cli_staff.reset_password, "print a new first password for somebody; ends their sign-ins"),
        ("reset-totp", cli_staff.reset_totp, "have somebody set up the app for codes anew; ends their sign-ins"),
    )
    parsers = [_command(group, name, _with_deps(run), text) for name, run, text in others]
    for parser in (add, *parsers):
        parser.add_argument("email", metavar="EMAIL")
    listing = _command(group, "list", _with_deps(cli_staff.list_staff), "who may sign in")
    listing.add_argument("--json", action="store_true")
    tokens = _group(commands, "token", "tokens for programs that use the JSON API")
    token = _command(tokens, "add", _with_deps(cli_staff.add_token), "make a token and print it, once")
    token.add_argument("name", metavar="NAME", help="the program it is for")
    token.add_argument("--scope", action="append", metavar="SCOPE", help="may be repeated (default: all)")


def _add_operations(commands: Any) -> None:
    copy = _command(commands, "backup", _with_deps(cli_operations.make_backup), "copy the database while all runs")
    copy.add_argument("file", metavar="FILE", help="where to; only its owner can read it")
    copy.add_argument("--force", action="store_true", help="replace what is there")
    doctor = _command(commands, "doctor", _doctor, "say what is wrong with the set-up, and what to do; changes nothing")
    doctor.add_argument("--offline", action="store_true", help="ask neither Stripe nor the mail server")
    doctor.add_argument("--json", action="store_true")
    text = "note that this database was restored from a dump"
    _command(commands, "restored", _with_deps(cli_operations.note_restored), text)


def _with_deps(run: Callable[[argparse.Namespace, Deps], Any]) -> Callable[[argparse.Namespace], Any]:
    return lambda arguments: run(arguments, _deps())


def _add_reservation(commands: Any) -> None:
    group = _group(commands, "reservation", "reservations")
    add = _command(group, "add", _with_deps(cli_reservations.add), "add a reservation and print its link")
    add.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="read it as JSON from a file, or from standard input"
    )
    for name in ("room", "guest-name", "email", "phone", "check-in", "check-out", "locale"):
        add.add_argument(f"--{name}")
    for name in ("adults", "children", "hold-hours"):
        add.add_argument(f"--{name}", type=int)
    add.add_argument(
        "--line", action="append", metavar="LABEL=AMOUNT", help="a price line, amount in minor units; may be repeated"
    )
    add.add_argument("--send-link", action="store_true", default=None, help="e-mail the private link to the guest")
    many = _command(
        group, "import", _with_deps(cli_reservations.import_file), "add the reservations of a CSV file, all or none"
    )
    many.add_argument("file", metavar="FILE.csv", help="- reads standard input")
    many.add_argument("--skip-bad", action="store_true", help="add the good rows and leave the bad ones")
    many.add_argument("--dry-run", action="store_true", help="only say what would be done")
    many.add_argument("--json", action="store_true")


def _settings() -> Settings:
    settings = Settings.from_environ()
    logs.configure(settings.log_format)
    db.initialise(settings.database_url)
    return settings


def _deps() -> Deps:
    settings = _settings()
    check_database(settings)
    return Deps.build(settings, FOR_A_WORKER)


def _doctor(arguments: argparse.Namespace) -> int:
    return cli_operations.examine(arguments, lambda: Deps.build(_settings(), FOR_A_REQUEST))


def _demo(arguments: argparse.Namespace) -> None:
    ports = demo.Ports(arguments.port, arguments.stripe_port, arguments.mailbox_port, arguments.smtp_port)
    demo.run(arguments.folder, ports)


def _migrate(_: argparse.Namespace) -> None:
    _settings()
    applied = migrations.migrate()
    with db.connection():
        hotels.ensure_hotel()
    print("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")


def _hotel_set(arguments: argparse.Namespace) -> None:
    deps = _deps()
    values = {name: value for name in hotels.EDITABLE if (value := getattr(arguments, name)) is not None}
    with db.connection():
        hotels.set_hotel(By("command line", deps.now()), **values)
        hotel = hotels.get_hotel()
    for name in hotels.EDITABLE:
        print(f"{name}: {getattr(hotel, name)}")


def _room_add(arguments: argparse.Namespace) -> int:
    _deps()
    if arguments.capacity < 1 or any(
        new_reservation.text_problem(name) or not name.strip() for name in arguments.names
    ):
        return _fail("A room needs a name that can be printed and a capacity of at least 1.")
    with db.connection():
        for room in hotels.add_rooms(arguments.names, arguments.description, arguments.capacity):
            print(f"{room.name}: at most {room.capacity} guests")
    return 0


def _worker(arguments: argparse.Namespace) -> None:
    deps, stop = _deps(), Event()
    if arguments.once:
        for name, done in jobs.run_once(deps).items():
            print(f"{name}: {done}")
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    jobs.run_forever(deps, stop)
