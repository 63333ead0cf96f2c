"""Settle: bring our books in line with something Stripe says of a payment. The one way to "confirmed" by card.

Safe to repeat, in any order, from anywhere: news moves a payment only forward, and money is taken into account once."""

from datetime import datetime
from typing import Any

import structlog

from portal import metrics
from portal.db import lock, must_be_in_transaction, transaction
from portal.deps import Deps
from portal.domain import attempts, hotel_time, states
from portal.domain.settlement import Money, Standing, Verdict, judge
from portal.gateways.stripe_seen import PaymentSeen
from portal.models import Hotel, Payment, Reservation
from portal.services import hotels, mails, money_back, nights, payments, receipts, refunds, state
from portal.services.alerts import raise_alert

log = structlog.get_logger()

SUCCESS, SKIPPED, PENDING = "success", "skipped", "pending"


def settle(deps: Deps, seen: PaymentSeen, *, cause: str) -> str:
    """Settle in a transaction of its own. The answer: success, skipped (not ours), or pending (look again later)."""
    with transaction():
        return settle_inside(deps, seen, cause=cause)


def settle_inside(deps: Deps, seen: PaymentSeen, *, cause: str) -> str:
    """Settle within the caller's transaction."""
    must_be_in_transaction()
    hotel = hotels.get_hotel()
    if seen.names.portal != hotel.installation or seen.livemode != deps.settings.livemode:
        return SKIPPED
    reservation = _find_reservation(deps, seen)
    if reservation is None:
        return SKIPPED
    payment = payments.find(reservation, seen) or _rebuild(deps, reservation, seen)
    if payment is None:
        return PENDING if seen.status == "processing" else SKIPPED
    payment = lock(Payment, payment.id)
    if not _learn(deps, payment, seen):
        return SKIPPED
    if seen.status and states.PAYMENT_RANK[seen.status] > states.PAYMENT_RANK[payment.status]:
        _advance(deps, hotel, reservation, payment, seen, cause)
    _notice_used_up(deps, reservation)
    return SUCCESS


def _find_reservation(deps: Deps, seen: PaymentSeen) -> Reservation | None:
    """The reservation that the metadata names, locked. Money for one that we do not know needs a person."""
    found = Reservation.get_or_none(Reservation.code == seen.names.reservation)
    if found is not None:
        return lock(Reservation, found.id)
    if seen.status in ("succeeded", "processing"):
        raise_alert(
            "money for an unknown reservation",
            seen.payment_intent_id or seen.names.payment,
            now=deps.now(),
            again=False,
            reservation_code=seen.names.reservation,
            payment_id=seen.names.payment,
            amount=seen.amount,
            currency=seen.currency,
        )
    return None


def _rebuild(deps: Deps, reservation: Reservation, seen: PaymentSeen) -> Payment | None:
    """A payment that our database lost (a restored backup) but that names a reservation we know. Open sessions are not
    rebuilt, reconciling closes them; a second live one waits until the first is over."""
    if not seen.names.payment or seen.status in (None, "open"):
        return None
    if Payment.get_or_none(Payment.public_id == seen.names.payment):
        name = seen.payment_intent_id or seen.names.payment
        raise_alert("payment of another stay", name, now=deps.now(), reservation=reservation, amount=seen.amount)
        return None
    live = seen.status == "processing"
    if live and payments.find_live(reservation):
        return None
    return payments.insert(
        deps,
        reservation,
        public_id=seen.names.payment,
        amount=seen.amount,
        currency=seen.currency,
        status="processing" if live else "expired",
        created_at=seen.created or deps.now(),
        cause="rebuilt from Stripe",
    )


def _learn(deps: Deps, payment: Payment, seen: PaymentSeen) -> bool:
    """Fill in what Stripe alone knows. An id is learnt once: False when Stripe names another for the same payment."""
    before = dict(payment.__data__)
    for column, value in (("session_id", seen.session_id), ("payment_intent_id", seen.payment_intent_id)):
        known = getattr(payment, column)
        if known and value and known != value:
            raise_alert(
                "two Stripe objects for one payment",
                f"{payment.public_id}:{value}",
                now=deps.now(),
                payment=payment,
                again=False,
            )
            return False
        setattr(payment, column, known or value)
    payment.charge_id = payment.charge_id or seen.charge_id
    if seen.card_last4 and (seen.status == "succeeded" or payment.status != "succeeded"):
        payment.card_brand, payment.card_last4 = seen.card_brand, seen.card_last4
    if payment.completed_at and seen.status == "succeeded":
        payment.completed_at = min(payment.completed_at, seen.at)
    _learn_decline(payment, seen)
    if learnt := {name: value for name, value in payment.__data__.items() if value != before[name]}:
        Payment.update(**learnt).where(Payment.id == payment.id).execute()
    return True


def _learn_decline(payment: Payment, seen: PaymentSeen) -> None:
    """Remember each declined charge once, with the earliest time it was told; guests read the latest of them."""
    if seen.decline is None:
        return
    told = seen.decline.at.isoformat()
    _, known = payment.declines.get(seen.decline.key, [seen.decline.code, told])
    payment.declines = {**payment.declines, seen.decline.key: [seen.decline.code, min(told, known)]}
    code, at = max(payment.declines.values(), key=lambda entry: (entry[1], entry[0]))
    payment.decline_code, payment.declined_at = code, datetime.fromisoformat(at)


def _advance(
    deps: Deps, hotel: Hotel, reservation: Reservation, payment: Payment, seen: PaymentSeen, cause: str
) -> None:
    if seen.status == "succeeded":
        _take_money(deps, hotel, reservation, payment, seen, cause)
        return
    also: dict[str, Any] = {"error_code": "failed_later"} if seen.status == "failed" else {}
    if seen.status in ("failed", "expired"):
        also["params"] = without_email(payment)
    state.move(payment, str(seen.status), actor="stripe", cause=cause, now=deps.now(), **also)


def _take_money(
    deps: Deps, hotel: Hotel, reservation: Reservation, payment: Payment, seen: PaymentSeen, cause: str
) -> None:
    """Money came: it is kept and confirms the stay, or it is sent back in full."""
    standing = Standing(
        reservation.status,
        reservation.total,
        reservation.paid,
        reservation.currency,
        reservation.check_in,
        hotel_time.hotel_date(deps.now(), hotel.timezone),
    )
    known_back = max(seen.refunded, money_back.on_its_way(payment))  # a webhook's body does not tell what went back
    verdict = judge(standing, payment.amount, Money(seen.amount, seen.currency, known_back))
    if verdict is Verdict.KEEP_IF_FREE:
        verdict = Verdict.KEEP if nights.take_nights(reservation) else Verdict.TOO_LATE
    if verdict is Verdict.KEEP:
        _keep(deps, reservation, payment, seen, cause)
    else:
        _give_back(deps, reservation, payment, seen, verdict, cause)


def _keep(deps: Deps, reservation: Reservation, payment: Payment, seen: PaymentSeen, cause: str) -> None:
    _succeed(deps, payment, seen, "kept", cause)
    changed = (
        Reservation.update(paid=Reservation.paid + payment.amount)
        .where((Reservation.id == reservation.id) & (Reservation.paid + payment.amount == Reservation.total))
        .execute()
    )
    if changed != 1:
        raise state.StaleRow(f"{reservation.code}: no longer waits for {payment.amount}")
    reservation.paid += payment.amount
    state.move(reservation, "confirmed", actor="stripe", cause=f"paid by {payment.public_id}", now=deps.now())
    mails.queue(deps, "payment_received", payment.public_id, reservation, payment=payment.public_id)
    receipts.assign_number(deps, payment)
    metrics.PAID_TO_CONFIRMED.observe(max(0.0, (deps.now() - seen.at).total_seconds()))
    log.info("reservation confirmed", reservation=reservation.code, payment=payment.public_id, amount=payment.amount)


def _give_back(
    deps: Deps, reservation: Reservation, payment: Payment, seen: PaymentSeen, verdict: Verdict, cause: str
) -> None:
    """Money that may not be kept: the refund is written down in the same transaction, and a person is told."""
    _succeed(deps, payment, seen, "returned", cause)
    left, now = seen.amount - max(seen.refunded, money_back.on_its_way(payment)), deps.now()
    if left > 0:
        refunds.insert(deps, payment, kind="returned", amount=left, reason=verdict.value, requested_by="portal")
    mails.queue(
        deps, "money_returned", payment.public_id, reservation, why=verdict.value, amount=left, currency=seen.currency
    )
    raise_alert(
        "money returned",
        payment.public_id,
        now=now,
        reservation=reservation,
        payment=payment,
        why=verdict.value,
        amount=seen.amount,
        currency=seen.currency,
    )


def _succeed(deps: Deps, payment: Payment, seen: PaymentSeen, disposition: str, cause: str) -> None:
    state.move(
        payment,
        "succeeded",
        actor="stripe",
        cause=cause,
        now=deps.now(),
        disposition=disposition,
        received_amount=seen.amount,
        received_currency=seen.currency,
        completed_at=seen.at,
        params=without_email(payment),
    )


def without_email(payment: Payment) -> Any:
    """What Stripe was sent, for the records: once the payment is final it is never sent again, so the address goes."""
    return payment.params and {name: value for name, value in payment.params.items() if name != "customer_email"}


def _notice_used_up(deps: Deps, reservation: Reservation) -> None:
    """Tell staff once the guest cannot go on alone; granting attempts is a new episode."""
    if reservation.status != "pending":
        return
    allowed = attempts.attempts_allowed(reservation.extra_attempts)
    cause = f"{reservation.code}:{allowed}"
    if payments.count_attempts(reservation) >= allowed:
        mails.queue(deps, "attempts_used_up", cause, reservation)
        raise_alert("attempts used up", cause, now=deps.now(), reservation=reservation, attempts=allowed)
    sessions = payments.count_sessions(reservation)
    if attempts.sessions_used_up(sessions, reservation.extra_attempts) and not payments.find_live(reservation):
        raise_alert("sessions used up", cause, now=deps.now(), reservation=reservation, sessions=sessions)
