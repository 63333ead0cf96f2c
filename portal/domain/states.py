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
    processing="succeeded failed",
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


def may_move(edges: Edges, old: str, new: str) -> bool:
    """Whether the change is in the table; an unknown state is a KeyError."""
    return new in edges[old]
