"""Refunds: money goes back to the card, at once or later, and may still fail after it succeeded."""

from typing import Any

from stripe_simulator import appointments, charges, disputes, ids, money
from stripe_simulator.errors import invalid, missing_parameter, no_such, refused
from stripe_simulator.events import emit
from stripe_simulator.store import Doc
from stripe_simulator.world import World

STATUSES = ("pending", "requires_action", "succeeded", "failed", "canceled")
_GIVEN_BACK = ("failed", "canceled")


def create(world: World, asked: dict[str, Any]) -> Doc:
    """Refund a charge, in whole or in part, with Stripe's refusals."""
    charge = _charge(world, asked)
    amount = _amount(charge, asked.get("amount"))
    intent = world.store.get("payment_intent", charge["payment_intent"])
    behaviour = intent.get("_refund", "succeeded")
    status = "pending" if behaviour == "pending" else "succeeded"
    refund = world.store.put(_new(world, charge, amount, asked, status))
    emit(world, "refund.created", refund)
    _recount(world, charge, amount)
    if behaviour == "pending":
        appointments.soon(world, "refund_succeeds", refund["id"])
    if behaviour == "fails":
        appointments.soon(world, "refund_fails", refund["id"])
    return refund


def move(world: World, refund_id: str, status: str, failure_reason: str | None = None) -> Doc:
    """Change the status as the bank would, with the events that Stripe sends."""
    with world.store.transaction():
        refund = world.store.get("refund", refund_id)
        before = {"status": refund["status"]}
        was_given_back, refund["status"] = refund["status"] in _GIVEN_BACK, status
        refund.pop("pending_reason", None)
        if status == "pending":
            refund["pending_reason"] = "processing"
        if status == "failed":
            refund["failure_reason"] = failure_reason or "unknown"
            refund["failure_balance_transaction"] = ids.fresh("txn_3")
        world.store.put(refund)
        if was_given_back != (status in _GIVEN_BACK):
            sign = 1 if was_given_back else -1
            _recount(world, world.store.get("charge", refund["charge"]), sign * refund["amount"], tell=False)
        emit(world, "refund.updated", refund, before)
        if status == "failed":
            emit(world, "refund.failed", refund)
        return refund


def move_if(world: World, refund_id: str, expected: str, status: str) -> None:
    """Move only a refund that nobody has moved in the meantime."""
    refund = world.store.find("refund", refund_id)
    if refund and refund["status"] == expected:
        move(world, refund_id, status)


def cancel(world: World, refund_id: str) -> Doc:
    """Only a refund that waits for its recipient can be cancelled."""
    refund = world.store.find("refund", refund_id)
    if refund is None:
        raise no_such("refund", refund_id, param="refund")
    if refund["status"] != "requires_action":
        raise refused(f"Refund {refund_id} cannot be canceled because its status is {refund['status']}.")
    return move(world, refund_id, "canceled")


def _charge(world: World, asked: dict[str, Any]) -> Doc:
    if "charge" in asked:
        charge = world.store.find("charge", asked["charge"])
        if charge is None:
            raise no_such("charge", asked["charge"], param="charge")
        if charge["status"] != "succeeded":
            raise refused(f"Charge {charge['id']} is not paid, so it cannot be refunded.", param="charge")
        return charge
    if "payment_intent" not in asked:
        raise missing_parameter("charge")
    intent_id = asked["payment_intent"]
    if world.store.find("payment_intent", intent_id) is None:
        raise no_such("payment_intent", intent_id, param="payment_intent")
    charge = charges.latest_for(world, intent_id)
    if charge is None:
        words = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
        raise refused(words, code="payment_intent_unexpected_state", param="payment_intent")
    return charge


def _amount(charge: Doc, asked: int | None) -> int:
    if asked is not None and asked <= 0:
        raise invalid("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if disputes.blocks_refund(charge):
        words = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise refused(words, code="charge_disputed")
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if asked is not None and asked > left:
        wanted, rest = (money.formatted(sum_, charge["currency"]) for sum_ in (asked, left))
        words = f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({rest})"
        raise refused(words, param="amount")  # recorded live: this one has no code
    return left if asked is None else asked


def _recount(world: World, charge: Doc, change: int, *, tell: bool = True) -> None:
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += change
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.store.put(charge)
    if tell:
        emit(world, "charge.refunded", charge, before)


def _new(world: World, charge: Doc, amount: int, asked: dict[str, Any], status: str) -> Doc:
    kind = charge["payment_method_details"]["type"]
    details: Doc = {"type": kind}
    if kind == "card":
        details["card"] = {"reference_status": "pending", "reference_type": "acquirer_reference_number"}
        details["card"]["type"] = "refund"
    refund = {
        "id": ids.fresh("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": ids.fresh("txn_3"),
        "charge": charge["id"],
        "created": world.clock.now(),
        "currency": charge["currency"],
        "destination_details": details,
        "metadata": asked.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": asked.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    return refund | ({"pending_reason": "processing"} if status == "pending" else {})
