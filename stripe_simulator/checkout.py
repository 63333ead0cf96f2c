"""Pays a session: what the hosted page does for a person, and the control surface for a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stripe_simulator import cards, charges, payments, sessions
from stripe_simulator.cards import Decline, PaidWith, TestCard
from stripe_simulator.store import Doc
from stripe_simulator.world import World

Status = Literal["paid", "declined", "not_open", "authentication_required", "authentication_failed", "unpaid"]


@dataclass(frozen=True)
class Attempt:
    """How one try to pay ended; `declined` says why the bank refused."""

    status: Status
    session: Doc
    declined: Decline | None = None


def pay(world: World, session_id: str, card: TestCard | None, paid_with: PaidWith, email: str | None) -> Attempt:
    """Try a card on an open session; KeyError when there is no such session."""
    with world.store.transaction():
        session = world.store.get("checkout.session", session_id)
        if session["status"] != "open":
            return Attempt("not_open", session)
        if card is None:  # a mistyped number never reaches a bank
            return Attempt("declined", session, cards.INCORRECT_NUMBER)
        details = charges.billing(email, paid_with.name)
        intent = _intent(world, session)
        if card.decline:
            payments.decline(world, intent, paid_with, details, card.decline)
            return Attempt("declined", session, card.decline)
        if card.three_d_secure:
            page = f"{world.url}/c/3ds/{session_id}"
            payments.challenge(world, intent, paid_with, details, page)
            return Attempt("authentication_required", session)
        payments.succeed(world, intent, card, paid_with, details)
        return Attempt("paid", sessions.complete(world, session, paid=True, email=email, name=paid_with.name))


def authenticate(world: World, session_id: str, *, passed: bool) -> Attempt:
    """Answer the bank's 3-D Secure question."""
    with world.store.transaction():
        session = world.store.get("checkout.session", session_id)
        intent = world.store.find("payment_intent", session["payment_intent"] or "")
        if session["status"] != "open" or not intent or "_challenge" not in intent:
            return Attempt("not_open", session)
        if not passed:
            payments.fail_challenge(world, intent)
            return Attempt("authentication_failed", session, payments.AUTHENTICATION_FAILED)
        notes = intent["_challenge"]
        paid_with, details = PaidWith(**notes["paid_with"]), notes["method"]["billing_details"]
        card = cards.with_last4(paid_with.last4)
        payments.succeed(world, intent, card, paid_with, details, authenticated=True)
        email, name = details["email"], details["name"]
        return Attempt("paid", sessions.complete(world, session, paid=True, email=email, name=name))


def complete_unpaid(world: World, session_id: str) -> Attempt:
    """Choose a slow method: the session is complete, the money comes later or never."""
    with world.store.transaction():
        session = world.store.get("checkout.session", session_id)
        if session["status"] != "open":
            return Attempt("not_open", session)
        email = session["customer_email"]
        payments.process(world, _intent(world, session), charges.billing(email, None))
        return Attempt("unpaid", sessions.complete(world, session, paid=False, email=email, name=None))


def settle(world: World, intent_id: str, *, succeeded: bool) -> Doc:
    """The slow method's bank answers; ValueError when it has already."""
    with world.store.transaction():
        intent = world.store.get("payment_intent", intent_id)
        if intent["status"] != "processing":
            raise ValueError(f"{intent_id} is {intent['status']}, not processing")
        intent = payments.settle(world, intent, succeeded=succeeded)
        sessions.settle(world, intent_id, succeeded=succeeded)
        return intent


def _intent(world: World, session: Doc) -> Doc:
    """The session's payment intent, made at the first try to pay.

    Since 2022-08-01 a session has none before (docs.stripe.com/changelog, deferred-paymentintent-checkout-session).
    """
    if session["payment_intent"]:
        return world.store.get("payment_intent", session["payment_intent"])
    wishes, methods = session["_payment_intent_data"], session["payment_method_types"]
    intent = payments.create(world, session["amount_total"], session["currency"], wishes, methods)
    session["payment_intent"] = intent["id"]
    world.store.put(session)
    return intent
