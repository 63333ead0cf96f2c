"""Many guests at once go the whole way: private link, Pay, Stripe, back; a booking site asks for the status."""

import threading
import time
from pathlib import Path

import requests

from bench.loads.figures import Figures
from bench.loads.house import House, filled, look_for_lost_and_doubled, running, wait_for
from portal.models import Payment, WebhookEvent
from portal.services import api_tokens, links


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
    try:
        with requests.Session() as browser:
            browser.trust_env = False
            _pay(house, figures, browser, link, code)
            asked = {"Authorization": f"Bearer {token}"}
            _step(figures, browser, "read the status (API)", f"{house.url}/api/payments/{code}/status", headers=asked)
    except requests.RequestException as error:
        figures.failed.append(type(error).__name__)


def _pay(house: House, figures: Figures, browser: requests.Session, link: str, code: str) -> None:
    begun = time.perf_counter()
    page = _step(figures, browser, "open the private link", link)
    pay = {"csrf_token": page.partition('name="csrf_token" value="')[2].partition('"')[0]}
    with figures.timed("press Pay"):
        sent = browser.post(f"{house.url}/reservations/{code}/pay", data=pay, allow_redirects=False, timeout=60)
    session = sent.headers.get("Location", "").rpartition("/")[2]
    if not session.startswith("cs_"):
        figures.failed.append(f"press Pay: {sent.status_code}")
        return
    house.stripe.pay(session)
    paid = time.perf_counter()
    back = _step(figures, browser, "come back from Stripe", f"{house.url}/reservations/{code}/success")
    figures.note("from Pay to the confirmation", time.perf_counter() - begun)
    trouble = "" if 'data-reservation-status="confirmed"' in back else "not confirmed on coming back"
    figures.note("from paid to confirmed", time.perf_counter() - paid, trouble)


def _step(
    figures: Figures, browser: requests.Session, name: str, url: str, headers: dict[str, str] | None = None
) -> str:
    begun = time.perf_counter()
    answer = browser.get(url, headers=headers, timeout=60)
    figures.note(name, time.perf_counter() - begun, "" if answer.status_code == 200 else str(answer.status_code))
    return answer.text
