"""Every step at which the tests kill a process: one table. A step is a named function of the portal, before it begins
or after it has returned."""

import importlib
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pytest

CHECKOUT = "portal.services.checkout"
SESSIONS = "portal.services.checkout_sessions"
SETTLEMENT = "portal.services.settlement"
EVENTS = "portal.services.webhook_events"
GATEWAY = "portal.gateways.stripe_gateway"


@dataclass(frozen=True)
class Point:
    """`target` is module:name, as the code that calls it looks it up; `when` is before or after."""

    name: str
    target: str
    when: str
    turn: int = 1
    """At which call of it."""


PAY = (
    Point("pay: row inserted, not committed", "portal.services.payments:insert", "after"),
    Point("pay: row committed", f"{CHECKOUT}:_begin_payment", "after"),
    Point("pay: about to call Stripe", f"{GATEWAY}:StripeGateway.create_checkout_session", "before"),
    Point("pay: session made, we do not know", f"{GATEWAY}:StripeGateway.create_checkout_session", "after"),
    Point("pay: opened, not committed", f"{SETTLEMENT}:_settle", "after"),
    Point("pay: opened and committed", f"{CHECKOUT}:settle_and_read", "after"),
    Point("pay: about to answer", f"{CHECKOUT}:start_checkout", "after"),
)

WEBHOOK = (
    Point("webhook: not stored yet", f"{EVENTS}:_insert", "before"),
    Point("webhook: event inserted", f"{EVENTS}:_insert", "after"),
    Point("webhook: payment moved, stay not yet", "portal.services.state:move", "after"),
    Point("webhook: applied, not committed", f"{EVENTS}:_apply", "after"),
    Point("webhook: receipt numbered, payment not settled", "portal.services.receipts:take_number", "after"),
    Point("webhook: noted as done, not committed", f"{EVENTS}:_finish", "after"),
    Point("webhook: committed, not answered", f"{EVENTS}:_store_and_apply", "after"),
    Point("webhook: about to answer", f"{EVENTS}:receive", "after"),
)

RETURN_PAGE = (
    Point("return: nothing asked yet", f"{SESSIONS}:ask_for_guest", "before"),
    Point("return: question claimed", f"{SESSIONS}:_claim_question", "after"),
    Point("return: Stripe answered", f"{GATEWAY}:StripeGateway.get_session", "after"),
    Point("return: payment moved, stay not yet", f"{SETTLEMENT}:_succeed", "after"),
    Point("return: confirmed, not committed", f"{SETTLEMENT}:_keep", "after"),
    Point("return: confirmed and committed", f"{SESSIONS}:settle", "after"),
    Point("return: about to show the page", f"{SESSIONS}:ask_for_guest", "after"),
)

RETRY = (
    Point("retry: old session asked about", f"{GATEWAY}:StripeGateway.get_session", "after"),
    Point("retry: about to close the old session", f"{GATEWAY}:StripeGateway.close_session", "before"),
    Point("retry: closed at Stripe, we do not know", f"{GATEWAY}:StripeGateway.close_session", "after"),
    Point("retry: close settled, not committed", f"{SETTLEMENT}:_settle", "after", 2),
    Point("retry: close settled", f"{CHECKOUT}:close_payment", "after"),
    Point("retry: new row committed", f"{CHECKOUT}:_begin_payment", "after", 2),
    Point("retry: new session made, we do not know", f"{GATEWAY}:StripeGateway.create_checkout_session", "after"),
    Point("retry: about to answer", f"{CHECKOUT}:start_checkout", "after"),
)

WORKER_PAID = (
    Point("worker: about to ask about a live payment", f"{SESSIONS}:ask", "before"),
    Point("worker: Stripe answered about a live payment", f"{SESSIONS}:_look", "after"),
    Point("worker: confirmed, not committed", f"{SETTLEMENT}:_keep", "after"),
    Point("worker: confirmed", f"{SESSIONS}:ask", "after"),
)

WORKER_CREATING = (
    Point("worker: looking for a session", f"{GATEWAY}:StripeGateway.find_session", "before"),
    Point("worker: looked for a session", f"{GATEWAY}:StripeGateway.find_session", "after"),
    Point("worker: a row found or given up", "portal.services.sweeps:_find_or_give_up", "after"),
)

WORKER_HOLD = (
    Point("worker: hold is over, about to release", "portal.services.holds:_release", "before"),
    Point("worker: expired, nights not yet free", "portal.services.nights:free_nights", "before"),
    Point("worker: nights freed, not committed", "portal.services.nights:free_nights", "after"),
    Point("worker: released", "portal.services.holds:_release", "after"),
)

CANCEL = (
    Point("cancel: stay cancelled, not committed", "portal.services.state:move", "after"),
    Point("cancel: refund written, not committed", "portal.services.refunds:insert", "after"),
    Point("cancel: committed", "portal.services.cancellations:_cancel", "after"),
    Point("cancel: refund claimed", "portal.services.refund_sending:_claim", "after"),
    Point("cancel: refunds listed", f"{GATEWAY}:StripeGateway.list_refunds", "after"),
    Point("cancel: refund marked as sent", "portal.services.refund_sending:_decide", "after"),
    Point("cancel: about to send the refund", f"{GATEWAY}:StripeGateway.create_refund", "before"),
    Point("cancel: refund made, we do not know", f"{GATEWAY}:StripeGateway.create_refund", "after"),
    Point("cancel: refund settled, not committed", "portal.services.refunds:settle_refund_inside", "after"),
    Point("cancel: about to answer", "portal.services.cancellations:cancel", "after"),
)

COMMIT = (
    Point("before a commit", "peewee:Database.commit", "before"),
    Point("after a commit", "peewee:Database.commit", "after"),
)

ALL = (*PAY, *WEBHOOK, *RETURN_PAGE, *RETRY, *WORKER_PAID, *WORKER_CREATING, *WORKER_HOLD, *CANCEL, *COMMIT)
BY_NAME = {point.name: point for point in ALL}


def find(target: str) -> tuple[Any, str, Any]:
    """The object that holds a function, the function's name in it, and the function itself."""
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner = reduce(getattr, owners, importlib.import_module(module))
    return owner, name, getattr(owner, name)


def each(deaths: tuple[Point, ...]) -> pytest.MarkDecorator:
    """One test case for every death."""
    return pytest.mark.parametrize("death", deaths, ids=lambda point: point.name)
