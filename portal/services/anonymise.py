"""Taking a guest's name, addresses and words out of a stay that is over. Sums, dates and receipts' numbers stay."""

from datetime import timedelta

import structlog

from portal.db import lock, transaction
from portal.deps import Deps
from portal.domain import hotel_time, states
from portal.domain.reasons import STAFF_REASONS
from portal.domain.search_words import NO_GUEST
from portal.models import (
    Alert,
    Cancellation,
    Dispute,
    Note,
    OutgoingMail,
    Payment,
    Refund,
    Reservation,
    WebhookEvent,
    unindexed,
)
from portal.services import audit, hotels, payments, reservation_words, settlement

log = structlog.get_logger()

NAME = "Anonymised guest"
AFTER_LAST_REFUND = timedelta(days=30)
"""Until then a bank may still send it back, and the guest has to be told."""


class MayNotAnonymise(Exception):
    """`why`: one of the words of `why_not`. Nothing was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def why_not(deps: Deps, reservation: Reservation) -> str | None:
    """not over, done, payment, refund, dispute, alert, message, recent refund; or None: it may be done."""
    if is_anonymous(reservation):
        return "done"
    if reservation.check_out >= hotel_time.hotel_date(deps.now(), hotels.get_hotel().timezone):
        return "not over"
    if reservation.status == "pending" or payments.find_live(reservation):
        return "payment"
    return _money_open(deps, reservation)


def is_anonymous(reservation: Reservation) -> bool:
    return bool(reservation.email == _address(reservation))


def _money_open(deps: Deps, reservation: Reservation) -> str | None:
    mine = Payment.select(Payment.id).where(Payment.reservation == reservation.id)
    of_mine = Refund.payment << mine
    ended = (*states.ENDED_REFUND, "succeeded")
    if Refund.select().where(of_mine & Refund.status.not_in(ended)).exists():
        return "refund"
    if Dispute.select().where((Dispute.payment << mine) & Dispute.status.not_in(states.ENDED_DISPUTE)).exists():
        return "dispute"
    about = (Alert.reservation == reservation.id) | (Alert.payment << mine)
    if Alert.select().where(about & Alert.closed_at.is_null()).exists():
        return "alert"
    waiting = (WebhookEvent.reservation == reservation.id) | (WebhookEvent.payment << mine)
    if WebhookEvent.select().where(waiting & WebhookEvent.processed_at.is_null()).exists():
        return "message"
    last = Refund.select(Refund.updated_at).where(of_mine).order_by(Refund.updated_at.desc()).first()
    return "recent refund" if last and last.updated_at > deps.now() - AFTER_LAST_REFUND else None


def anonymise(deps: Deps, reservation_id: int, *, actor: str) -> None:
    """For good. MayNotAnonymise while anything about the guest's money is open."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        if why := why_not(deps, reservation):
            raise MayNotAnonymise(why)
        reservation.guest_name, reservation.email, reservation.phone = NAME, _address(reservation), ""
        Reservation.update(
            guest_name=reservation.guest_name,
            email=reservation.email,
            phone="",
            link_version=Reservation.link_version + 1,
            updated_at=deps.now(),
        ).where(Reservation.id == reservation.id).execute()
        _clear_what_was_written(deps, reservation)
        reservation_words.store(reservation)
        audit.note(reservation, actor=actor, cause="anonymised", now=deps.now())
    log.info("reservation anonymised", reservation=reservation.code)


def forget_old_guests(deps: Deps) -> int:
    """Take the guests out of stays that were over longer ago than the hotel keeps their data; how many. What still has
    something open is left for another night."""
    hotel = hotels.get_hotel()
    days = hotel.retention_days or deps.settings.retention_days
    last = hotel_time.hotel_date(deps.now(), hotel.timezone) - timedelta(days=days)
    old = Reservation.select(Reservation.id).where(Reservation.check_out < last)
    with_guest = old.where(~Reservation.email.endswith(NO_GUEST)).order_by(unindexed(Reservation.id))
    done = 0
    for reservation_id in [row.id for row in with_guest]:
        try:
            anonymise(deps, reservation_id, actor="portal")
            done += 1
        except MayNotAnonymise:
            continue
    return done


def _address(reservation: Reservation) -> str:
    """Unique, and in a domain that never exists."""
    return f"{reservation.code.lower()}{NO_GUEST}"


def _clear_what_was_written(deps: Deps, reservation: Reservation) -> None:
    Cancellation.update(reason="").where(Cancellation.reservation == reservation.id).execute()
    mine_paid = Payment.select(Payment.id).where(Payment.reservation == reservation.id)
    typed = (Refund.payment << mine_paid) & (Refund.kind == "staff") & Refund.reason.not_in(STAFF_REASONS)
    Refund.update(reason="").where(typed & Refund.retry_of.is_null()).execute()
    about = (Alert.reservation == reservation.id) | (Alert.payment << mine_paid)
    Alert.update(why_closed="").where(about & Alert.closed_at.is_null(False)).execute()
    Note.update(text="").where(Note.reservation == reservation.id).execute()
    mine = OutgoingMail.reservation == reservation.id
    waiting = OutgoingMail.sent_at.is_null() & OutgoingMail.given_up_at.is_null()
    OutgoingMail.update(given_up_at=deps.now(), error_message="anonymised").where(mine & waiting).execute()
    OutgoingMail.update(recipient=reservation.email).where(mine).execute()
    for payment in Payment.select().where((Payment.reservation == reservation.id) & Payment.params.is_null(False)):
        Payment.update(params=settlement.without_email(payment)).where(Payment.id == payment.id).execute()
