"""Which states exist and which changes between them are allowed, as data."""

Edges = dict[str, frozenset[str]]


def _edges(**allowed: str) -> Edges:
    return {state: frozenset(targets.split()) for state, targets in allowed.items()}


RESERVATION = _edges(
    pending="confirmed cancelled expired",
    confirmed="cancelled",
    expired="confirmed pending",  # late money that still finds its nights free; held again by staff
    cancelled="",
)

PAYMENT = _edges(
    creating="open processing succeeded failed expired",
    open="processing succeeded failed expired",
    processing="succeeded failed expired",  # an intent can be back from processing before its session ends unpaid
    failed="succeeded",  # Stripe has the last word: money that came is never refused a row
    expired="succeeded",
    succeeded="",
)

REFUND = _edges(
    todo="sent pending requires_action succeeded failed canceled",
    sent="pending requires_action succeeded failed canceled",
    pending="requires_action succeeded failed canceled",
    requires_action="pending succeeded failed canceled",
    succeeded="failed canceled",  # a bank can send a refund back days after it succeeded
    failed="",
    canceled="",
)

LIVE_PAYMENT = ("creating", "open", "processing")
"""A payment in one of these may still bring money."""

ENDED_REFUND = ("failed", "canceled")
"""A refund in one of these returned nothing."""

PAYMENT_RANK = {"creating": 0, "open": 1, "processing": 2, "expired": 3, "failed": 3, "succeeded": 4}
"""News moves a payment only to a higher rank, so any order of the same news ends in the same state."""

REFUND_RANK = {"todo": 0, "sent": 1, "pending": 2, "requires_action": 3, "succeeded": 4, "failed": 5, "canceled": 5}
"""The same for refunds; `requires_action` back to `pending` is believed only as Stripe's fresh answer."""


def refund_may_follow(old: str, new: str, *, fresh: bool) -> bool:
    """Whether news of a refund moves its row: forward, or between the two states of waiting on Stripe's fresh word."""
    if old in ENDED_REFUND:
        return False
    swap = fresh and {old, new} == {"pending", "requires_action"}
    return swap or REFUND_RANK[new] > REFUND_RANK[old]


DISPUTE_RANK = {
    "warning_needs_response": 0,
    "warning_under_review": 1,
    "needs_response": 2,
    "under_review": 3,
    **dict.fromkeys(("won", "lost", "prevented", "warning_closed"), 4),
}
"""The same for disputes, in Stripe's own words. An inquiry (`warning_…`) can become a dispute."""

ENDED_DISPUTE = ("won", "lost", "prevented", "warning_closed")


def dispute_may_follow(old: str, new: str, *, fresh: bool) -> bool:
    """Whether news of a dispute moves its row: never out of an end, and back only on Stripe's fresh word."""
    if old in ENDED_DISPUTE or old == new:
        return False
    return fresh or DISPUTE_RANK.get(new, 0) > DISPUTE_RANK.get(old, 0)


def may_move(edges: Edges, old: str, new: str) -> bool:
    """Whether the change is in the table; an unknown state is a KeyError."""
    return new in edges[old]
