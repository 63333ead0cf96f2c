"""The books: every invariant that must hold, checked by looking. A finding names the row that breaks it.

What is on its way is given time: a row that a worker would finish within minutes is not a finding."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN, fn

from portal.db import transaction
from portal.deps import Deps
from portal.domain import hotel_time, states
from portal.models import (
    Alert,
    AuditLog,
    Cancellation,
    Dispute,
    Payment,
    Refund,
    Reservation,
    RoomNight,
    WebhookEvent,
)
from portal.services import books_at_stripe, money_back
from portal.services.alerts import raise_alert
from portal.services.findings import WORKER_TIME, Finding
from portal.services.money_back import MoneyBack

WHY_MONEY_STAYS = ("refund failed", "refund refused by Stripe", "promised refund not sent")
"""Alerts that explain why less goes back than was promised."""

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
    kept: Counter[int] = Counter()
    for payment in Payment.select(Payment.reservation, Payment.amount).where(Payment.disposition == "kept"):
        kept[payment.reservation_id] += payment.amount
    for stay in Reservation.select(Reservation.id, Reservation.code, Reservation.paid):
        if stay.paid != kept[stay.id]:
            yield Finding("paid is the sum of the kept payments", stay.code, f"paid {stay.paid}, kept {kept[stay.id]}")


def confirmed_stays_are_paid(_: Deps) -> Iterator[Finding]:
    for row in Reservation.select().where(
        (Reservation.status == "confirmed") & (Reservation.paid != Reservation.total)
    ):
        yield Finding("a confirmed stay is paid", row.code, f"paid {row.paid} of {row.total}")
    for row in Reservation.select().where((Reservation.status == "expired") & (Reservation.paid > 0)):
        yield Finding("an expired stay has no money of the guest's", row.code, f"paid {row.paid}")


def stays_own_their_nights(_: Deps) -> Iterator[Finding]:
    owned = Counter(row.reservation_id for row in RoomNight.select(RoomNight.reservation))
    for row in Reservation.select(
        Reservation.id, Reservation.code, Reservation.status, Reservation.check_in, Reservation.check_out
    ):
        holds = row.status in ("pending", "confirmed")
        wanted = len(hotel_time.nights(row.check_in, row.check_out)) if holds else 0
        if owned[row.id] != wanted:
            yield Finding(
                "a held or confirmed stay owns all its nights, others none", row.code, f"{owned[row.id]} of {wanted}"
            )


def refunds_stay_within_payments(_: Deps) -> Iterator[Finding]:
    for payment in Payment.select().where(Payment.status == "succeeded"):
        back = money_back.on_its_way(payment)
        if back > (payment.received_amount or payment.amount):
            yield Finding("no more goes back than came in", payment.public_id, f"{back} of {payment.received_amount}")


def returned_money_goes_back_whole(_: Deps) -> Iterator[Finding]:
    """Unless a person has been told why it does not: a failed refund, a dispute."""
    for payment in Payment.select().where(Payment.disposition == "returned"):
        back = money_back.on_its_way(payment)
        told = _is_told(payment)
        if back < (payment.received_amount or 0) and not told:
            yield Finding(
                "money that may not be kept goes back whole", payment.public_id, f"{back} of {payment.received_amount}"
            )


def _is_told(payment: Payment) -> bool:
    """Whether a person knows why money does not go back: its refund failed or was refused, or a bank disputes it."""
    # That somebody's own refund at Stripe failed explains nothing about ours.
    others = Refund.select(Refund.public_id).where((Refund.payment == payment.id) & (Refund.kind == "external"))
    about_ours = (Alert.kind == "promised refund not sent") | Alert.cause.not_in(others)
    alerts = Alert.select().where((Alert.payment == payment.id) & (Alert.kind << WHY_MONEY_STAYS) & about_ours)
    return bool(alerts.exists() or money_back.dispute_of(payment))


def cancellations_return_what_was_promised(_: Deps) -> Iterator[Finding]:
    for row in Cancellation.select(Cancellation, Reservation).join(Reservation):
        stay = row.reservation
        if row.percent is not None and row.refund_target != stay.paid * row.percent // 100:
            yield Finding(
                "a cancellation follows its tier", stay.code, f"{row.refund_target} of {stay.paid} at {row.percent} %"
            )
        money = MoneyBack(stay)
        missing = money.still_promised()
        if missing and not any(_is_told(payment) for payment in money.kept):
            yield Finding(
                "a cancellation returns what was promised", stay.code, f"{missing} of {row.refund_target} missing"
            )


def audit_log_replays(_: Deps) -> Iterator[Finding]:
    for model, name in ((Reservation, Reservation.code), (Payment, Payment.public_id), (Refund, Refund.public_id)):
        mine = AuditLog.entity == model.__name__.lower()
        newest = AuditLog.select(fn.MAX(AuditLog.id)).where(mine).group_by(AuditLog.entity, AuditLog.entity_id)
        last = AuditLog.alias()
        same = (last.entity_id == name) & (last.id << newest)
        rows: Any = model.select(name, model.status, last.to_state).join(last, JOIN.LEFT_OUTER, on=same)
        differs = last.to_state.is_null() | (last.to_state != model.status)
        for public_name, now, logged in rows.where(differs).tuples().iterator():
            yield Finding("the audit log replays to the present", public_name, f"{logged} in the log, {now} now")


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
    for event in WebhookEvent.select().where(WebhookEvent.processed_at.is_null() & (WebhookEvent.received_at < late)):
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
