"""What staff see of one reservation: the stay, every movement of its money, what was done to it, and the mails sent."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.deps import Deps
from portal.models import Alert, AuditLog, Cancellation, Dispute, Note, OutgoingMail, Payment, Refund, Reservation
from portal.services import alert_lines, api_tokens, money_states, notes, staff_accounts
from portal.services.alert_lines import AlertLine
from portal.services.guest_pages import StayPage, read_stay

MOST = 200
"""Entries of one list: far more than any stay has, and few enough to read."""


@dataclass(frozen=True)
class ReservationPage:
    """Payments, refunds, log entries and mails with the newest first; notes as a story, with the newest last. `people`:
    "staff 3" or "api token 3" → name."""

    people: dict[str, str]
    cancellation: Cancellation | None
    stay: StayPage
    money_word: str
    """Of domain.money_state: where the money stands."""
    payments: list[Payment]
    refunds: list[Refund]
    disputes: list[Dispute]
    log: list[AuditLog]
    mails: list[OutgoingMail]
    alerts: list[AlertLine]
    notes: list[Note]


def read_reservation(deps: Deps, reservation: Reservation) -> ReservationPage:
    """One statement a list, whatever the length of the history."""
    payments = list(
        Payment.select().where(Payment.reservation == reservation.id).order_by(Payment.id.desc()).limit(MOST)
    )
    ids = [payment.id for payment in payments]
    refunds = list(Refund.select(Refund, Payment).join(Payment).where(Payment.id << ids).order_by(Refund.id.desc()))
    log = _log(reservation, payments, refunds)
    actors = [*(entry.actor for entry in log), *(refund.requested_by for refund in refunds)]
    return ReservationPage(
        cancellation=Cancellation.get_or_none(Cancellation.reservation == reservation.id),
        people={**staff_accounts.names_of(actors), **api_tokens.names_of(actors)},
        stay=read_stay(deps, reservation),
        money_word=money_states.money_words([reservation])[reservation.id],
        payments=payments,
        refunds=refunds,
        disputes=list(Dispute.select().where(Dispute.payment << ids).order_by(Dispute.id.desc())),
        log=log,
        mails=list(
            OutgoingMail.select()
            .where(OutgoingMail.reservation == reservation.id)
            .order_by(OutgoingMail.id.desc())
            .limit(MOST)
        ),
        alerts=alert_lines.to_lines(_open_alerts(reservation, ids)),
        notes=notes.list_notes(reservation, most=MOST),
    )


def _open_alerts(reservation: Reservation, payment_ids: list[int]) -> Iterable[Alert]:
    about = (Alert.reservation == reservation.id) | (Alert.payment << payment_ids)
    found: Iterable[Alert] = (
        alert_lines.with_stays().where(about & Alert.closed_at.is_null()).order_by(Alert.id.desc()).limit(MOST)
    )
    return found


def _log(reservation: Reservation, payments: list[Payment], refunds: list[Refund]) -> list[AuditLog]:
    of_stay = (AuditLog.entity == "reservation") & (AuditLog.entity_id == reservation.code)
    of_payments = (AuditLog.entity == "payment") & (AuditLog.entity_id << [row.public_id for row in payments])
    of_refunds = (AuditLog.entity == "refund") & (AuditLog.entity_id << [row.public_id for row in refunds])
    mine = of_stay | of_payments | of_refunds
    return list(AuditLog.select().where(mine).order_by(AuditLog.id.desc()).limit(MOST))
