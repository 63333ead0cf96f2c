"""Refunds over the API: by the policy, which cancels the stay, or of a sum that the hotel decides on."""

import structlog

from portal.api import auth, refusals, words
from portal.api.endpoint import Call, endpoint
from portal.api.model import maybe_instant
from portal.api.payment_models import RefundMade, RefundRequest
from portal.api.reservations import cancel
from portal.domain.refund_sums import divide
from portal.models import Payment, Refund, Reservation
from portal.services import cancellations, refund_sending, staff_refunds
from portal.services.cancellations import AFTER_THE_COMMIT, Quote
from portal.services.money_back import MoneyBack
from portal.services.staff_refunds import BadRefund

log = structlog.get_logger()


@endpoint(
    "POST",
    "/payments/<payment_id>/refund",
    scope="payments",
    takes=RefundRequest,
    gives=RefundMade,
    refuses=(404, 502),
)
def refund_payment(call: Call, payment_id: str) -> RefundMade:
    """Send money of a payment back. Without an amount the reservation is cancelled by its policy, and that stands
    whatever Stripe answers."""
    payment = auth.find_payment(call.caller, payment_id)
    if call.body.amount is not None and call.caller.is_guest:
        raise refusals.not_allowed("A guest's token cannot choose the sum.", "Leave amount out: the policy decides it.")
    if call.claim.effect is None:
        _check_completed(payment)
        if call.body.amount is None:
            _refund_by_policy(call, payment)
        else:
            _refund_by_staff(call, payment)
    return _made(call, payment)


def _check_completed(payment: Payment) -> None:
    if payment.disposition == "kept":
        return
    if payment.disposition == "returned":
        raise refusals.bad_input("All of this payment goes back already.", "Look at the history.")
    raise refusals.bad_input("This payment has brought no money.", "Look at the status.", status=payment.status)


def _refund_by_policy(call: Call, payment: Payment) -> None:
    stay = Reservation.get_by_id(payment.reservation_id)
    if stay.status == "confirmed":
        _check_quote(call, stay, payment)
    cancel(call, stay, None, None, reason=call.body.reason or "")


def _check_quote(call: Call, stay: Reservation, payment: Payment) -> None:
    """ApiRefusal when the policy gives nothing of this payment: who asks for money does not want to cancel for none."""
    quote = cancellations.quote(call.deps, stay)
    money = MoneyBack(stay)
    if money.dispute_of(payment):
        raise refusals.bad_input("The guest's bank disputes this payment.", "Wait until the dispute is over.")
    if quote.percent == 0:
        raise refusals.bad_input(
            "The policy gives nothing back any more. Nothing was cancelled.",
            "Cancel the reservation without a refund, or ask the hotel.",
            **_no_refund(stay, quote),
        )
    if dict(divide(quote.due, money.returnable())).get(payment.id, 0) == 0:
        raise refusals.bad_input("Nothing of this payment is left to refund.", "Look at the history.")


def _no_refund(stay: Reservation, quote: Quote) -> dict[str, str | int]:
    return {"check_in_date": stay.check_in.isoformat(), "days_until_checkin": quote.days, "policy": "no_refund"}


def _refund_by_staff(call: Call, payment: Payment) -> None:
    try:
        staff_refunds.refund_by_staff(
            call.deps,
            payment.id,
            call.body.amount,
            reason=call.body.reason or "",
            actor=call.caller.actor,
            claim=call.claim,
        )
    except BadRefund as bad:
        raise refusals.bad_input(str(bad), "Look at the history.") from None
    try:
        refund_sending.send_due(call.deps.for_one_request(), payment.reservation)
    except AFTER_THE_COMMIT as error:
        log.warning("after a refund: the worker goes on", payment=payment.public_id, error=type(error).__name__)


def _made(call: Call, payment: Payment) -> RefundMade:
    row = _row(call, payment)
    if row.public_id in MoneyBack(payment.reservation_id).refused and row.status in ("todo", "sent"):
        raise refusals.stripe_refused(
            502,
            "Stripe refused the refund. What was decided stands, and the hotel has been told.",
            "The hotel sends the money in another way.",
            payment_id=payment.public_id,
            refund_id=row.public_id,
            amount=row.amount,
        )
    return RefundMade(
        payment_id=payment.public_id,
        stripe_refund_id=row.stripe_id,
        amount=row.amount,
        status=words.refund_status(row),
        refunded_at=maybe_instant(row.updated_at if row.status == "succeeded" else None),
        refund_policy=_policy_word(row, payment),
        original_amount=payment.received_amount or payment.amount,
    )


def _row(call: Call, payment: Payment) -> Refund:
    """What was done: noted with the claim, which a try that died leaves behind; otherwise the newest by the policy."""
    mine = Refund.select().where(Refund.payment == payment.id)
    if call.body.amount is not None:
        mine = mine.where(Refund.public_id == call.claim.effect)
    else:
        mine = mine.where(Refund.kind == "policy")
    row: Refund | None = mine.order_by(Refund.id.desc()).first()
    if row is None:  # somebody else gave it back at this very moment
        raise refusals.bad_input("The stay is cancelled; nothing of this payment was left.", "Look at the history.")
    return row


def _policy_word(row: Refund, payment: Payment) -> str:
    if row.kind == "staff":
        return "manual_refund"
    made = MoneyBack(payment.reservation_id).cancellation
    percent = made.percent if made is not None else None
    if percent is None:
        return "manual_refund"
    return "full_refund" if percent == 100 else f"partial_refund_{percent}"
