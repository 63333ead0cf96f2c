"""Settle: bring our books in line with something Stripe says of a payment. The one way to "confirmed" by card.

Safe to repeat, in any order, from anywhere: news moves a payment only forward, and money is taken into account once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from portal import metrics, prepared
from portal.db import for_update, must_be_in_transaction, transaction
from portal.deps import Deps
from portal.domain import attempts, hotel_time, states
from portal.domain.settlement import Money, Standing, Verdict, judge
from portal.gateways.stripe_seen import PaymentSeen
from portal.models import Hotel, Payment, Reservation
from portal.prepared import Prepared
from portal.services import hotels, mails, money_back, nights, payments, receipts, refunds, state
from portal.services.alerts import raise_alert

log = structlog.get_logger()

SUCCESS, SKIPPED, PENDING = "success", "skipped", "pending"

_LOCK_STAY: Prepared[Any] = Prepared(
    lambda code: for_update(
        Reservation.select(Reservation, Hotel.installation, Hotel.timezone)
        .join(Hotel, on=(Hotel.id == 1), attr="hotel_in_short")
        .where(Reservation.code == code)
    )
)
"""With what has to be known of the hotel, which is not all (see `hotels.of`); only the stay is locked."""


class _News(NamedTuple):
    """What Stripe says of one payment of a stay, both locked. `learnt`: what the payment's row does not have yet; it is
    written with its change of state. `zone`: the hotel's. `cause`: for the audit log."""

    deps: Deps
    now: datetime
    zone: str
    reservation: Reservation
    payment: Payment
    seen: PaymentSeen
    cause: str
    learnt: dict[str, Any]


def settle(deps: Deps, seen: PaymentSeen, *, cause: str) -> str:
    """Settle in a transaction of its own. The answer: success, skipped (not ours), or pending (look again later)."""
    with transaction():
        return settle_inside(deps, seen, cause=cause)


def settle_and_read(deps: Deps, seen: PaymentSeen, *, cause: str) -> Payment | None:
    """The same; the answer: the payment and its reservation as they are now. None: it is not ours, or has to wait."""
    with transaction():
        return _settle(deps, seen, cause)[1]


def settle_inside(deps: Deps, seen: PaymentSeen, *, cause: str) -> str:
    """Settle within the caller's transaction."""
    return _settle(deps, seen, cause)[0]


def _settle(deps: Deps, seen: PaymentSeen, cause: str) -> tuple[str, Payment | None]:
    must_be_in_transaction()
    reservation = _LOCK_STAY.first(seen.names.reservation)
    hotel = reservation.hotel_in_short if reservation else hotels.get_hotel()
    if seen.names.portal != hotel.installation or seen.livemode != deps.settings.livemode:
        return SKIPPED, None
    if reservation is None:
        _notice_unknown(deps, seen)
        return SKIPPED, None
    mine = payments.lock_of_stay(reservation)
    payment = payments.find(mine, seen)
    if payment is None:
        rebuilt = _rebuild(deps, reservation, mine, seen)
        if rebuilt is None:
            return (PENDING if seen.status == "processing" else SKIPPED), None
        mine = payments.lock_of_stay(reservation)  # with what the database fills in
        payment = next(one for one in mine if one.id == rebuilt.id)
    learnt = _learn(deps, payment, seen)
    if learnt is None:
        return SKIPPED, None
    if seen.status and states.PAYMENT_RANK[seen.status] > states.PAYMENT_RANK[payment.status]:
        _advance(_News(deps, deps.now(), hotel.timezone, reservation, payment, seen, cause, learnt))
    elif learnt:
        prepared.update(Payment, learnt, id=payment.id)
    _notice_used_up(deps, reservation, mine)
    payment.reservation = reservation
    return SUCCESS, payment


def _notice_unknown(deps: Deps, seen: PaymentSeen) -> None:
    """Money for a reservation that we do not know needs a person."""
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


def _rebuild(deps: Deps, reservation: Reservation, others: Sequence[Payment], seen: PaymentSeen) -> Payment | None:
    """A payment that our database lost (a restored backup) but that names a reservation we know. Open sessions are not
    rebuilt, reconciling closes them; a second live one waits until the first is over."""
    if not seen.names.payment or seen.status in (None, "open"):
        return None
    if Payment.get_or_none(Payment.public_id == seen.names.payment):
        name = seen.payment_intent_id or seen.names.payment
        raise_alert("payment of another stay", name, now=deps.now(), reservation=reservation, amount=seen.amount)
        return None
    live = seen.status == "processing"
    if live and payments.live_of(others):
        return None
    return payments.insert(
        deps,
        reservation,
        others,
        public_id=seen.names.payment,
        amount=seen.amount,
        currency=seen.currency,
        status="processing" if live else "expired",
        created_at=seen.created or deps.now(),
        cause="rebuilt from Stripe",
    )


_LEARNT = (
    *("session_id", "payment_intent_id", "charge_id", "card_brand", "card_last4", "completed_at"),
    *("declines", "decline_code", "declined_at"),
)
"""Columns that only Stripe can fill."""


def _learn(deps: Deps, payment: Payment, seen: PaymentSeen) -> dict[str, Any] | None:
    """What Stripe alone knows, filled in and still to be written. An id is learnt once: None when Stripe names another
    for the same payment."""
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
            return None
        setattr(payment, column, known or value)
    payment.charge_id = payment.charge_id or seen.charge_id
    if payment.completed_at and seen.status == "succeeded":
        payment.completed_at = min(payment.completed_at, seen.at)
    _learn_decline(payment, seen)
    _learn_card(payment, seen)
    after = payment.__data__
    return {name: after[name] for name in _LEARNT if after[name] != before[name]}


def _learn_card(payment: Payment, seen: PaymentSeen) -> None:
    """The card that paid, or the one that was declined last, whatever the order of the news. Messages name only those
    that were declined, so with the news that money came the card is unknown again, until Stripe is asked
    (`sweeps.learn_cards`)."""
    is_told = seen.card_last4 is not None
    if seen.status == "succeeded":
        is_news = is_told or payment.status != "succeeded"
    else:
        is_last = seen.decline is None or seen.decline.key == _last_decline(payment)
        is_news = is_told and is_last and payment.status != "succeeded"
    if is_news:
        payment.card_brand, payment.card_last4 = seen.card_brand, seen.card_last4


def _learn_decline(payment: Payment, seen: PaymentSeen) -> None:
    """Remember each declined charge once, with the earliest time it was told; guests read the latest of them."""
    if seen.decline is None:
        return
    told = seen.decline.at.isoformat()
    _, known = payment.declines.get(seen.decline.key, [seen.decline.code, told])
    payment.declines = {**payment.declines, seen.decline.key: [seen.decline.code, min(told, known)]}
    code, at = payment.declines[_last_decline(payment)]
    payment.decline_code, payment.declined_at = code, datetime.fromisoformat(at)


def _last_decline(payment: Payment) -> str:
    """Its key, the same whatever the order in which they were told."""
    declines: dict[str, list[str]] = payment.declines
    return max(declines, key=lambda key: (declines[key][1], declines[key][0], key))


def _advance(news: _News) -> None:
    if news.seen.status == "succeeded":
        _take_money(news)
        return
    also: dict[str, Any] = {"error_code": "failed_later"} if news.seen.status == "failed" else {}
    if news.seen.status in ("failed", "expired"):
        also["params"] = without_email(news.payment)
    _move(news, str(news.seen.status), also)


def _move(news: _News, status: str, also: dict[str, Any]) -> None:
    """Everything about the payment in one UPDATE."""
    changes = {**news.learnt, **also}
    state.move(news.payment, status, actor="stripe", cause=news.cause, now=news.now, **changes)


def _take_money(news: _News) -> None:
    """Money came: it is kept and confirms the stay, or it is sent back in full."""
    reservation, payment, seen = news.reservation, news.payment, news.seen
    standing = Standing(
        reservation.status,
        reservation.total,
        reservation.paid,
        reservation.currency,
        reservation.check_in,
        hotel_time.hotel_date(news.now, news.zone),
    )
    gone_back = money_back.on_its_way(payment) if payment.has_refunds else 0  # a webhook's body does not tell
    known_back = max(seen.refunded, gone_back)
    verdict = judge(standing, payment.amount, Money(seen.amount, seen.currency, known_back))
    if verdict is Verdict.KEEP_IF_FREE:
        verdict = Verdict.KEEP if nights.take_nights(reservation) else Verdict.TOO_LATE
    if verdict is Verdict.KEEP:
        _keep(news)
    else:
        _give_back(news, verdict, known_back)


def _keep(news: _News) -> None:
    deps, reservation, payment = news.deps, news.reservation, news.payment
    state.move(
        reservation,
        "confirmed",
        actor="stripe",
        cause=f"paid by {payment.public_id}",
        now=news.now,
        unchanged=("paid", "total"),
        paid=reservation.paid + payment.amount,
    )
    mails.queue(deps, "payment_received", payment.public_id, reservation, payment=payment.public_id)
    # Last, for whoever takes the next number waits until this transaction has ended.
    _succeed(news, "kept", receipt_number=receipts.take_number(news.now, news.zone))
    metrics.count_confirmed((news.now - news.seen.at).total_seconds())
    log.info("reservation confirmed", reservation=reservation.code, payment=payment.public_id, amount=payment.amount)


def _give_back(news: _News, verdict: Verdict, known_back: int) -> None:
    """Money that may not be kept: the refund is written down in the same transaction, and a person is told."""
    deps, reservation, payment, seen = news.deps, news.reservation, news.payment, news.seen
    _succeed(news, "returned")
    left = seen.amount - known_back
    if left > 0:
        refunds.insert(deps, payment, kind="returned", amount=left, reason=verdict.value, requested_by="portal")
    mails.queue(
        deps, "money_returned", payment.public_id, reservation, why=verdict.value, amount=left, currency=seen.currency
    )
    raise_alert(
        "money returned",
        payment.public_id,
        now=news.now,
        reservation=reservation,
        payment=payment,
        why=verdict.value,
        amount=seen.amount,
        currency=seen.currency,
    )


def _succeed(news: _News, disposition: str, **also: Any) -> None:
    seen = news.seen
    _move(
        news,
        "succeeded",
        {
            "disposition": disposition,
            "received_amount": seen.amount,
            "received_currency": seen.currency,
            "completed_at": seen.at,
            "params": without_email(news.payment),
            **also,
        },
    )


def without_email(payment: Payment) -> Any:
    """What Stripe was sent, for the records: once the payment is final it is never sent again, so the address goes."""
    return payment.params and {name: value for name, value in payment.params.items() if name != "customer_email"}


def _notice_used_up(deps: Deps, reservation: Reservation, mine: Sequence[Payment]) -> None:
    """Tell staff once the guest cannot go on alone; granting attempts is a new episode."""
    if reservation.status != "pending":
        return
    allowed = attempts.attempts_allowed(reservation.extra_attempts)
    cause = f"{reservation.code}:{allowed}"
    if payments.count_attempts(mine) >= allowed:
        mails.queue(deps, "attempts_used_up", cause, reservation)
        raise_alert("attempts used up", cause, now=deps.now(), reservation=reservation, attempts=allowed)
    sessions = payments.count_sessions(mine)
    if attempts.sessions_used_up(sessions, reservation.extra_attempts) and not payments.live_of(mine):
        raise_alert("sessions used up", cause, now=deps.now(), reservation=reservation, sessions=sessions)
