"""The figures of the comparison with dj-stripe."""

import hashlib
import hmac

from bench.messages import Model, Names, signed
from bench.peers import figures, goals, markdown
from bench.peers.figures import Round
from portal.deps import utc_now
from portal.gateways.stripe_seen import Names as NamesSeen
from portal.gateways.stripe_seen import PaymentSeen

MINE = Names("portal0", "evt_1ABCDEFGH", "cs_test_ABCDEFGH", "pi_ABCDEFGH", "CODE00000000", "PAY-0")


def a_round(cpu: float, took: float = 1.0, waits: float = 0.01) -> Round:
    return Round(count=100, took=took, cpu=cpu, engine=0.1, each=[waits] * 100)


def test_rounds_are_compared_with_their_neighbours_not_with_other_minutes() -> None:
    """The machine was slower in the second round, for both alike; the third is odd and decides nothing."""
    ours = [a_round(0.1), a_round(0.3, took=3.0), a_round(0.1)]
    theirs = [a_round(0.8, took=9.0), a_round(2.4, took=27.0), a_round(8.0, took=90.0)]
    found = figures.ratios(ours, theirs)
    assert (found["per_cpu_second"], found["per_second"], found["p99"]) == (8.0, 9.0, 1.0)
    assert found["with_engine"] == 6.25


def test_waiting_is_told_by_the_hundredth_worst_message() -> None:
    waits = [number / 1000 for number in range(1, 201)]
    assert figures.percentile(waits, 0.99) == 0.199
    assert figures.percentile([0.5], 0.99) == 0.5


def test_each_stay_gets_a_message_of_its_own() -> None:
    at = utc_now()
    opened = PaymentSeen("session", at, "open", 100, "EUR", False, NamesSeen(), MINE.session)
    model = Model(" ".join(vars(MINE).values()), MINE, opened)
    names = model.names_of(7, "portal7", "CODE00000007", "PAY-7")
    assert model.about(names) == b"portal7 evt_100000007 cs_test_00000007 pi_00000007 CODE00000007 PAY-7"
    assert model.opening(names).session_id == "cs_test_00000007"


def test_a_message_is_signed_as_stripe_signs() -> None:
    mark = hmac.new(b"whsec_a", b'1700000000.{"a": 1}', hashlib.sha256).hexdigest()
    assert signed(b'{"a": 1}', "whsec_a", 1_700_000_000)["Stripe-Signature"] == f"t=1700000000,v1={mark}"


def test_the_page_names_what_was_lost_and_each_goal_its_figure() -> None:
    subjects = [figures.summary(name, "SQLite", [a_round(0.1)]) for name in ("portal", "dj-stripe")]
    ratio = {"per_cpu_second": 7.9, "with_engine": 7.0, "per_second": 5.0, "p50": 0.2, "p99": 0.3}
    results = {
        "when": "2026-11-24 12:00 UTC",
        "command": "make bench-peers",
        "machine": "2 cores",
        "python": "3.11",
        "events": 200,
        "rounds": 5,
        "connections": 8,
        "subjects": subjects,
        "ratios": {"SQLite": ratio},
        "wrong": {"portal on SQLite": ["a stay"]},
    }
    assert "portal on SQLite: 1 findings" in markdown(results)
    assert [(goal.number, goal.figure, goal.met) for goal in goals(results)] == [
        ("P4", "7.9×", False),
        ("P7", "0.30×", True),
    ]
