"""What is done again and again so that nothing depends on a webhook, a browser or a process that stays alive."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import structlog

from portal import logs
from portal.db import DatabaseBusy, transaction
from portal.deps import Deps
from portal.domain import holds
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.models import Payment, Reservation, unindexed
from portal.services import checkout_sessions

log = structlog.get_logger()

LIVE_LONG_ENOUGH = timedelta(minutes=2)
"""Younger payments are left to the guest's own clicks and to the webhook."""

CARD_TRIES_FOR = timedelta(days=1)
CARD_AGAIN_AFTER = timedelta(minutes=10)


def ask_live_payments(deps: Deps) -> int:
    """Ask Stripe about payments that have been open or processing for a while; how many were asked."""
    old_enough = Payment.created_at <= deps.now() - LIVE_LONG_ENOUGH
    live = Payment.select().where((Payment.status << ("open", "processing")) & old_enough)
    return _each(live, lambda payment: checkout_sessions.ask(deps, payment, cause="sweep"))


def learn_cards(deps: Deps) -> int:
    """Webhooks do not say which card was used; ask once the payment is settled, for the receipt."""
    bare = Payment.select().where(
        (unindexed(Payment.status) == "succeeded")
        & (Payment.provider == "stripe")
        & Payment.card_last4.is_null()
        & unindexed(Payment.session_id).is_null(False)
        & (Payment.completed_at > deps.now() - CARD_TRIES_FOR)
        & (Payment.asked_at.is_null() | (Payment.asked_at < deps.now() - CARD_AGAIN_AFTER))
    )
    return _each(bare, lambda payment: _ask_for_card(deps, payment))


def _ask_for_card(deps: Deps, payment: Payment) -> None:
    """A question that Stripe refuses counts as asked, so that it is not put again at once."""
    try:
        checkout_sessions.ask(deps, payment, cause="card for the receipt")
    except StripeRefused:
        with transaction():
            Payment.update(asked_at=deps.now()).where(Payment.id == payment.id).execute()
        raise


def finish_creating(deps: Deps) -> int:
    """Rows that a crash left between our commit and Stripe's answer: look whether the session was made. No sweep ever
    makes one; what was not made within ten minutes fails, uncounted."""
    stuck = Payment.select().where(
        (Payment.status == "creating") & (Payment.created_at <= deps.now() - LIVE_LONG_ENOUGH)
    )
    return _each(stuck, lambda payment: _find_or_give_up(deps, payment))


def close_unwanted_sessions(deps: Deps) -> int:
    """Sessions of reservations that no longer wait for exactly this sum must not stay payable."""
    unwanted = (
        Reservation.select()
        .join(Payment)
        .where(
            (Payment.status << ("creating", "open"))
            & ((Reservation.status != "pending") | (Payment.amount != Reservation.total - Reservation.paid))
        )
    )
    return _each(unwanted, lambda reservation: checkout_sessions.close_unwanted(deps, reservation))


def _find_or_give_up(deps: Deps, payment: Payment) -> None:
    old = deps.now() - payment.created_at > holds.GIVE_UP_CREATING
    if not checkout_sessions.ask(deps, payment, cause="looked up") and old:
        checkout_sessions.close_payment(deps, payment)


def _each(rows: Iterable[Any], work: Callable[[Any], object]) -> int:
    """One row that Stripe cannot answer for, or that is broken, must not stop the others."""
    done = 0
    for row in list(rows):
        about = {"payment": row.public_id} if isinstance(row, Payment) else {"reservation": row.code}
        try:
            with logs.about(**about):
                work(row)
            done += 1
        except (StripeUnavailable, StripeRefused) as error:
            log.warning("sweep leaves a row for later", row=row.id, stripe_code=error.code)
        except DatabaseBusy:
            raise
        except Exception as error:
            log.error("sweep cannot treat a row", row=row.id, **logs.describe(error))
    return done
