"""The books: every invariant that must hold, checked by looking. A finding names the row that breaks it.

What is on its way is given time: a row that a worker would finish within minutes is not a finding."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN, fn

from portal.db import transaction
from portal.deps import Deps
from portal.domain import states
from portal.models import (
    Alert,
    AuditLog,
    Cancellation,
    Dispute,
    Payment,
    Refund,
    Reservation,
    RoomNight,
    Table,
    WebhookEvent,
    unindexed,
)
from portal.models.reservation import STILL_ON
from portal.services import books_at_stripe, money_back
from portal.services.alerts import raise_alert
from portal.services.findings import WORKER_TIME, Finding
from portal.services.money_back import MoneyBack

WHY_MONEY_STAYS = ("refund failed", "refund refused by Stripe", "promised refund not sent")
"""Alerts that explain why less goes back than was promised."""

BATCH = 20_000
"""Rows that one statement looks at, where it does much for each."""

Check = Callable[[Deps], Iterator[Finding]]


def audit(deps: Deps, *, since: datetime | None = None) -> list[Finding]:
    """Check all rules in our own books; with `since`, compare with everything that Stripe made since then, too.

    StripeUnavailable when it is to be compared and Stripe cannot be reached."""
    findings = [finding for check in CHECKS for finding in check(deps)]
    if since is not None:
        findings += [finding for check in books_at_stripe.COMPARISONS for finding in check(deps, since)]
    return findings


# Our own books --------------------------------------------------------------------------------------------------------


def paid_is_the_sum_of_kept_payments(_: Deps) -> Iterator[Finding]:
    kept = (
        Payment.select(Payment.reservation.alias("stay"), fn.SUM(Payment.amount).alias("amount"))
        .where(unindexed(Payment.disposition) == "kept")
        .group_by(Payment.reservation)
    )
    amount = fn.COALESCE(kept.c.amount, 0)
    rows: Any = Reservation.select(Reservation.code, Reservation.paid, amount).join(
        kept, JOIN.LEFT_OUTER, on=(kept.c.stay == Reservation.id)
    )
    for code, paid, summed in rows.where(Reservation.paid != amount).tuples().iterator():
        yield Finding("paid is the sum of the kept payments", code, f"paid {paid}, kept {summed}")


def confirmed_stays_are_paid(_: Deps) -> Iterator[Finding]:
    for row in Reservation.select().where(
        (Reservation.status == "confirmed") & (Reservation.paid != Reservation.total)
    ):
        yield Finding("a confirmed stay is paid", row.code, f"paid {row.paid} of {row.total}")
    for row in Reservation.select().where((Reservation.status == "expired") & (Reservation.paid > 0)):
        yield Finding("an expired stay has no money of the guest's", row.code, f"paid {row.paid}")


def stays_own_their_nights(_: Deps) -> Iterator[Finding]:
    counted: Any = RoomNight.select(RoomNight.reservation, fn.COUNT(RoomNight.id)).group_by(RoomNight.reservation)
    owned = dict(counted.tuples().iterator())
    stays: Any = Reservation.select(
        Reservation.id, Reservation.code, Reservation.status, Reservation.check_in, Reservation.check_out
    )
    for stay_id, code, status, check_in, check_out in stays.tuples().iterator():
        wanted = (check_out - check_in).days if status in STILL_ON else 0
        has = owned.get(stay_id, 0)
        if has != wanted:
            yield Finding("a held or confirmed stay owns all its nights, others none", code, f"{has} of {wanted}")


def refunds_stay_within_payments(_: Deps) -> Iterator[Finding]:
    back = _sums_back()
    came = fn.COALESCE(fn.NULLIF(Payment.received_amount, 0), Payment.amount)
    rows: Any = Payment.select(Payment.public_id, back.c.amount, Payment.received_amount).join(
        back, on=(back.c.payment == Payment.id)
    )
    too_much = (unindexed(Payment.status) == "succeeded") & (back.c.amount > came)
    for public_id, amount, received in rows.where(too_much).tuples().iterator():
        yield Finding("no more goes back than came in", public_id, f"{amount} of {received}")


def returned_money_goes_back_whole(_: Deps) -> Iterator[Finding]:
    """Unless a person has been told why it does not: a failed refund, a dispute."""
    back = _sums_back()
    amount = fn.COALESCE(back.c.amount, 0)
    rows: Any = Payment.select(Payment, amount.alias("back")).join(
        back, JOIN.LEFT_OUTER, on=(back.c.payment == Payment.id), attr="sums"
    )
    too_little = (Payment.disposition == "returned") & (amount < fn.COALESCE(Payment.received_amount, 0))
    for payment in rows.where(too_little).objects():
        if not _is_told(payment):
            yield Finding(
                "money that may not be kept goes back whole",
                payment.public_id,
                f"{payment.back} of {payment.received_amount}",
            )


def _sums_back() -> Any:
    """Of each payment that has refunds which have not failed: their sum."""
    return (
        Refund.select(Refund.payment.alias("payment"), fn.SUM(Refund.amount).alias("amount"))
        .where(Refund.status.not_in(states.ENDED_REFUND))
        .group_by(Refund.payment)
        .alias("back")
    )


def _is_told(payment: Payment) -> bool:
    """Whether a person knows why money does not go back: its refund failed or was refused, or a bank disputes it."""
    # That somebody's own refund at Stripe failed explains nothing about ours.
    others = Refund.select(Refund.public_id).where((Refund.payment == payment.id) & (Refund.kind == "external"))
    about_ours = (Alert.kind == "promised refund not sent") | Alert.cause.not_in(others)
    alerts = Alert.select().where((Alert.payment == payment.id) & (Alert.kind << WHY_MONEY_STAYS) & about_ours)
    return bool(alerts.exists() or money_back.dispute_of(payment))


def cancellations_return_what_was_promised(_: Deps) -> Iterator[Finding]:
    asked: Any = Cancellation.select(
        Cancellation.reservation, Reservation.code, Reservation.paid, Cancellation.percent, Cancellation.refund_target
    ).join(Reservation)
    for _stay_id, code, paid, percent, target in asked.tuples().iterator():
        if percent is not None and target != paid * percent // 100:
            yield Finding("a cancellation follows its tier", code, f"{target} of {paid} at {percent} %")
    for stay_id, code, _paid, _percent, target in list(asked.where(_may_be_missing()).tuples()):
        money = MoneyBack(stay_id)
        missing = money.still_promised()
        if missing and not any(_is_told(payment) for payment in money.kept):
            yield Finding("a cancellation returns what was promised", code, f"{missing} of {target} missing")


def _may_be_missing() -> Any:
    """Leaves out most cancellations in one statement: those whose own refunds come to what was promised, while no bank
    disputes anything. What staff gave besides is not counted here, so what is left has to be looked at one by one."""
    gift = (Refund.kind == "staff") & Refund.retry_of.is_null()
    back = (
        Refund.select(Payment.reservation)
        .join(Payment)
        .where(Refund.status.not_in(states.ENDED_REFUND) & ~gift & (unindexed(Payment.disposition) == "kept"))
        .group_by(Payment.reservation)
    )
    target = Cancellation.refund_target
    sums: Any = back.select(Payment.reservation.alias("stay"), fn.SUM(Refund.amount).alias("amount")).alias("sums")
    whole = Cancellation.alias()
    settled = whole.select(whole.id).join(sums, on=(sums.c.stay == whole.reservation))
    settled = settled.where(sums.c.amount >= whole.refund_target)
    disputed = Dispute.select(Payment.reservation).join(Payment)
    return (target > 0) & (Cancellation.id.not_in(settled) | (Cancellation.reservation << disputed))


def audit_log_replays(_: Deps) -> Iterator[Finding]:
    for model, name in ((Reservation, Reservation.code), (Payment, Payment.public_id), (Refund, Refund.public_id)):
        mine = (AuditLog.entity == model.__name__.lower()) & (AuditLog.entity_id == name)
        logged = AuditLog.select(AuditLog.to_state).where(mine).order_by(AuditLog.id.desc()).limit(1)
        rows: Any = model.select(name, model.status, logged.alias("logged"))
        differs = fn.COALESCE(logged, "") != model.status
        for some in _batches(model):
            for public_name, now, last in rows.where(differs & some).tuples():
                yield Finding("the audit log replays to the present", public_name, f"{last} in the log, {now} now")


def _batches(model: type[Table]) -> Iterator[Any]:
    """Conditions for all rows, some at a time: no statement grows with the years until the server's limit ends it."""
    last: int = model.select(fn.MAX(model.id)).scalar() or 0
    for start in range(1, last + 1, BATCH):
        yield model.id.between(start, start + BATCH - 1)


def nothing_is_stuck(deps: Deps) -> Iterator[Finding]:
    now = deps.now()
    late = now - WORKER_TIME
    for payment in Payment.select().where(Payment.status << ("creating", "open")):
        if payment.expires_at and payment.expires_at < late:
            yield Finding(
                "every payment comes to an end", payment.public_id, f"{payment.status} since {payment.created_at:%F %R}"
            )
    for refund in Refund.select().where(
        (Refund.provider == "stripe") & (Refund.status << ("todo", "sent")) & (Refund.created_at < late)
    ):
        if not _waits_for_a_person(refund, late):
            yield Finding("every refund is sent", refund.public_id, f"{refund.status} since {refund.created_at:%F %R}")
    for stay in Reservation.select().where((Reservation.status == "pending") & (Reservation.hold_until < late)):
        told = Alert.select().where((Alert.reservation == stay.id) & (Alert.kind == "part paid, hold over")).exists()
        live = (
            Payment.select().where((Payment.reservation == stay.id) & (Payment.status << states.LIVE_PAYMENT)).exists()
        )
        if not told and not live:
            yield Finding("every hold comes to an end", stay.code, f"over since {stay.hold_until:%F %R}")
    for event in WebhookEvent.select().where(
        WebhookEvent.processed_at.is_null()
        & (unindexed(WebhookEvent.received_at) < WebhookEvent.received_at.db_value(late))
    ):
        yield Finding(
            "every message from Stripe has its effect", event.event_id, f"{event.result}, {event.tries} tries"
        )


def _waits_for_a_person(refund: Refund, late: datetime) -> bool:
    """While a bank disputes the payment, or did until a moment ago, and after Stripe refused."""
    just_ended = (Dispute.payment == refund.payment_id) & (Dispute.updated_at > late)
    disputed = money_back.dispute_of(refund.payment) or Dispute.select().where(just_ended).exists()
    told = Alert.select().where((Alert.kind == "refund refused by Stripe") & (Alert.cause == refund.public_id)).exists()
    return bool(disputed or told)


CHECKS: tuple[Check, ...] = (
    paid_is_the_sum_of_kept_payments,
    confirmed_stays_are_paid,
    stays_own_their_nights,
    refunds_stay_within_payments,
    returned_money_goes_back_whole,
    cancellations_return_what_was_promised,
    audit_log_replays,
    nothing_is_stuck,
)


def audit_for_worker(deps: Deps) -> int:
    """Every night: check, compare, and raise one alert for each finding; how many."""
    findings = audit(deps, since=deps.now() - timedelta(days=35))
    with transaction():
        for finding in findings:
            raise_alert("books", f"{finding.rule}: {finding.row}: {finding.what}", now=deps.now(), what=finding.what)
    return len(findings)
