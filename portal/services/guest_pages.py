"""What a guest's pages show of one stay, read in a few statements and worked out once."""

from dataclasses import dataclass
from datetime import date, datetime

from portal.deps import Deps
from portal.domain import attempts, hotel_time
from portal.domain.cancellation_policy import Policy, PolicyStep, time_line
from portal.domain.guest_match import show_code
from portal.domain.holds import MayNotPay
from portal.domain.money_state import word_of_paid
from portal.domain.refund_window import window_from
from portal.domain.situation import PaymentFacts, Situation, situation_of, why_not_pay
from portal.domain.states import ENDED_REFUND
from portal.models import Hotel, Payment, Refund, Reservation, ReservationLine, Room
from portal.prepared import Prepared
from portal.services import hotels, payments

CREDITED = ("sent", "pending", "requires_action", "succeeded")
"""A refund in one of these has left us: it has a credit note."""

_REFUNDS: Prepared[Refund] = Prepared(
    lambda stay: Refund.select().join(Payment).where(Payment.reservation == stay).order_by(Refund.id)
)
_LINES: Prepared[ReservationLine] = Prepared(
    lambda stay: ReservationLine.select().where(ReservationLine.reservation == stay).order_by(ReservationLine.position)
)

USED_UP = (MayNotPay.ATTEMPTS_USED_UP, MayNotPay.SESSIONS_USED_UP)


@dataclass(frozen=True)
class HistoryEntry:
    """One line of the payment history: every payment and every refund. `amount` in minor units of `currency`."""

    what: str
    """payment or refund."""
    state: str
    """payment: opening, open, checking, paid, declined, failed, expired, not_opened, returned.
    refund: on_its_way (Stripe has not sent it yet), sent (the bank has yet to show it), refunded, failed, retried."""
    amount: int
    currency: str
    at: datetime
    reference: str
    of_payment: str
    """The reference of the payment that came in, or that goes back."""
    card_brand: str | None
    card_last4: str | None
    decline_code: str | None
    reason: str
    """Why money goes back: wrong amount, second payment, paid after cancellation, paid too late."""
    document: str = ""
    """receipt, credit_note, or nothing to print."""


@dataclass(frozen=True)
class StayPage:
    """Everything that the pages about one reservation need."""

    hotel: Hotel
    reservation: Reservation
    room: Room
    lines: list[ReservationLine]
    code: str
    """As guests read it: XXXX-XXXX-XXXX."""
    situation: Situation
    payment_status: str
    """For programs: unpaid, open, declined, checking, paid, partly_refunded, refunded."""
    amount_due: int
    may_pay: bool
    may_go_back: bool
    """No attempt or session is left, but the last session is still open at Stripe."""
    why_not_pay: MayNotPay | None
    attempts_left: int
    attempts_allowed: int
    now: datetime
    today: date
    """At the hotel."""
    nights: int
    time_line: list[PolicyStep]
    kept: Payment | None
    """The newest payment that was kept."""
    newest: Payment | None
    live: Payment | None
    """The one that may still bring money, if there is one."""
    history: list[HistoryEntry]
    """The newest first."""
    received: int
    """All that came in, kept or not, in minor units of the reservation's currency; other money is in the history."""
    returned: int
    """On its way back or arrived, of all that came in."""
    returned_of_kept: int
    """The same, of the payments that were kept."""

    @property
    def has_refund(self) -> bool:
        """Whether money goes back, has gone, or was to go and did not."""
        return self.returned > 0 or any(entry.what == "refund" for entry in self.history)


def read_stay(deps: Deps, reservation: Reservation) -> StayPage:
    """Everything about one stay, as it stands in our books now."""
    hotel, now = hotels.of(reservation), deps.now()
    rows = payments.of_stay(reservation)
    refunds = _refunds(reservation, rows)
    facts = payments.facts_of(reservation, rows)
    situation = situation_of(facts, [_facts(payment) for payment in rows], now)
    refusal, live = why_not_pay(facts, now), next((p for p in rows if p.is_live), None)
    today = hotel_time.hotel_date(now, hotel.timezone)
    kept = [p for p in rows if p.disposition == "kept"]
    in_currency = [p for p in rows if p.received_currency == reservation.currency]
    return StayPage(
        hotel=hotel,
        reservation=reservation,
        room=reservation.room,
        lines=_LINES.all(reservation.id),
        code=show_code(reservation.code),
        situation=situation,
        payment_status=_status_for_programs(reservation, situation, facts.tried, live, _returned(refunds, kept)),
        amount_due=reservation.amount_due,
        may_pay=_may_press_pay(refusal, live),
        may_go_back=live is not None and live.status == "open" and refusal in USED_UP,
        why_not_pay=refusal,
        attempts_left=attempts.attempts_left(facts.tried, reservation.extra_attempts),
        attempts_allowed=attempts.attempts_allowed(reservation.extra_attempts),
        now=now,
        today=today,
        nights=(reservation.check_out - reservation.check_in).days,
        time_line=time_line(Policy.from_pairs(reservation.policy), reservation.check_in, today, reservation.total),
        kept=kept[-1] if kept else None,
        newest=rows[-1] if rows else None,
        live=live,
        history=_history(rows, refunds, hotel.timezone, today),
        received=sum(payment.received_amount or 0 for payment in in_currency),
        returned=_returned(refunds, in_currency),
        returned_of_kept=_returned(refunds, kept),
    )


def _refunds(reservation: Reservation, payments: list[Payment]) -> list[Refund]:
    """The oldest first, each with its payment. One that began after the payments were read is for the next page."""
    if not payments:
        return []
    by_id = {payment.id: payment for payment in payments}
    refunds = [refund for refund in _REFUNDS.all(reservation.id) if refund.payment_id in by_id]
    for refund in refunds:
        refund.payment = by_id[refund.payment_id]
    return refunds


def _returned(refunds: list[Refund], of: list[Payment]) -> int:
    ids = {payment.id for payment in of}
    return sum(r.amount for r in refunds if r.payment_id in ids and r.status not in ENDED_REFUND)


def _facts(payment: Payment) -> PaymentFacts:
    return PaymentFacts(
        status=payment.status,
        disposition=payment.disposition,
        is_declined=payment.declined_at is not None and payment.status != "succeeded",
        was_made=payment.session_id is not None,
        by_card=payment.provider == "stripe",
    )


def _may_press_pay(refusal: MayNotPay | None, live: Payment | None) -> bool:
    """A new session may be opened, or an open one gone back to although the hold is over."""
    if live is not None and live.status == "processing":
        return False
    return refusal is None or (refusal is MayNotPay.HOLD_OVER and live is not None)


def _status_for_programs(
    reservation: Reservation, situation: Situation, tried: int, live: Payment | None, back: int
) -> str:
    """The word in `data-payment-status`."""
    if reservation.paid and reservation.amount_due == 0:
        return word_of_paid(reservation.paid, back)
    if situation is Situation.MONEY_GOES_BACK:
        return "refunded"
    if situation is Situation.CHECKING:
        return "checking"
    if situation in (Situation.DECLINED, Situation.FAILED_LATER) or (situation is Situation.ATTEMPTS_USED_UP and tried):
        return "declined"
    return "open" if live is not None and live.status == "open" else "unpaid"


def _history(rows: list[Payment], refunds: list[Refund], zone: str, today: date) -> list[HistoryEntry]:
    entries = [_payment_entry(payment, refunds) for payment in rows]
    # A row that was canceled before it was ever sent has another in its place: guests read that one alone.
    shown = [refund for refund in refunds if refund.status != "canceled" or refund.stripe_id]
    retried = {refund.retry_of_id for refund in refunds}
    entries += [_refund_entry(refund, zone, today, retried) for refund in shown]
    entries.sort(key=lambda entry: entry.at)  # stable: of the same second, the later row stays later
    return entries[::-1]


_PAYMENT_WORDS = {"creating": "opening", "open": "open", "processing": "checking", "expired": "expired"}


def _payment_entry(payment: Payment, refunds: list[Refund]) -> HistoryEntry:
    reason = next((r.reason for r in refunds if r.payment_id == payment.id and r.kind == "returned"), "")
    return HistoryEntry(
        what="payment",
        state=_payment_word(payment),
        amount=payment.received_amount or payment.amount,
        currency=payment.received_currency or payment.currency,
        at=payment.completed_at or payment.declined_at or payment.created_at,
        reference=payment.public_id,
        of_payment=payment.public_id,
        card_brand=payment.card_brand,
        card_last4=payment.card_last4,
        decline_code=payment.decline_code,
        reason=reason if payment.disposition == "returned" else "",
        document="receipt" if payment.disposition == "kept" and payment.receipt_number else "",
    )


def _payment_word(payment: Payment) -> str:
    if payment.status == "succeeded":
        return "paid" if payment.disposition == "kept" else "returned"
    if payment.declined_at:
        return "declined"
    if payment.status == "failed":
        return "failed" if payment.session_id else "not_opened"
    return _PAYMENT_WORDS[payment.status]


def _refund_entry(refund: Refund, zone: str, today: date, retried: set[int | None]) -> HistoryEntry:
    return HistoryEntry(
        what="refund",
        state="retried" if refund.id in retried else refund_word(refund, zone, today),
        amount=refund.amount,
        currency=refund.currency,
        at=refund.created_at,
        reference=refund.public_id,
        of_payment=refund.payment.public_id,
        card_brand=refund.payment.card_brand,
        card_last4=refund.payment.card_last4,
        decline_code=None,
        reason=refund.reason,
        document="credit_note" if refund.status in CREDITED else "",
    )


def refund_word(refund: Refund, zone: str, today: date) -> str:
    """Where a refund stands, in a guest's eyes: money that was sent has arrived once the bank's days are over."""
    if refund.status in ENDED_REFUND:
        return "failed"
    if refund.status != "succeeded":
        return "on_its_way"
    sent_on = hotel_time.hotel_date(refund.first_sent_at or refund.updated_at, zone)
    return "refunded" if refund.provider == "offline" or today > window_from(sent_on).last else "sent"
