"""Four guests wait in a Stripe that takes half a second for each click on Pay; what the others feel of it."""

import statistics
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench.loads.figures import Figures, summary
from bench.loads.house import Browser, House, filled, running
from portal.models import Reservation
from portal.services import links

PAYING, READING = 4, 2
STRIPE_TAKES = 0.5
ROUNDS, SECONDS = 4, 1.5
QUIET, BUSY = "a page, nobody pays", "a page, four wait for Stripe"
PAY = "press Pay, Stripe takes 0.5 s"


def load(folder: Path) -> Figures:
    """In turns: readers alone, readers beside those who pay."""
    figures = Figures(f"{PAYING} guests in a Stripe that takes {STRIPE_TAKES} s, {READING} others read (SQLite)")
    each = int(SECONDS / STRIPE_TAKES) + 1
    with filled(folder, f"sqlite:///{folder / 'portal.db'}", ROUNDS * PAYING * each + READING) as (house, environment):
        readers, payers = house.stays[:READING], house.stays[READING:]
        house.stripe.fault("slow", method="POST", path="/v1/checkout/sessions", times=10_000, seconds=STRIPE_TAKES)
        with running(house, folder, environment):
            browsers = [_signed_in(house, stay) for stay in readers]
            _read(browsers, Figures(""), "", 1.0)  # warm
            ratios = [_one_round(house, browsers, payers[turn::ROUNDS], figures) for turn in range(ROUNDS)]
    figures.facts["p50_ratio"] = round(statistics.median(ratios), 2)
    return figures


def _one_round(house: House, browsers: list[tuple[Browser, str]], payers: list[Reservation], figures: Figures) -> float:
    quiet, busy = len(figures.took[QUIET]), len(figures.took[BUSY])
    _read(browsers, figures, QUIET, SECONDS)
    opened = [(*_signed_in(house, stay), stay.code) for stay in payers]  # before the clock runs
    stop = threading.Event()
    threads = [threading.Thread(target=_pay, args=(opened[n::PAYING], figures, stop)) for n in range(PAYING)]
    for thread in threads:
        thread.start()
    _read(browsers, figures, BUSY, SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return summary(figures.took[BUSY][busy:])["p50"] / summary(figures.took[QUIET][quiet:])["p50"]


def _signed_in(house: House, stay: Reservation) -> tuple[Browser, str]:
    """A browser that has opened the stay's private link, and the page's address."""
    browser = Browser(house.port)
    _, _, there = browser.ask("GET", urlsplit(links.make_link(house.deps, stay)).path)
    return browser, urlsplit(there).path


def _read(browsers: list[tuple[Browser, str]], figures: Figures, step: str, seconds: float) -> None:
    until = time.perf_counter() + seconds

    def reader(browser: Browser, page: str) -> None:
        while time.perf_counter() < until:
            begun = time.perf_counter()
            status, _, _ = browser.ask("GET", page)
            figures.note(step, time.perf_counter() - begun, "" if status == 200 else str(status))

    threads = [threading.Thread(target=reader, args=who) for who in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _pay(opened: list[tuple[Browser, str, str]], figures: Figures, stop: threading.Event) -> None:
    for browser, page, code in opened:
        if stop.is_set():
            return
        _, text, _ = browser.ask("GET", page)
        token = text.partition('name="csrf_token" value="')[2].partition('"')[0]
        begun = time.perf_counter()
        form = "application/x-www-form-urlencoded"
        status, _, there = browser.ask(
            "POST", f"/reservations/{code}/pay", f"csrf_token={token}", Content_Type=form, Referer=page
        )
        figures.note(PAY, time.perf_counter() - begun, "" if (status, "cs_" in there) == (303, True) else str(status))
