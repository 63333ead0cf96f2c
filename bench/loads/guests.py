"""Many guests at once go the whole way: private link, Pay, Stripe, back; a booking site asks for the status."""

import threading
import time
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from bench.loads.figures import Figures
from bench.loads.house import Browser, House, filled, look_for_lost_and_doubled, running, wait_for
from portal.models import Payment, WebhookEvent
from portal.services import api_tokens, links
from stripe_simulator.control import ControlError

FORM = "application/x-www-form-urlencoded"


def load(folder: Path, guests: int) -> Figures:
    figures = Figures(f"{guests} guests at once through the whole way to a paid stay (SQLite)")
    with filled(folder, f"sqlite:///{folder / 'portal.db'}", guests) as (house, environment):
        tokens = [api_tokens.add_token(house.deps, f"site {number}") for number in range(1 + guests // 200)]
        with running(house, folder, environment):
            house.stripe.webhooks("on")
            begun = time.perf_counter()
            _all_at_once(house, figures, tokens)
            figures.facts["seconds"] = round(time.perf_counter() - begun, 1)
            wait_for(lambda: _all_heard(house), 10)
        figures.facts["messages_applied"] = WebhookEvent.select().where(WebhookEvent.result == "success").count()
        paid = Payment.select().where(Payment.status == "succeeded")
        figures.facts["paid_twice"] = paid.count() - paid.select(Payment.reservation).distinct().count()
        look_for_lost_and_doubled(house, figures, guests)
    return figures


def _all_heard(house: House) -> bool:
    return all(delivery["state"] != "pending" for delivery in house.stripe.deliveries())


def _all_at_once(house: House, figures: Figures, tokens: list[str]) -> None:
    addresses = [(links.make_link(house.deps, stay), stay.code) for stay in house.stays]
    threads = [
        threading.Thread(target=_guest, args=(house, figures, link, code, tokens[number % len(tokens)]))
        for number, (link, code) in enumerate(addresses)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _guest(house: House, figures: Figures, link: str, code: str, token: str) -> None:
    browser = Browser(house.port)
    try:
        _pay(house, figures, browser, link, code)
        _step(
            figures, browser, "read the status (API)", f"/api/payments/{code}/status", Authorization=f"Bearer {token}"
        )
    except (OSError, HTTPException, ControlError) as error:
        figures.failed.append(type(error).__name__)


def _pay(house: House, figures: Figures, browser: Browser, link: str, code: str) -> None:
    begun = time.perf_counter()
    with figures.timed("open the private link"):
        _, _, page = browser.ask("GET", urlsplit(link).path)
    text = _step(figures, browser, "read what is to be paid", page)
    token = text.partition('name="csrf_token" value="')[2].partition('"')[0]
    with figures.timed("press Pay"):
        status, _, there = browser.ask("POST", f"/reservations/{code}/pay", f"csrf_token={token}", Content_Type=FORM)
    session = there.rpartition("/")[2]
    if not session.startswith("cs_"):
        figures.failed.append(f"press Pay: {status}")
        return
    house.stripe.pay(session)
    paid = time.perf_counter()
    back = _step(figures, browser, "come back from Stripe", f"/reservations/{code}/success")
    if 'data-reservation-status="confirmed"' not in back:
        figures.failed.append("not confirmed on coming back")
    figures.longest("seconds_from_link_to_confirmed", begun)
    figures.longest("seconds_from_paid_to_confirmed", paid)


def _step(figures: Figures, browser: Browser, name: str, path: str, **headers: str) -> str:
    begun = time.perf_counter()
    status, text, _ = browser.ask("GET", path, **headers)
    figures.note(name, time.perf_counter() - begun, "" if status == 200 else str(status))
    return text
