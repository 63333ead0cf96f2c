"""Signs that somebody tries what no page of ours offers: one place, one line in the log without a word of theirs."""

import structlog
from flask import request

from portal import errors
from portal.errors import Refusal

log = structlog.get_logger()

OURS_TO_DECIDE = frozenset(
    (
        *("amount", "attempt", "attempt_number", "currency", "paid", "payment", "payment_id", "price", "refund"),
        *("refund_amount", "refund_id", "reservation", "reservation_id", "session_id", "status", "tier", "total"),
    )
)
"""Values that no form of a guest has: the server knows them. Whoever sends them all the same is not believed."""


def look_at_form() -> None:
    """Before a guest's form is acted on: what it says about money is ignored and noted. A field that comes twice is
    refused, for of two values nobody knows which one was meant (Refusal)."""
    if request.method != "POST":
        return
    if sent := sorted(OURS_TO_DECIDE & {*request.form, *request.args}):
        log.warning("tampering", rule=_rule(), fields=sent)
    if any(len(values) > 1 for _, values in request.form.lists()):
        raise Refusal(errors.BAD_REQUEST)


def note_foreign_id(kind: str) -> None:
    """Somebody asked for a row that is not theirs, or that nobody has: neither the answer nor this line tells which."""
    log.warning("foreign id", kind=kind, rule=_rule())


def _rule() -> str:
    return request.url_rule.rule if request.url_rule else ""
