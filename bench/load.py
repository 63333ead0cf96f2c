"""Many guests at once through the whole way to a paid stay: real gunicorn, real worker, SQLite, the Stripe simulator
and its webhooks. Prints what each step took, how many failed, and whether anybody paid twice. Each guest goes once."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from portal import db, migrations
from portal.deps import Deps
from portal.gateways.stripe_gateway import FOR_A_WORKER
from portal.models import Payment, Reservation, WebhookEvent
from portal.services import api_tokens, hotels, links, reservations
from portal.services.new_reservation import NewLine, NewReservation
from portal.settings import Settings
from stripe_simulator import Control, Simulator, start

SECRET = "whsec_of_the_bench"
PORT = 8791
URL = f"http://127.0.0.1:{PORT}"


class Figures:
    """What each step took, in seconds, and what went wrong."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self._lock = threading.Lock()

    def step(self, name: str, do: Callable[[], requests.Response], expected: int = 200) -> requests.Response:
        begun = time.perf_counter()
        answer = do()
        with self._lock:
            self.took[name].append(time.perf_counter() - begun)
            if answer.status_code != expected:
                self.wrong.append(f"{name}: {answer.status_code}")
        return answer

    def show(self) -> None:
        print(f"{'step':28}{'number':>8}{'p50 ms':>10}{'p99 ms':>10}{'most ms':>10}")
        for name, took in self.took.items():
            ordered = sorted(took)
            p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
            row = (statistics.median(ordered), p99, ordered[-1])
            print(f"{name:28}{len(took):8}" + "".join(f"{seconds * 1000:10.0f}" for seconds in row))


def guest(figures: Figures, stripe: Control, link: str, code: str, token: str) -> None:
    """One guest: opens the link, pays, comes back; meanwhile a booking site asks for the status."""
    with requests.Session() as browser:
        browser.trust_env = False
        begun = time.perf_counter()
        page = figures.step("open the private link", lambda: browser.get(link, timeout=60))
        question = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        pay = {"csrf_token": question}
        address = f"{URL}/reservations/{code}/pay"
        sent = figures.step(
            "press Pay", lambda: browser.post(address, data=pay, allow_redirects=False, timeout=60), expected=303
        )
        session = sent.headers.get("Location", "").rpartition("/")[2]
        if not session.startswith("cs_"):
            return
        stripe.pay(session)
        paid = time.perf_counter()
        back = figures.step(
            "come back from Stripe", lambda: browser.get(f"{URL}/reservations/{code}/success", timeout=60)
        )
        figures.took["from Pay to the confirmation"].append(time.perf_counter() - begun)
        figures.took["from paid to confirmed"].append(time.perf_counter() - paid)
        if 'data-reservation-status="confirmed"' not in back.text:
            figures.wrong.append("not confirmed on coming back")
        asked = {"Authorization": f"Bearer {token}"}
        status = f"{URL}/api/payments/{code}/status"
        figures.step("read the status (API)", lambda: browser.get(status, headers=asked, timeout=60))


def run(guests: int, folder: Path) -> int:
    simulator = start(port=0, webhook_url=f"{URL}/webhooks/stripe", webhook_secrets=(SECRET,))
    environment = {
        "DATABASE_URL": f"sqlite:///{folder / 'portal.db'}",
        "SECRET_KEY": "the bench signs with this and nobody else does",
        "PUBLIC_BASE_URL": URL,
        "STRIPE_SECRET_KEY": "sk_test_of_the_bench",
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": simulator.url,
        "BIND": f"127.0.0.1:{PORT}",
        "LOG_FORMAT": "json",
    }
    deps, stays, tokens = prepare(environment, guests)
    processes = [serve(folder, environment, *words) for words in (["gunicorn", "wsgi:app"], ["portal", "worker"])]
    try:
        wait_until_up()
        figures = Figures()
        at_once(guests, figures, simulator, deps, stays, tokens)
        time.sleep(3)  # the last messages of Stripe's
        figures.show()
        return tell(figures, guests)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
        simulator.stop()


def prepare(environment: dict[str, str], guests: int) -> tuple[Deps, list[Reservation], list[str]]:
    settings = Settings.from_environ(environment)
    db.initialise(settings.database_url)
    migrations.migrate()
    deps = Deps.build(settings, FOR_A_WORKER)
    db.open_connection()
    hotels.ensure_hotel()
    hotels.add_rooms([f"Room {number}" for number in range(guests)], capacity=2)
    day = datetime.now(UTC).date() + timedelta(days=30)
    stays = [
        reservations.add_reservation(
            deps,
            NewReservation(
                room=f"Room {number}",
                guest_name=f"Guest {number}",
                email=f"guest{number}@mail.example",
                check_in=day,
                check_out=day + timedelta(days=2),
                lines=(NewLine("Room", 20_000),),
            ),
            actor="bench",
        )
        for number in range(guests)
    ]
    return deps, stays, [api_tokens.add_token(deps, f"site {n}") for n in range(1 + guests // 200)]


def serve(folder: Path, environment: dict[str, str], module: str, *words: str) -> "subprocess.Popen[bytes]":
    with (folder / f"{module}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, *words], cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log
        )


def wait_until_up() -> None:
    for _ in range(200):
        with suppress(requests.RequestException):
            if requests.get(f"{URL}/healthz", timeout=1).ok:
                return
        time.sleep(0.1)
    raise SystemExit(f"The portal does not answer at {URL}.")


def at_once(
    guests: int, figures: Figures, simulator: Simulator, deps: Deps, stays: list[Reservation], tokens: list[str]
) -> None:
    addresses = [(links.make_link(deps, stay), stay.code) for stay in stays]
    threads = [
        threading.Thread(target=guest, args=(figures, Control(simulator.url), link, code, tokens[number % len(tokens)]))
        for number, (link, code) in enumerate(addresses)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for number, thread in enumerate(threads, 1):
        thread.join()
        if sys.stderr.isatty():
            print(f"\r{number} of {guests} guests", end="", file=sys.stderr)
    print(f"{guests} guests at once, {time.perf_counter() - begun:.1f} s altogether\n")


def tell(figures: Figures, guests: int) -> int:
    """Exit status 1 when a stay is not confirmed or anybody paid twice."""
    confirmed = Reservation.select().where(Reservation.status == "confirmed").count()
    paid = Payment.select().where(Payment.status == "succeeded").count()
    twice = paid - Payment.select(Payment.reservation).where(Payment.status == "succeeded").distinct().count()
    heard = WebhookEvent.select().where(WebhookEvent.result == "success").count()
    share = len(figures.wrong) / max(1, sum(map(len, figures.took.values())))
    print(f"\nconfirmed {confirmed} of {guests}, paid twice {twice}, messages applied {heard}, errors {share:.2%}")
    for wrong in sorted(set(figures.wrong)):
        print(f"  {wrong} ({figures.wrong.count(wrong)} times)")
    return 0 if (confirmed, twice) == (guests, 0) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("guests", type=int, nargs="?", default=50, help="how many at once, at most 200 (default 50)")
    guests = min(200, max(1, parser.parse_args().guests))
    with tempfile.TemporaryDirectory(prefix="portal-load-") as folder:
        return run(guests, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
