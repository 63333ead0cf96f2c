"""The portal beside its nearest peer, dj-stripe: `make bench-peers`."""

import json
from pathlib import Path
from typing import Any

from bench.goals import Goal
from bench.peers import figures

RESULTS = Path(__file__).parents[1] / "results" / "peers.json"


def markdown(results: dict[str, Any]) -> str:
    """The section of docs/performance.md."""
    lost = "; ".join(f"{name}: {len(found)} findings" for name, found in results["wrong"].items())
    checked = lost or "every row was checked afterwards, nothing was lost and nothing doubled"
    return f"""## Beside dj-stripe

`{results["command"]}` on {results["when"]}: {results["machine"]}, Python {results["python"]}.
{results["rounds"]} rounds of {results["events"]} new `checkout.session.completed` messages for each server,
{results["connections"]} connections; {checked}.

{figures.table(results)}

At the portal each message settles a payment, confirms a stay, gives a receipt number and queues a mail, in one durable
transaction. dj-stripe stores the message and the session, which it asks Stripe for again: here a stub on this machine
that answers at once and whose CPU does not count, at Stripe itself another tenth of a second or more for each message.
Both run with two workers of gunicorn and connections that are kept, on SQLite with synchronous FULL and on PostgreSQL
with fsync. CPU is what the operating system charged to the server's processes; the figures of a round are compared
with each other only, and the ratios are the medians of {results["rounds"]} rounds. For p50 and p99 less is better.
"""


def goals(results: dict[str, Any]) -> list[Goal]:
    """Cheaper on both databases, and guests' payments wait less than a third as long."""
    return [
        Goal(
            number=number,
            text=f"webhook on {database}: messages per CPU second beside dj-stripe's",
            goal="≥ 8×",
            figure=f"{results['ratios'][database]['per_cpu_second']:.1f}×",
            met=results["ratios"][database]["per_cpu_second"] >= 8,
            command=results["command"],
            why=_limit(database, results["ratios"][database]["per_cpu_second"]),
        )
        for number, database in (("P4", "SQLite"), ("P5", "PostgreSQL"))
        if database in results["ratios"]
    ] + [
        Goal(
            number="P7",
            text=f"webhook on {database}: p99 at {results['connections']} connections beside dj-stripe's",
            goal="≤ 0.33×",
            figure=f"{ratio['p99']:.2f}×",
            met=ratio["p99"] <= 1 / 3,
            command=results["command"],
            why="Receipts are numbered without a gap, so whoever keeps money holds the counter until the commit is on "
            "the disk, and eight at a time wait for each other; dj-stripe's transactions share nothing.",
        )
        for database, ratio in results["ratios"].items()
    ]


def _limit(database: str, ours: float) -> str:
    """What the bare statements would reach, by the other bench's figures."""
    file = RESULTS.parent / "pages.json"
    pages = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"ratios": {}}
    above = pages["ratios"].get(f"new message to floor on {database}")
    if above is None:
        return ""
    return (
        f"The very statements of a message by the bare driver, with nothing around them, would come to "
        f"{ours * above['median']:.1f}× on {database}: the portal takes {above['median']:.2f}× their CPU "
        f"(`{pages['command']}`). A message here settles money, confirms, numbers, logs twice and queues a mail in one "
        "durable transaction."
    )
