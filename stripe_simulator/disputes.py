"""Disputes: a bank takes a payment back until somebody wins."""

from stripe_simulator import ids
from stripe_simulator.events import emit
from stripe_simulator.store import Doc
from stripe_simulator.world import World

STATUSES = (
    "needs_response",
    "under_review",
    "won",
    "lost",
    "prevented",
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
)
_CLOSED = ("won", "lost", "prevented", "warning_closed")
_REFUNDABLE = ("won", "warning_needs_response", "warning_under_review", "warning_closed")
_DAY = 86_400
_EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal"
    " customer_communication customer_email_address customer_name customer_purchase_ip customer_signature"
    " duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt"
    " refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation"
    " shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number"
    " uncategorized_file uncategorized_text"
)


class CannotDisputeError(ValueError):
    """A charge that its owner's bank would not take back."""


def blocks_refund(charge: Doc) -> bool:
    """Whether the charge has been charged back, so that a refund would pay twice."""
    return bool(charge["disputed"]) and charge.get("_dispute_status") not in _REFUNDABLE


def open_(world: World, charge_id: str, amount: int | None = None, reason: str = "fraudulent") -> Doc:
    """The payer's bank takes the money back for now."""
    with world.store.transaction():
        charge = world.store.get("charge", charge_id)
        if charge["refunded"]:  # fully refunded card charges cannot be disputed (docs.stripe.com/disputes)
            raise CannotDisputeError(f"{charge_id} is fully refunded, so it cannot be disputed")
        if charge["disputed"] or charge["status"] != "succeeded":
            raise CannotDisputeError(f"{charge_id} is disputed already, or was never paid")
        dispute = world.store.put(_new(world, charge, amount or charge["amount"], reason))
        world.store.put(charge | {"disputed": True, "_dispute_status": dispute["status"]})
        emit(world, "charge.dispute.created", dispute)
        emit(world, "charge.dispute.funds_withdrawn", dispute)
        return dispute


def open_if_possible(world: World, charge_id: str) -> None:
    """The same, for a dispute that comes by itself: it stays away when it cannot be."""
    try:
        open_(world, charge_id)
    except (CannotDisputeError, KeyError):
        return


def move(world: World, dispute_id: str, status: str) -> Doc:
    """Change the status as the bank would, with the events that Stripe sends."""
    with world.store.transaction():
        dispute = world.store.get("dispute", dispute_id)
        before = {"status": dispute["status"]}
        dispute |= {"status": status, "is_charge_refundable": status in _REFUNDABLE}
        world.store.put(dispute)
        charge = world.store.get("charge", dispute["charge"])
        world.store.put(charge | {"_dispute_status": status})
        emit(world, "charge.dispute.closed" if status in _CLOSED else "charge.dispute.updated", dispute, before)
        if status == "won":
            emit(world, "charge.dispute.funds_reinstated", dispute)
        return dispute


def _new(world: World, charge: Doc, amount: int, reason: str) -> Doc:
    now = world.clock.now()
    return {
        "id": ids.fresh("du_1"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [_withdrawal(charge, amount, now)],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE.split()) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + 7 * _DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10"},
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
    }


def _withdrawal(charge: Doc, amount: int, now: int) -> Doc:
    return {
        "id": ids.fresh("txn_1"),
        "object": "balance_transaction",
        "amount": -amount,
        "available_on": now,
        "balance_type": "payments",
        "created": now,
        "currency": charge["currency"],
        "description": f"Chargeback withdrawal for {charge['id']}",
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": -amount,
        "reporting_category": "dispute",
        "source": None,
        "status": "available",
        "type": "adjustment",
    }
