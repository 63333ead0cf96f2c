"""Webhook deliveries in the hands of a test: look at them, or order them now, again, in any order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from stripe_simulator import webhooks
from stripe_simulator.store import Doc
from stripe_simulator.world import World

_COLUMNS = ("id", "event_id", "event_type", "state", "tries", "last_status", "last_error")


def listed(world: World, _asked: Doc) -> list[Doc]:
    """Every delivery with its state: pending, delivered, given_up, or lost (never queued, on purpose)."""
    rows = world.store.rows(f"SELECT {', '.join(_COLUMNS)} FROM delivery ORDER BY id")
    return [{name: row[name] for name in _COLUMNS} for row in rows]


def deliver_now(world: World, asked: Doc) -> Doc:
    """Deliver one event, or all that were not delivered yet, before answering.

    `again` includes the delivered ones, `copies` sends each so often, `reverse` sends the newest first, `at_once`
    sends everything at the same time, and `timestamp_offset` moves the signature's time.
    """
    how = webhooks.settings(world)
    events = _chosen(world, asked)
    if asked.get("reverse"):
        events.reverse()
    copies = [event for event in events for _ in range(int(asked.get("copies", 1)))]
    offset = int(asked.get("timestamp_offset", 0))

    def one(event: Doc) -> int | None:
        status, _ = webhooks.send(world, event, how, timestamp_offset=offset)
        webhooks.record_by_hand(world, event["id"], status)
        return status

    if asked.get("at_once"):
        with ThreadPoolExecutor(max_workers=16) as pool:
            return {"statuses": list(pool.map(one, copies)), "events": [event["id"] for event in copies]}
    return {"statuses": [one(event) for event in copies], "events": [event["id"] for event in copies]}


def _chosen(world: World, asked: Doc) -> list[Doc]:
    if "event_id" in asked:
        return [world.store.get("event", asked["event_id"])]
    events = world.store.select("event", oldest_first=True)
    if types := asked.get("types"):
        events = [event for event in events if event["type"] in types]
    if asked.get("again"):
        return events
    rows = world.store.rows("SELECT event_id FROM delivery WHERE state <> 'delivered'")
    waiting = {row["event_id"] for row in rows}
    return [event for event in events if event["id"] in waiting]
