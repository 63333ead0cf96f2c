"""Payments over the API: a page to pay on, how it stands, and what has been paid and returned."""

from typing import cast

from portal import errors
from portal.api import auth, refusals, words
from portal.api.endpoint import Call, endpoint
from portal.api.model import instant, maybe_instant
from portal.api.payment_models import (
    CheckoutRequest,
    CheckoutSession,
    PaymentHistory,
    PaymentRead,
    PaymentStatusRead,
    RefundRead,
    WhereTo,
)
from portal.api.refusals import ApiRefusal
from portal.api.reservation_models import ReservationStatus
from portal.domain import attempts, return_urls
from portal.domain.guest_match import show_code
from portal.domain.holds import MayNotPay
from portal.domain.return_urls import ReturnUrls
from portal.domain.situation import why_not_pay
from portal.models import Refund, Reservation
from portal.services import checkout, payment_status, payments
from portal.services.checkout import GoToStripe
from portal.services.payment_status import PaymentWithRefunds


@endpoint(
    "POST",
    "/payments/checkout-session",
    scope="payments",
    takes=CheckoutRequest,
    gives=CheckoutSession,
    status=201,
    refuses=(404,),
)
def make_checkout_session(call: Call) -> CheckoutSession:
    """Make a page to pay on. One that is open and undeclined is returned again, unless it leads elsewhere after."""
    found = auth.find_reservation(call.caller, call.body.reservation_id)
    return _start(call, found)


@endpoint(
    "POST",
    "/payments/<reservation_id>/retry",
    scope="payments",
    takes=WhereTo,
    gives=CheckoutSession,
    refuses=(404,),
)
def retry_payment(call: Call, reservation_id: str) -> CheckoutSession:
    """Try again after a payment that came to nothing. The old page is closed before a new one is made."""
    found = auth.find_reservation(call.caller, reservation_id)
    if payments.newest(found) is None:
        raise refusals.bad_input("There is no payment to try again.", "Make a checkout session.")
    return _start(call, found)


def _start(call: Call, found: Reservation) -> CheckoutSession:
    back = _where_to(call, found)
    try:
        target = checkout.start_checkout(call.deps, found.id, actor=call.caller.actor, back=back)
    except errors.BeingPrepared:
        raise refusals.stripe_refused(
            503, "Another request is making the payment page at this moment.", "Send it again in half a minute."
        ) from None
    except errors.Refusal as refusal:
        raise _in_our_words(refusal) from None
    if not isinstance(target, GoToStripe):
        raise _why_not(call, Reservation.get_by_id(found.id))
    made = target.payment
    return CheckoutSession(
        payment_id=made.public_id,
        checkout_session_id=str(made.session_id),
        checkout_url=target.url,
        expires_at=instant(made.expires_at),
        amount=made.amount,
        currency=made.currency,
        attempt_number=made.attempt_number,
    )


def _where_to(call: Call, found: Reservation) -> ReturnUrls | None:
    """None: nothing was asked for. One that was left out is the portal's own page."""
    asked, own = call.body, checkout.own_pages(call.deps, found)
    if asked.success_url is None and asked.cancel_url is None:
        return None
    origins = {call.deps.settings.public_base_url, *call.deps.settings.return_url_origins}
    wanted = {
        "success_url": own.success if asked.success_url is None else asked.success_url,
        "cancel_url": own.cancel if asked.cancel_url is None else asked.cancel_url,
    }
    problems = {name: return_urls.problem_of(url, origins) for name, url in wanted.items()}
    if found_problems := {name: problem for name, problem in problems.items() if problem}:
        raise refusals.bad_input("Guests cannot be sent there. Nothing was made.", fields=found_problems)
    return ReturnUrls(wanted["success_url"], wanted["cancel_url"])


def _in_our_words(refusal: errors.Refusal) -> ApiRefusal:
    if refusal.text is errors.TOO_MANY_PAYS:
        return refusals.too_many("payments started for this reservation", 60)
    return refusals.stripe_refused(
        503,
        "Stripe could not make the payment page. Nothing was charged.",
        "Send it again shortly; look at the status first if the guest may have paid.",
    )


def _why_not(call: Call, found: Reservation) -> ApiRefusal:
    mine = payments.of_stay(found)
    facts = payments.facts_of(found, mine)
    why = why_not_pay(facts, call.deps.now())
    live = payments.live_of(mine)
    if live is not None and live.status == "processing":
        return refusals.bad_input("A payment is on its way.", "Look at the status later.", payment_id=live.public_id)
    if why is MayNotPay.ATTEMPTS_USED_UP:
        return refusals.bad_input(
            "All attempts are used up.",
            "The hotel can grant more.",
            attempts=facts.tried,
            max_attempts=attempts.attempts_allowed(found.extra_attempts),
        )
    if why is MayNotPay.SESSIONS_USED_UP:
        return refusals.bad_input("Too many payment pages were made.", "The hotel can grant more.")
    if why is MayNotPay.HOLD_OVER:
        until = instant(found.hold_until)
        return refusals.bad_input("The hold is over.", "The hotel can hold the room again.", hold_until=until)
    if found.status in _WHY_NOT:
        return refusals.bad_input(_WHY_NOT[found.status], "Look at the status.", reservation_status=found.status)
    if why is MayNotPay.NOTHING_DUE:
        return refusals.bad_input("There is nothing to pay.", "The hotel confirms the stay.")
    return refusals.bad_input("No payment can be started now.", "Look at the status.")


_WHY_NOT = {
    "confirmed": "The reservation is paid and confirmed.",
    "cancelled": "The reservation is cancelled.",
    "expired": "The reservation has expired.",
}


@endpoint("GET", "/payments/<reservation_id>/status", scope="payments", gives=PaymentStatusRead, refuses=(404,))
def read_payment_status(call: Call, reservation_id: str) -> PaymentStatusRead:
    """Read how a reservation stands with its money, as we know it now. Stripe is not asked."""
    found = auth.find_reservation(call.caller, reservation_id)
    of_stay = payment_status.read(found)
    if of_stay.main is None:
        raise refusals.no_such_payment("There has been no payment for this reservation.")
    return PaymentStatusRead(
        reservation_id=show_code(found.code),
        reservation_status=cast(ReservationStatus, found.status),
        payment=_payment(of_stay.main, found),
        has_completed_payment=of_stay.is_paid,
        is_refunded=of_stay.main.refunded > 0,
        refund_amount=of_stay.main.refunded,
        payment_attempts=of_stay.sessions,
    )


@endpoint("GET", "/payments/<reservation_id>/history", scope="payments", gives=PaymentHistory, refuses=(404,))
def read_payment_history(call: Call, reservation_id: str) -> PaymentHistory:
    """Read every payment and every refund of a reservation, each its own entry."""
    found = auth.find_reservation(call.caller, reservation_id)
    of_stay = payment_status.read(found)
    return PaymentHistory(
        reservation_id=show_code(found.code),
        payments=[_payment(one, found) for one in of_stay.payments],
        refunds=[_refund(refund) for refund in of_stay.refunds],
        total_paid=of_stay.total_paid,
        total_refunded=of_stay.total_refunded,
        balance=of_stay.total_paid - of_stay.total_refunded,
    )


def _payment(one: PaymentWithRefunds, stay: Reservation) -> PaymentRead:
    row = one.payment
    return PaymentRead(
        payment_id=row.public_id,
        reservation_id=show_code(stay.code),
        amount=row.received_amount or row.amount,
        currency=row.received_currency or row.currency,
        status=words.payment_status(row, one.refunded),
        payment_method="card" if row.provider == "stripe" else "offline",
        provider="stripe" if row.provider == "stripe" else "offline",
        provider_transaction_id=row.payment_intent_id,
        created_at=instant(row.created_at),
        completed_at=maybe_instant(row.completed_at),
        error_message=words.error_message(row),
        stripe_checkout_session_id=row.session_id,
        stripe_payment_intent_id=row.payment_intent_id,
        stripe_refund_id=one.refund.stripe_id if one.refund else None,
        refund_amount=one.refunded or None,
        refunded_at=maybe_instant(one.refunded_at),
    )


def _refund(row: Refund) -> RefundRead:
    return RefundRead(
        refund_id=row.public_id,
        payment_id=row.payment.public_id,
        amount=row.amount,
        currency=row.currency,
        status=words.refund_status(row),
        stripe_refund_id=row.stripe_id,
        created_at=instant(row.created_at),
        refunded_at=instant(row.updated_at) if row.status == "succeeded" else None,
    )
