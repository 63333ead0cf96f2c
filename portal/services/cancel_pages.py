"""What the cancel page and its result page show."""

from dataclasses import dataclass
from datetime import date

from portal.deps import Deps
from portal.domain import hotel_time
from portal.domain.refund_sums import divide
from portal.domain.refund_window import RefundWindow, window_from
from portal.domain.states import ENDED_REFUND
from portal.models import Cancellation, Payment, Refund, Reservation
from portal.services import cancellations
from portal.services.cancellations import Quote
from portal.services.guest_pages import StayPage, read_stay, refund_word
from portal.services.money_back import MoneyBack


@dataclass(frozen=True)
class Part:
    """What goes back to one card, or by hand when it was paid in cash."""

    amount: int
    payment: Payment


@dataclass(frozen=True)
class CancelPage:
    """The quote as it stands now. `why_not`: cancelled, expired, arrived, or None: it can be cancelled."""

    stay: StayPage
    quote: Quote
    why_not: str | None
    parts: list[Part]
    window: RefundWindow
    disputed: bool


@dataclass(frozen=True)
class FollowedRefund:
    """One refund of a cancelled stay. `state`: waits (for the end of a dispute), on_its_way (not sent yet), sent,
    refunded, failed."""

    refund: Refund
    payment: Payment
    state: str
    sent_on: date | None
    window: RefundWindow | None


@dataclass(frozen=True)
class CancelledPage:
    """A cancelled stay, and every refund of it followed to the bank; a failed one that was tried again is left out."""

    stay: StayPage
    owed: int
    """What the guest gets back, in minor units, what needs another try included."""
    missing: int
    """What of it is on no way yet, because a refund failed."""
    cancellation: Cancellation | None
    refunds: list[FollowedRefund]
    taken_by_bank: bool
    """A dispute was lost: the guest has the money from the bank, not from us."""


def read_cancel_page(deps: Deps, reservation: Reservation) -> CancelPage:
    quote = cancellations.quote(deps, reservation)
    money = MoneyBack(reservation)
    kept = money.kept
    by_id = {payment.id: payment for payment in kept}
    return CancelPage(
        stay=read_stay(deps, reservation),
        quote=quote,
        why_not=cancellations.why_not(deps, reservation),
        parts=[Part(amount, by_id[i]) for i, amount in divide(quote.due, money.returnable())],
        window=window_from(quote.today),
        disputed=any(money.dispute_of(payment) for payment in kept),
    )


def read_cancelled_page(deps: Deps, reservation: Reservation) -> CancelledPage:
    stay, money = read_stay(deps, reservation), MoneyBack(reservation)
    rows = money.refunds
    retried = {row.retry_of_id for row in rows}
    on_its_way = sum(row.amount for row in rows if row.status not in ENDED_REFUND)
    missing = money.still_promised() + _still_returned(money)
    shown = [row for row in rows if row.id not in retried and (row.status != "canceled" or row.stripe_id)]
    return CancelledPage(
        stay=stay,
        owed=on_its_way + missing,
        missing=missing,
        cancellation=money.cancellation,
        refunds=[_followed(stay, money, refund) for refund in shown],
        taken_by_bank=any(money.dispute_of(payment) == "lost" for payment in money.kept),
    )


def _still_returned(money: MoneyBack) -> int:
    """What of money that may not be kept is on no way back yet; a lost dispute brought it back by itself."""
    return sum(max(0, money.left(payment)) for payment in money.payments if payment.disposition == "returned")


def _followed(stay: StayPage, money: MoneyBack, refund: Refund) -> FollowedRefund:
    zone = stay.hotel.timezone
    waits = refund.status in ("todo", "sent") and money.dispute_of(refund.payment) == "open"
    sent_on = hotel_time.hotel_date(refund.first_sent_at, zone) if refund.first_sent_at and not waits else None
    return FollowedRefund(
        refund,
        refund.payment,
        "waits" if waits else refund_word(refund, zone, stay.today),
        sent_on,
        window_from(sent_on) if sent_on else None,
    )
