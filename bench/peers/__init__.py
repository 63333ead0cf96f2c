"""The portal beside its nearest peer, dj-stripe: `make bench-peers`."""

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
        )
        for database, ratio in results["ratios"].items()
    ]
