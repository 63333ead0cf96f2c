"""Stripe's messages all at once, as after an hour in which nobody could be reached: in no order, many of them twice,
some of those at the same moment, over several connections, into 2 web processes of 4 threads."""

import json
import os
import queue
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.loads.figures import Figures
from bench.loads.house import SECRET, Browser, House, filled, look_for_lost_and_doubled, running, wait_for
from bench.machine import children
from portal.models import WebhookEvent
from portal.services import checkout
from stripe_simulator.webhooks import signature

CONNECTIONS = 8
PROCESSES, THREADS = 2, 4
TWICE = 0.25
"""The share of messages that come twice."""

TRIES = 3
SETTLED_WITHIN = 30.0
MESSAGES_OF_A_STAY = 4
"""At least: a session that is complete, a payment intent made and paid, a charge."""

NO_EFFECT = """{"id": "%s", "object": "event", "api_version": "2025-01-27.acacia", "created": 1790000000,
"livemode": false, "type": "customer.updated", "data": {"object": {"id": "cus_of_somebody", "object": "customer"}}}"""

Message = tuple[str, str]
"""Its id and its body."""


def load(folder: Path, database_url: str, engine: str, messages: int, *, kill: bool = False) -> Figures:
    """`engine`: what the database is called in the table. `kill`: the web processes die in the midst of it, and
    what they had not answered is sent again, as Stripe does."""
    midst = ", all web processes killed in their midst" if kill else ""
    figures = Figures(f"{messages:,} messages of Stripe's at once over {CONNECTIONS} connections{midst} ({engine})")
    stays = -(-messages // MESSAGES_OF_A_STAY)
    with filled(folder, database_url, stays, workers=PROCESSES, threads=THREADS) as (house, environment):
        burst, paid = _write(house, messages)
        with running(house, folder, environment) as web:
            _warm_up(house)
            results: Counter[str] = Counter()
            begun = time.perf_counter()
            _send(house, burst, figures, results, partial(_kill_all, web.pid) if kill else None)
            seconds = time.perf_counter() - begun
            wait_for(lambda: not _waiting(), SETTLED_WITHIN)
        figures.facts |= {"seconds": round(seconds, 1), "in_a_second": round(len(burst) / seconds)}
        figures.facts |= {f"answered_{result}": number for result, number in sorted(results.items())}
        different = {event_id for event_id, _ in burst}
        figures.expect("messages answered", results.total(), len(burst))
        figures.expect("messages kept", WebhookEvent.select().count(), len(different))
        figures.expect("messages without effect", _waiting(), 0)
        if not kill:  # an answer that a dead process did not give is given as a copy's
            figures.expect("answered as a copy", results["duplicate"], len(burst) - len(different))
        look_for_lost_and_doubled(house, figures, paid)
    return figures


def _waiting() -> int:
    return int(WebhookEvent.select().where(WebhookEvent.processed_at.is_null()).count())


def _write(house: House, wanted: int) -> tuple[list[Message], int]:
    """Everything that Stripe has to say after guests have paid, and some of it twice; how many have paid. The same
    order at every run."""
    for paid, stay in enumerate(house.stays, 1):
        opened = checkout.start_checkout(house.deps, stay.id, actor="guest")
        assert isinstance(opened, checkout.GoToStripe)
        house.stripe.pay(opened.url.rpartition("/")[2])
        if paid % 20 == 0 and len(house.stripe.events()) >= wanted / (1 + TWICE):
            break
    said = [(event["id"], json.dumps(event, indent=2)) for event in house.stripe.events()]
    order = random.Random(2026)  # noqa: S311  # the same at every run
    copies = order.sample(said, max(0, wanted - len(said)))
    burst = said + copies[len(copies) // 4 :]
    order.shuffle(burst)
    for copied in copies[: len(copies) // 4]:
        burst.insert(burst.index(copied), copied)
    return burst, paid


def _warm_up(house: House) -> None:
    """Each thread has done a message's work before: of a kind that has no effect and is not counted."""
    foreign = [(f"evt_warm_{n}", NO_EFFECT % f"evt_warm_{n}") for n in range(100)]
    _send(house, foreign, Figures(""), Counter())
    WebhookEvent.delete().execute()


def _send(
    house: House,
    burst: list[Message],
    figures: Figures,
    results: Counter[str],
    in_the_midst: Callable[[], None] | None = None,
) -> None:
    waiting: queue.SimpleQueue[Message] = queue.SimpleQueue()
    for message in burst:
        waiting.put(message)
    lock = threading.Lock()

    def connection() -> None:
        browser = Browser(house.port)
        while True:
            try:
                message = waiting.get_nowait()
            except queue.Empty:
                with lock:
                    figures.facts["sent_again"] = figures.facts.get("sent_again", 0) + browser.sent_again
                return browser.close()
            result = _deliver(browser, message, figures)
            with lock:
                results[result] += 1
                if in_the_midst and results.total() == len(burst) // 2:
                    in_the_midst()

    threads = [threading.Thread(target=connection) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _kill_all(parent: int) -> None:
    """kill -9 for every process that answers; their parent starts new ones."""
    for child in children(parent)[1:]:
        os.kill(child, signal.SIGKILL)


def _deliver(browser: Browser, message: Message, figures: Figures) -> str:
    """As Stripe does: again, until it is taken."""
    body = message[1]
    for _ in range(TRIES):
        header = signature(body, [SECRET], int(time.time()))
        begun = time.perf_counter()
        status, text, _ = browser.ask(
            "POST", "/webhooks/stripe", body.encode(), Content_Type="application/json", Stripe_Signature=header
        )
        figures.note("message taken", time.perf_counter() - begun, "" if status == 200 else str(status))
        if status == 200:
            return str(json.loads(text)["processing_result"])
    return "refused"
