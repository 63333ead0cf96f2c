"""Charges: one for each time that a payment method was tried."""

from stripe_simulator import cards, ids
from stripe_simulator.cards import Decline, PaidWith
from stripe_simulator.events import emit
from stripe_simulator.store import Doc
from stripe_simulator.world import World

_NO_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def billing(email: str | None, name: str | None) -> Doc:
    """Billing details as a hosted page collects them."""
    return {"address": dict(_NO_ADDRESS), "email": email, "name": name, "phone": None, "tax_id": None}


def succeed(world: World, intent: Doc, paid_with: PaidWith, details: Doc, *, authenticated: bool = False) -> Doc:
    """Record a charge that took the money."""
    facts = cards.charge_facts(paid_with, authenticated=authenticated, amount=intent["amount"])
    charge = _new(world, intent, details, {"type": "card", "card": facts}) | _taken(intent["amount"])
    emit(world, "charge.succeeded", world.store.put(charge))
    return charge


def fail(world: World, intent: Doc, paid_with: PaidWith, details: Doc, decline: Decline) -> Doc:
    """Record a charge that the bank refused."""
    facts = cards.charge_facts(paid_with, authenticated=False, amount=intent["amount"])
    if decline.code == "incorrect_cvc":
        facts["checks"]["cvc_check"] = "fail"
    charge = _new(world, intent, details, {"type": "card", "card": facts}) | _not_taken(decline)
    emit(world, "charge.failed", world.store.put(charge))
    return charge


def wait(world: World, intent: Doc, details: Doc) -> Doc:
    """Record a charge of a slow method, whose bank has not answered yet."""
    debit = {"bank_code": "37040044", "branch_code": "", "country": "DE", "fingerprint": "simsepa3000"}
    debit |= {"last4": "3000", "mandate": ids.fresh("mandate_1")}
    charge = _new(world, intent, details, {"type": "sepa_debit", "sepa_debit": debit})
    emit(world, "charge.pending", world.store.put(charge))
    return charge


def settle(world: World, charge: Doc, decline: Decline | None) -> Doc:
    """Finish a waiting charge."""
    outcome = _taken(charge["amount"]) if decline is None else _not_taken(decline)
    charge = world.store.put(charge | outcome)
    emit(world, "charge.failed" if decline else "charge.succeeded", charge)
    return charge


def latest_for(world: World, intent_id: str) -> Doc | None:
    """The charge of a payment intent that succeeded, if one did."""
    found = world.store.select("charge", {"payment_intent": intent_id, "status": "succeeded"}, limit=1)
    return found[0] if found else None


def _taken(amount: int) -> Doc:
    return {
        "status": "succeeded",
        "paid": True,
        "captured": True,
        "amount_captured": amount,
        "balance_transaction": ids.fresh("txn_3"),
        "outcome": _outcome("authorized", "approved_by_network", None, "Payment complete."),
    }


def _not_taken(decline: Decline) -> Doc:
    seller = "The bank did not return any further details with this decline."
    return {
        "status": "failed",
        "paid": False,
        "captured": False,
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _outcome("issuer_declined", "declined_by_network", decline.decline_code, seller),
    }


def _outcome(kind: str, network_status: str, reason: str | None, seller_message: str) -> Doc:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 21,
        "seller_message": seller_message,
        "type": kind,
    }


def _new(world: World, intent: Doc, details: Doc, method: Doc) -> Doc:
    return {
        "id": ids.fresh("ch_3"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": details,
        "calculated_statement_descriptor": "SIMULATOR",
        "captured": True,
        "created": world.clock.now(),
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": ids.fresh("pm_1"),
        "payment_method_details": method,
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }
