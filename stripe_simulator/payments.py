"""Payment intents: the object that holds the money of one checkout."""

from stripe_simulator import appointments, cards, charges, ids
from stripe_simulator.cards import Decline, PaidWith, TestCard
from stripe_simulator.events import emit
from stripe_simulator.store import Doc
from stripe_simulator.world import World

AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    "",
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
_DEBIT_FAILED = Decline("insufficient_funds", "insufficient_funds", "The customer's account has insufficient funds.")


def create(world: World, amount: int, currency: str, wishes: Doc, method_types: list[str]) -> Doc:
    """A payment intent as checkout makes it at the first try to pay."""
    intent_id = ids.fresh("pi_3")
    intent: Doc = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{ids.fresh('')}",
        "confirmation_method": "automatic",
        "created": world.clock.now(),
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": wishes.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": dict(wishes.get("metadata", {})),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": _CARD_OPTIONS},
        "payment_method_types": method_types,
        "processing": None,
        "receipt_email": wishes.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": wishes.get("statement_descriptor"),
        "statement_descriptor_suffix": wishes.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
    emit(world, "payment_intent.created", world.store.put(intent))
    return intent


_CARD_OPTIONS = {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}


def succeed(
    world: World, intent: Doc, card: TestCard, paid_with: PaidWith, details: Doc, *, authenticated: bool = False
) -> Doc:
    """Take the money."""
    intent["_refund"] = card.refund
    charge = charges.succeed(world, intent, paid_with, details, authenticated=authenticated)
    intent = _succeeded(world, intent, charge)
    if card.disputed:
        appointments.soon(world, "dispute", charge["id"])
    return intent


def decline(world: World, intent: Doc, paid_with: PaidWith, details: Doc, why: Decline) -> Doc:
    """The bank said no: back to requires_payment_method, with the reason in last_payment_error."""
    charge = charges.fail(world, intent, paid_with, details, why)
    method = cards.payment_method(paid_with, details, world.clock.now()) | {"id": charge["payment_method"]}
    error = _error(why) | {"charge": charge["id"], "decline_code": why.decline_code, "payment_method": method}
    intent |= {"latest_charge": charge["id"]}
    return _failed(world, intent, error)


def challenge(world: World, intent: Doc, paid_with: PaidWith, details: Doc, page: str) -> Doc:
    """The bank wants to see the payer first."""
    method = cards.payment_method(paid_with, details, world.clock.now())
    notes = {"paid_with": vars(paid_with), "method": method}
    intent |= {
        "status": "requires_action",
        "last_payment_error": None,
        "next_action": {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": page}},
        "payment_method": method["id"],
        "_challenge": notes,
    }
    emit(world, "payment_intent.requires_action", world.store.put(intent))
    return intent


def fail_challenge(world: World, intent: Doc) -> Doc:
    """The payer was not recognised: no charge was tried."""
    notes = intent.pop("_challenge")
    return _failed(world, intent, _error(AUTHENTICATION_FAILED) | {"payment_method": notes["method"]})


def process(world: World, intent: Doc, details: Doc) -> Doc:
    """A slow method was chosen; its bank answers later."""
    charge = charges.wait(world, intent, details)
    intent |= {"status": "processing", "latest_charge": charge["id"], "payment_method": charge["payment_method"]}
    emit(world, "payment_intent.processing", world.store.put(intent))
    return intent


def settle(world: World, intent: Doc, *, succeeded: bool) -> Doc:
    """The bank of a slow method has answered."""
    charge = world.store.get("charge", intent["latest_charge"])
    charge = charges.settle(world, charge, None if succeeded else _DEBIT_FAILED)
    if succeeded:
        return _succeeded(world, intent, charge)
    method = {"id": charge["payment_method"], "object": "payment_method", "allow_redisplay": "limited"}
    method |= {"billing_details": charge["billing_details"], "created": charge["created"], "customer": None}
    method |= {"livemode": False, "metadata": {}, "type": "sepa_debit"}
    return _failed(world, intent, _error(_DEBIT_FAILED) | {"charge": charge["id"], "payment_method": method})


def charge_elsewhere(world: World, amount: int, currency: str, metadata: dict[str, str], card: TestCard) -> Doc:
    """A payment of another program in the same account: no checkout session belongs to it."""
    with world.store.transaction():
        intent = create(world, amount, currency, {"metadata": metadata}, ["card"])
        paid_with = PaidWith(card.brand, card.number[-4:], 12, 2034)
        return succeed(world, intent, card, paid_with, charges.billing(None, None))


def _succeeded(world: World, intent: Doc, charge: Doc) -> Doc:
    intent.pop("_challenge", None)
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "payment_method": charge["payment_method"],
    }
    emit(world, "payment_intent.succeeded", world.store.put(intent))
    return intent


def _failed(world: World, intent: Doc, error: Doc) -> Doc:
    intent |= {
        "status": "requires_payment_method",
        "last_payment_error": error,
        "next_action": None,
        "payment_method": None,
    }
    emit(world, "payment_intent.payment_failed", world.store.put(intent))
    return intent


def _error(why: Decline) -> Doc:
    link = f"https://stripe.com/docs/error-codes/{why.code.replace('_', '-')}"
    return {"code": why.code, "doc_url": link, "message": why.message, "type": "card_error"}
