"""The state machines, edge by edge: a new edge is a business decision and shows up here."""

from itertools import combinations, permutations, product

import pytest

from portal.domain import states

RESERVATION = {
    ("pending", "confirmed"),
    ("pending", "cancelled"),
    ("pending", "expired"),
    ("confirmed", "cancelled"),
    ("expired", "confirmed"),
    ("expired", "pending"),
}
PAYMENT = {
    *(("creating", new) for new in ("open", "processing", "succeeded", "failed", "expired")),
    *(("open", new) for new in ("processing", "succeeded", "failed", "expired")),
    ("processing", "succeeded"),
    ("processing", "failed"),
    ("processing", "expired"),
    ("failed", "succeeded"),
    ("expired", "succeeded"),
}
ENDS = ("succeeded", "failed", "canceled")
REFUND = {
    *(("todo", new) for new in ("sent", "pending", "requires_action", *ENDS)),
    *(("sent", new) for new in ("pending", "requires_action", *ENDS)),
    *(("pending", new) for new in ("requires_action", *ENDS)),
    *(("requires_action", new) for new in ("pending", *ENDS)),
    ("succeeded", "failed"),
    ("succeeded", "canceled"),
}


@pytest.mark.parametrize(
    ("edges", "allowed"), [(states.RESERVATION, RESERVATION), (states.PAYMENT, PAYMENT), (states.REFUND, REFUND)]
)
def test_these_changes_are_allowed_and_no_others(edges: states.Edges, allowed: set[tuple[str, str]]) -> None:
    assert {(old, new) for old, new in product(edges, edges) if states.may_move(edges, old, new)} == allowed


def test_an_unknown_state_is_an_error() -> None:
    with pytest.raises(KeyError):
        states.may_move(states.PAYMENT, "paid", "succeeded")
    assert not states.may_move(states.PAYMENT, "open", "paid")


@pytest.mark.parametrize("edges", [states.RESERVATION, states.PAYMENT, states.REFUND])
def test_every_state_that_is_led_to_is_in_the_table_and_none_leads_to_itself(edges: states.Edges) -> None:
    assert set().union(*edges.values()) <= set(edges)
    assert not any(state in targets for state, targets in edges.items())
    assert all(isinstance(targets, frozenset) for targets in edges.values())


def test_what_is_final_stays() -> None:
    assert states.RESERVATION["cancelled"] == frozenset()
    assert states.PAYMENT["succeeded"] == frozenset()
    assert all(states.REFUND[ended] == frozenset() for ended in states.ENDED_REFUND)


def test_news_moves_a_payment_only_along_allowed_edges() -> None:
    """Otherwise a message from Stripe would be refused for ever, and the stay would wait for it."""
    for old, new in product(states.PAYMENT, states.PAYMENT):
        assert states.may_move(states.PAYMENT, old, new) == (states.PAYMENT_RANK[new] > states.PAYMENT_RANK[old])


def test_a_live_payment_is_never_one_that_has_ended() -> None:
    """Nothing leads back to a live state, and every state is either live or an end."""
    ended = set(states.PAYMENT) - set(states.LIVE_PAYMENT)
    assert ended == {"failed", "expired", "succeeded"}
    assert not any(states.PAYMENT[state] & set(states.LIVE_PAYMENT) for state in ended)


NEWS = ("open", "processing", "succeeded", "failed", "expired")


@pytest.mark.parametrize(
    "told", [t for n in range(1, 5) for t in combinations(NEWS, n) if not {"failed", "expired"} <= {*t}]
)
def test_any_order_of_the_same_news_ends_in_the_same_state(told: tuple[str, ...]) -> None:
    def settle(order: tuple[str, ...]) -> str:
        state = "creating"
        for news in order:
            state = news if states.PAYMENT_RANK[news] > states.PAYMENT_RANK[state] else state
        return state

    assert len({settle(order) for order in permutations(told)}) == 1


def test_news_of_a_refund_moves_it_only_along_allowed_edges() -> None:
    for old, new, fresh in product(states.REFUND, states.REFUND, (True, False)):
        if states.refund_may_follow(old, new, fresh=fresh):
            assert states.may_move(states.REFUND, old, new)


def test_only_stripes_fresh_word_takes_a_refund_back_to_pending() -> None:
    assert states.refund_may_follow("requires_action", "pending", fresh=True)
    assert not states.refund_may_follow("requires_action", "pending", fresh=False)


def test_news_of_a_dispute_never_leaves_an_end_and_goes_back_only_on_a_fresh_word() -> None:
    for old, new in product(states.DISPUTE_RANK, states.DISPUTE_RANK):
        forward = states.DISPUTE_RANK[new] > states.DISPUTE_RANK[old]
        assert states.dispute_may_follow(old, new, fresh=False) == (forward and old not in states.ENDED_DISPUTE)
        assert states.dispute_may_follow(old, new, fresh=True) == (old != new and old not in states.ENDED_DISPUTE)
