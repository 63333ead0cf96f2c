"""Background threads: several couriers deliver webhooks at once, and one minder lets time pass."""

import random
import threading
import time

from stripe_simulator import later, webhooks
from stripe_simulator.world import World

COURIERS = 4
MINDER_PAUSE = 0.25
LONGEST_WAIT = 1.0


class Couriers:
    """Delivers what waits, at least once each, until stopped."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._news = threading.Condition()
        self._under_way: set[int] = set()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._deliver_forever, daemon=True) for _ in range(COURIERS)]
        self._threads.append(threading.Thread(target=self._mind_time, daemon=True))
        world.store.on_new_delivery = self._wake

    def start(self) -> None:
        """Begin, with whatever an earlier process left in the queue."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the deliveries that are under way."""
        self._stopping.set()
        self._wake()
        for thread in self._threads:
            thread.join(timeout=2)

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()

    def _deliver_forever(self) -> None:
        while not self._stopping.is_set():
            with self._news:
                delivery, wait = self._next()
                if delivery is None:
                    self._news.wait(wait)
                    continue
                self._under_way.add(delivery[0])
            try:
                self._deliver(*delivery)
            finally:
                with self._news:
                    self._under_way.discard(delivery[0])

    def _next(self) -> tuple[tuple[int, str] | None, float]:
        how = webhooks.settings(self._world)
        if how.mode != "on" or not how.url:
            return None, LONGEST_WAIT
        rows = self._world.store.rows(
            "SELECT id, event_id, due FROM delivery WHERE state = 'pending' ORDER BY due, id LIMIT 50"
        )
        waiting = [row for row in rows if row["id"] not in self._under_way]
        now = time.time()
        due = [row for row in waiting if row["due"] <= now]
        if due:
            row = random.choice(due) if how.shuffle else due[0]
            return (row["id"], row["event_id"]), 0
        return None, min([LONGEST_WAIT, *(row["due"] - now for row in waiting)])

    def _deliver(self, delivery_id: int, event_id: str) -> None:
        event = self._world.store.find("event", event_id)
        if event is None:
            return
        status, error = webhooks.send(self._world, event, webhooks.settings(self._world))
        if not self._world.stopped:  # a stopped simulator's store may be closed; the delivery then stays in the queue
            webhooks.record(self._world, delivery_id, status, error, time.time())

    def _mind_time(self) -> None:
        while not self._stopping.wait(MINDER_PAUSE):
            later.run_due(self._world)
