"""The hotel without its web pages: pays, hears of things, cancels, works and checks its books by the same services."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from portal import jobs
from portal.deps import Deps
from portal.gateways import stripe_gateway
from portal.models import Alert, Cancellation, Dispute, Payment, Refund, Reservation, WebhookEvent
from portal.services import books, books_at_stripe, cancellations, checkout, webhook_events
from portal.services.cancellations import Quote
from portal.services.checkout import GoToStripe
from stripe_simulator import Control
from tests.actors import Clock, rows, session_of

REFUNDS = "/v1/refunds"
WHOLE = 112_500
SUCCEEDS_LATER, FAILS_LATER = "4000000000007726", "4000000000005126"


@dataclass
class Hotelier:
    deps: Deps
    stripe: Control
    clock: Clock

    # The guest

    def opens_session(self, reservation: Reservation) -> str:
        target = checkout.start_checkout(self.deps, reservation.id, actor="guest")
        assert isinstance(target, GoToStripe)
        return session_of(target.url)

    def is_paid(self, reservation: Reservation, card: str = "4242424242424242") -> Payment:
        """By card, and the messages about it have come."""
        assert self.stripe.pay(self.opens_session(reservation), card)["status"] == "paid"
        self.hears()
        payment: Payment = rows(Payment, reservation=reservation.id, status="succeeded")[-1]
        return payment

    def cancels(self, reservation: Reservation, *, actor: str = "guest", other: int | None = None) -> Quote:
        """For the sum that is quoted now; staff may name another."""
        staff = actor != "guest"
        quote = cancellations.quote(self.deps, Reservation.get_by_id(reservation.id), other=other)
        return cancellations.cancel(
            self.deps, reservation.id, percent=quote.percent, due=quote.due, actor=actor, staff=staff, other=other
        )

    # Stripe

    def hears(self, *, only: Iterable[str] = (), copies: int = 1, reverse: bool = False) -> list[str]:
        """Take every message that was not heard yet, or those of some kinds; what each did."""
        waiting = [event for event in self.stripe.events() if event["id"] not in heard()]
        if only:
            waiting = [event for event in waiting if event["type"] in only]
        return [self.takes(event) for event in (waiting[::-1] if reverse else waiting) for _ in range(copies)]

    def takes(self, event: dict[str, Any]) -> str:
        """One message, as the webhook does after its signature was checked."""
        return webhook_events.receive(self.deps, stripe_gateway.parse_stored_event(json.dumps(event)))

    def intent(self, reservation: Reservation) -> str:
        return str(rows(Payment, reservation=reservation.id)[-1].payment_intent_id)

    def sent(self) -> list[tuple[str, int, str]]:
        """Every refund at Stripe: our name for it, the sum, the state."""
        return [(r["metadata"].get("refund", ""), r["amount"], r["status"]) for r in self.stripe.truth()["refunds"]]

    # The worker and the books

    def works(self, **later: float) -> dict[str, int]:
        """All jobs once, after some time."""
        if later:
            self.clock.advance(**later)
        return jobs.run_once(self.deps)

    def works_until_quiet(self, hours: int = 2) -> None:
        """What is due each quarter of an hour; after two hours, when everything has longer pauses, each hour; then all."""
        for _ in range(min(hours, 2) * 4):
            self.clock.advance(minutes=15)
            jobs.run_due(self.deps, "worker")
        for _ in range(hours - 2):
            self.clock.advance(hours=1)
            jobs.run_due(self.deps, "worker")
        self.works()

    def books_are_right(self) -> None:
        """Our own by themselves, and compared with Stripe's, also what is so new that a message could be on its way."""
        since = self.clock.now() - timedelta(days=35)
        later = replace(self.deps, now=lambda: self.clock.now() + timedelta(minutes=16))
        found = books.audit(self.deps, since=since)
        found += [finding for compare in books_at_stripe.COMPARISONS for finding in compare(later, since)]
        assert found == [], found
        assert [alert.cause for alert in rows(Alert, kind="books")] == []


def heard() -> set[str]:
    return {event.event_id for event in WebhookEvent.select(WebhookEvent.event_id)}


def refunds_of(reservation: Reservation) -> list[tuple[str, int, str]]:
    """Kind, sum and state of each row, the oldest first."""
    found = Refund.select().join(Payment).where(Payment.reservation == reservation.id).order_by(Refund.id)
    return [(refund.kind, refund.amount, refund.status) for refund in found]


def alerts() -> list[str]:
    return [alert.kind for alert in rows(Alert) if alert.closed_at is None]


def status(reservation: Reservation) -> tuple[str, int]:
    found = Reservation.get_by_id(reservation.id)
    return found.status, found.paid


def only_refund() -> Refund:
    (refund,) = rows(Refund)
    found: Refund = refund
    return found


def disputes() -> list[str]:
    return [dispute.status for dispute in rows(Dispute)]


def cancellation_of(reservation: Reservation) -> Cancellation:
    found: Cancellation = Cancellation.get(Cancellation.reservation == reservation.id)
    return found
