"""Cancelling: one operation. The stay is cancelled, the refund written down, the nights freed and the mail queued in
one transaction; Stripe is called afterwards."""

from dataclasses import dataclass
from datetime import date, datetime

import structlog
from peewee import OperationalError

from portal.db import DatabaseBusy, lock, transaction
from portal.deps import Deps
from portal.domain import hotel_time
from portal.domain.cancellation_policy import Policy, refund_due, refund_target, tier_on
from portal.domain.reasons import for_the_log
from portal.domain.refund_sums import divide
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.models import Cancellation, Hotel, Payment, Reservation
from portal.services import (
    checkout_sessions,
    hotels,
    mails,
    nights,
    payments,
    refund_sending,
    refunds,
    state,
)
from portal.services.alerts import raise_alert
from portal.services.idempotency import Claim
from portal.services.money_back import MoneyBack

log = structlog.get_logger()

AFTER_THE_COMMIT = (StripeUnavailable, StripeRefused, DatabaseBusy, OperationalError)
"""What may go wrong once everything is stored: the rows say what is left to do, and the worker does it."""


@dataclass(frozen=True)
class Quote:
    """What comes back if the stay is cancelled now, in minor units; `percent` is None when staff chose the sum."""

    percent: int | None
    target: int
    due: int
    paid: int
    already_back: int
    days: int
    today: date
    tier_days: int | None


class QuoteChanged(Exception):
    """The sum is no longer the one that was shown. Nothing was cancelled; `quote` has the new one."""

    def __init__(self, quote: Quote) -> None:
        super().__init__("the refund has changed")
        self.quote = quote


class MayNotCancel(Exception):
    """`why`: cancelled already, expired, or arrived (the hotel's check-in time has passed)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def quote(deps: Deps, reservation: Reservation, *, other: int | None = None) -> Quote:
    """What cancelling now would bring. `other`: staff give this sum (minor units) instead of the policy's."""
    hotel = hotels.get_hotel()
    today = hotel_time.hotel_date(deps.now(), hotel.timezone)
    policy = Policy.from_pairs(reservation.policy)
    tier = tier_on(policy, reservation.check_in, today)
    back = sum(payment.back for payment in MoneyBack(reservation).returnable())
    target = (
        refund_target(policy, reservation.check_in, today, reservation.paid)
        if other is None
        else min(reservation.paid, back + other)
    )
    return Quote(
        percent=(tier.percent if tier else 0) if other is None else None,
        target=target,
        due=refund_due(target, back),
        paid=reservation.paid,
        already_back=back,
        days=(reservation.check_in - today).days,
        today=today,
        tier_days=tier.days if tier and other is None else None,
    )


def guests_may_until(hotel: Hotel, reservation: Reservation) -> datetime:
    """The hotel's check-in time on the day of arrival, as a UTC instant; after it only staff cancel."""
    return hotel_time.hotel_instant(reservation.check_in, hotel.check_in_from, hotel.timezone)


def why_not(deps: Deps, reservation: Reservation, *, staff: bool = False) -> str | None:
    """Why this stay cannot be cancelled, or None."""
    if reservation.status not in ("pending", "confirmed"):
        return str(reservation.status)
    if not staff and deps.now() >= guests_may_until(hotels.get_hotel(), reservation):
        return "arrived"
    return None


def cancel(
    deps: Deps,
    reservation_id: int,
    *,
    percent: int | None,
    due: int,
    actor: str,
    reason: str = "",
    staff: bool = False,
    other: int | None = None,
    claim: Claim | None = None,
) -> Quote:
    """Cancel for the sum that was shown. QuoteChanged when it is another by now, MayNotCancel when it is too late; then
    nothing was done. However often it is sent, there is one cancellation and one refund of each payment."""
    deps = deps.for_one_request()
    _ask_about_live_payment(deps, reservation_id)
    made = _cancel(deps, reservation_id, percent, due, actor, reason, staff=staff, other=other, claim=claim)
    try:
        reservation = Reservation.get_by_id(reservation_id)
        checkout_sessions.close_unwanted(deps, reservation)
        refund_sending.send_due(deps, reservation)
    except AFTER_THE_COMMIT as error:
        log.warning("after cancelling: the worker goes on", reservation_id=reservation_id, error=type(error).__name__)
    return made


def _ask_about_live_payment(deps: Deps, reservation_id: int) -> None:
    """A guest who has just paid must not cancel as one who has not. Without an answer the money comes back later."""
    live = payments.find_live(Reservation.get_by_id(reservation_id))
    try:
        if live is not None:
            checkout_sessions.ask(deps, live, cause="before cancelling")
    except (StripeUnavailable, StripeRefused) as error:
        log.warning("cancelling without Stripe's word", payment_id=live and live.public_id, stripe_code=error.code)


def _cancel(
    deps: Deps,
    reservation_id: int,
    percent: int | None,
    due: int,
    actor: str,
    reason: str,
    *,
    staff: bool,
    other: int | None,
    claim: Claim | None,
) -> Quote:
    with transaction():
        reservation = lock(Reservation, reservation_id)
        if why := why_not(deps, reservation, staff=staff):
            raise MayNotCancel(why)
        now_quoted = quote(deps, reservation, other=other)
        if (now_quoted.percent, now_quoted.due) != (percent, due):
            raise QuoteChanged(now_quoted)
        cause = for_the_log(reason, "cancelled")
        state.move(reservation, "cancelled", actor=actor, cause=cause, now=deps.now())
        _write(deps, reservation, now_quoted, actor, reason)
        money = MoneyBack(reservation)
        for payment_id, part in divide(now_quoted.due, money.returnable()):
            payment = lock(Payment, payment_id)
            refunds.insert(deps, payment, kind="policy", amount=part, reason="cancelled", requested_by=actor)
            if money.dispute_of(payment):
                raise_alert(
                    "cancelled while disputed",
                    payment.public_id,
                    now=deps.now(),
                    reservation=reservation,
                    payment=payment,
                )
        nights.free_nights(reservation)
        if claim is not None:
            claim.note(reservation.code)
        mails.queue(deps, "cancelled", reservation.code, reservation, due=now_quoted.due, currency=reservation.currency)
    log.info("reservation cancelled", reservation=reservation.code, actor=actor, due=now_quoted.due)
    return now_quoted


def _write(deps: Deps, reservation: Reservation, made: Quote, actor: str, reason: str) -> None:
    Cancellation.insert(
        reservation=reservation,
        actor=actor,
        local_date=made.today,
        zone=hotels.get_hotel().timezone,
        tier_days=made.tier_days,
        percent=made.percent,
        refund_target=made.target,
        refund_due=made.due,
        reason=reason,
        created_at=deps.now(),
    ).execute()
