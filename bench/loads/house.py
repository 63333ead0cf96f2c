"""A hotel for one load: its database, gunicorn, the worker and a Stripe, all on this machine."""

import http.client
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import hotel
from bench.loads.figures import Figures
from bench.machine import Server
from portal import db, migrations
from portal.deps import Deps
from portal.gateways.stripe_gateway import FOR_A_WORKER
from portal.models import AuditLog, OutgoingMail, Payment, Reservation
from portal.services import books, hotels, reservations
from portal.services.new_reservation import NewLine, NewReservation
from portal.settings import Settings
from stripe_simulator import Control, Simulator, start
from tests.postgres import free_port

ROOT = Path(__file__).parents[2]
SECRET = "whsec_of_the_bench"


@dataclass(frozen=True)
class House:
    """`port`: where its web servers answer."""

    port: int
    deps: Deps
    simulator: Simulator
    stays: list[Reservation]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stripe(self) -> Control:
        return Control(self.simulator.url)


@contextmanager
def filled(folder: Path, database_url: str, stays: int, **web: int) -> Iterator[tuple[House, dict[str, str]]]:
    """With stays that wait to be paid; nothing runs yet but Stripe, which keeps its messages. Also what the portal's
    programs read from their environment. `web`: how many `workers` and `threads` they have."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    simulator = start(port=0, webhook_url=f"{url}/webhooks/stripe", webhook_secrets=(SECRET,))
    environment = {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "the bench signs with this and nobody else does",
        "PUBLIC_BASE_URL": url,
        "STRIPE_SECRET_KEY": "sk_test_of_the_bench",
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": simulator.url,
        "BIND": f"127.0.0.1:{port}",
        "LOG_FORMAT": "json",
        **{f"WEB_{name.upper()}": str(number) for name, number in web.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    try:
        settings = Settings.from_environ(environment)
        with hotel.opened(settings.database_url):
            migrations.migrate()
            deps = Deps.build(settings, FOR_A_WORKER)
            # Only while these rows are made does a power cut not matter; the servers have connections of their own.
            db.db.execute_sql("SET synchronous_commit = off" if db.is_postgres() else "PRAGMA synchronous = OFF")
            house = House(port, deps, simulator, _add_stays(deps, stays))
            house.stripe.webhooks("hold")
            yield house, environment
    finally:
        simulator.stop()


def _add_stays(deps: Deps, number: int) -> list[Reservation]:
    hotels.ensure_hotel()
    hotels.add_rooms([f"Room {one}" for one in range(number)], capacity=2)
    day = datetime.now(UTC).date() + timedelta(days=30)
    return [
        reservations.add_reservation(
            deps,
            NewReservation(
                room=f"Room {one}",
                guest_name=f"Guest {one}",
                email=f"guest{one}@mail.example",
                check_in=day,
                check_out=day + timedelta(days=2),
                lines=(NewLine("Room", 20_000),),
            ),
            actor="bench",
        )
        for one in range(number)
    ]


@contextmanager
def running(house: House, folder: Path, environment: dict[str, str]) -> Iterator[Server]:
    """The portal's web servers and its worker, each with a log in the folder; yields the web servers."""
    programs = (["gunicorn", "wsgi:app"], ["portal", "worker"])
    web, worker = [
        Server(house.port, [sys.executable, "-m", *words], ROOT, environment, folder / f"{words[0]}.log")
        for words in programs
    ]
    try:
        web.wait()
        yield web
    finally:
        worker.stop()
        web.stop()


class Browser:
    """One connection that is kept, and opened again when the server has closed it meanwhile."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}
        self.sent_again = 0

    def ask(self, method: str, path: str, body: bytes | str = b"", **headers: str) -> tuple[int, str, str]:
        """Status, body, and where a redirect leads."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            self._connection.request(method, path, body, sent)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()
            self.sent_again += 1
            self._connection.request(method, path, body, sent)
            answer = self._connection.getresponse()
        text = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, rest = value.partition("=")
                self.cookies[cookie] = rest.partition(";")[0]
        return answer.status, text, answer.headers.get("Location", "")

    def close(self) -> None:
        self._connection.close()


def look_for_lost_and_doubled(house: House, figures: Figures, paid: int) -> None:
    """So many stays were paid: each is to be confirmed once, by one payment with one receipt and one mail, and every
    rule of the books is to hold."""
    kept = Payment.select().where((Payment.status == "succeeded") & (Payment.disposition == "kept"))
    whole = (Reservation.status == "confirmed") & (Reservation.paid == Reservation.total)
    confirmed = AuditLog.select().where((AuditLog.entity == "reservation") & (AuditLog.to_state == "confirmed"))
    found = {
        "stays confirmed": Reservation.select().where(whole).count(),
        "confirmations in the log": confirmed.count(),
        "payments": Payment.select().where(Payment.status == "succeeded").count(),
        "payments kept": kept.count(),
        "receipts": kept.select(Payment.receipt_number).distinct().count(),
        "mails": OutgoingMail.select().where(OutgoingMail.kind == "payment_received").count(),
    }
    for what, number in found.items():
        figures.expect(what, number, paid)
    for finding in books.audit(house.deps):
        figures.wrong.append(f"{finding.rule}: {finding.row}: {finding.what}")


def wait_for(true: Callable[[], bool], seconds: float) -> None:
    """Until it is so, at most that long: what comes of it is looked at afterwards."""
    give_up = time.monotonic() + seconds
    while not true() and time.monotonic() < give_up:
        time.sleep(0.1)
