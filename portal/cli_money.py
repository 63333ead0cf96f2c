"""Commands about money, for staff: each shows its effect first and asks before it acts."""

import argparse
import json
import sys
from datetime import timedelta
from typing import Any

from portal import db
from portal.deps import Deps
from portal.domain import money
from portal.domain.guest_match import show_code
from portal.gateways.stripe_gateway import StripeUnavailable
from portal.models import Alert, Payment, Refund
from portal.services import (
    alerts,
    books,
    cancellations,
    money_back,
    reconciliation,
    refund_sending,
    reservations,
    restored,
    staff_refunds,
)
from portal.services.cancellations import MayNotCancel, QuoteChanged
from portal.services.staff_refunds import BadRefund

ACTOR = "command line"


class NotConfirmed(Exception):
    """The person said no, or could not be asked."""


def show_sum(amount: int, currency: str) -> str:
    """Minor units as a terminal shows them: EUR 1125.00."""
    digits = money.exponent(currency)
    return f"{currency} {amount / 10**digits:.{digits}f}"


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal; NotConfirmed unless the answer is yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotConfirmed("Nothing was done. Add --yes to do it without being asked.")
    if input(f"{question} Type yes: ").strip().lower() != "yes":
        raise NotConfirmed("Nothing was done.")


def cancel(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        stay = reservations.get_by_code(arguments.code)
        if why := cancellations.why_not(deps, stay, staff=True):
            raise LookupError(f"{show_code(stay.code)} is {why}: there is nothing to cancel. Nothing was done.")
        other = arguments.refund
        if other is not None and other < 0:
            raise LookupError("--refund must be 0 or more, in minor units. Nothing was done.")
        quote = cancellations.quote(deps, stay, other=other)
        if other is not None and quote.due != other:
            raise BadRefund(f"At most {quote.due} can still go back, not {other}. Nothing was done.")
        print(f"{show_code(stay.code)}, {stay.status}, {stay.check_in} to {stay.check_out}")
        rule = (
            "sum chosen by staff" if quote.percent is None else f"{quote.percent} %, {quote.days} days before check-in"
        )
        paid, already = show_sum(quote.paid, stay.currency), show_sum(quote.already_back, stay.currency)
        print(f"paid {paid}, already returned {already}")
        print(f"refund now {show_sum(quote.due, stay.currency)} ({rule}); the nights are freed; the guest is told")
        confirm("Cancel this stay?", yes=arguments.yes)
        try:
            cancellations.cancel(
                deps,
                stay.id,
                percent=quote.percent,
                due=quote.due,
                actor=ACTOR,
                reason=arguments.reason,
                staff=True,
                other=other,
            )
        except QuoteChanged as changed:
            now = show_sum(changed.quote.due, stay.currency)
            raise NotConfirmed(f"The refund has changed meanwhile, it is {now} now. Nothing was done.") from None
        except MayNotCancel as refusal:
            raise LookupError(f"{show_code(stay.code)} is {refusal.why} by now. Nothing was done.") from None
        print("Cancelled.")
        _show_refunds(stay.id)


def refund(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        payment = staff_refunds.find_refundable(arguments.payment)
        received = payment.received_amount or payment.amount
        left = max(0, money_back.of_payment(payment).left(payment))
        amount = left if arguments.amount is None else arguments.amount
        currency = payment.received_currency or payment.currency
        whose = f"{payment.public_id} of {show_code(payment.reservation.code)}"
        print(f"{whose}: came in {show_sum(received, currency)}")
        print(f"can still go back {show_sum(left, currency)}; refund now {show_sum(amount, currency)}")
        print("The stay is left as it is.")
        confirm("Send this refund?", yes=arguments.yes)
        row = staff_refunds.refund_by_staff(deps, payment.id, amount, reason=arguments.reason, actor=ACTOR)
        refund_sending.send_due(deps, payment.reservation)
        row = Refund.get_by_id(row.id)
        print(f"{row.public_id}: {row.status}")


def retry(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        old = _get_refund(arguments.refund)
        why = old.failure_reason or "no reason given"
        print(f"{old.public_id}: {show_sum(old.amount, old.currency)}, {old.status} ({why})")
        confirm("Try this refund again?", yes=arguments.yes)
        row = staff_refunds.retry(deps, old.id, actor=ACTOR)
        refund_sending.send_due(deps, row.payment.reservation)
        row = Refund.get_by_id(row.id)
        print(f"{row.public_id}: {row.status}")


def hand_back(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        row = _get_refund(arguments.refund)
        print(f"{row.public_id}: {show_sum(row.amount, row.currency)} of a payment made in cash or by transfer")
        confirm("Has it been handed back?", yes=arguments.yes)
        staff_refunds.mark_handed_back(deps, row.id, actor=ACTOR)
        print("Recorded.")


def _get_refund(public_id: str) -> Refund:
    found: Refund | None = Refund.get_or_none(Refund.public_id == public_id.strip().upper())
    if found is None:
        raise LookupError(f"there is no refund {public_id}")
    return found


def _show_refunds(reservation_id: int) -> None:
    for row in Refund.select().join(Payment).where(Payment.reservation == reservation_id):
        print(f"{row.public_id}: {show_sum(row.amount, row.currency)} {row.status}")


def list_alerts(arguments: argparse.Namespace, _: Deps) -> int:
    with db.connection():
        lines = [_alert(alert) for alert in alerts.open_alerts()]
    if arguments.json:
        print(json.dumps(lines))
    elif not lines:
        print("Nothing needs attention.")
    else:
        for line in lines:
            details = ", ".join(f"{name} {value}" for name, value in line["details"].items() if value not in (None, ""))
            due = f", due by {line['due_by']}" if line["due_by"] else ""
            print(f"{line['id']}: {line['kind']}, {line['reservation'] or line['cause']}{due} ({details})")
    return 0


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "cause": alert.cause,
        "reservation": show_code(alert.reservation.code) if alert.reservation else None,
        "payment": alert.payment.public_id if alert.payment else None,
        "due_by": alert.due_by.isoformat() if alert.due_by else None,
        "created_at": alert.created_at.isoformat(),
        "details": alert.details,
    }


def close_alert(arguments: argparse.Namespace, deps: Deps) -> None:
    with db.connection():
        try:
            closed = alerts.close_alert(arguments.id, actor=arguments.who, why=arguments.why, now=deps.now())
        except ValueError as problem:
            raise LookupError(f"Please {problem}. Nothing was done.") from None
    print(f"Closed: {closed.kind}.")


def reconcile(arguments: argparse.Namespace, deps: Deps) -> int:
    def show(kind: str, number: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{kind}: {number}   ", end="", file=sys.stderr, flush=True)

    with db.connection():
        since = deps.now() - arguments.since if arguments.since else reconciliation.since_last_time(deps)
        report = reconciliation.reconcile(deps, since, show)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for kind, number in report.looked_at.items():
        print(f"{kind}: {number}")
    print(f"open sessions closed: {report.sessions_closed}")
    if report.failed:
        print(f"{report.failed} could not be settled: see `python -m portal alerts`.", file=sys.stderr)
    with db.connection():
        if restored.is_unreconciled():
            oldest = f"{reconciliation.since_last_time(deps):%Y-%m-%d %H:%M} UTC"
            print(f"The restored backup still waits: everything since {oldest} has to be settled.", file=sys.stderr)
            return 1
    return 1 if report.failed else 0


def audit(arguments: argparse.Namespace, deps: Deps) -> int:
    with db.connection():
        since = None if arguments.offline else deps.now() - arguments.since
        try:
            findings = books.audit(deps, since=since)
        except StripeUnavailable:
            print("Stripe cannot be reached, so the books were not compared. Try --offline.", file=sys.stderr)
            return 2
    if arguments.json:
        print(json.dumps([finding.__dict__ for finding in findings]))
    else:
        for finding in findings:
            print(f"{finding.rule}: {finding.row}: {finding.what}")
        print("The books are right." if not findings else f"{len(findings)} findings.")
    return 1 if findings else 0


def duration(text: str) -> timedelta:
    """48h, 35d or 90m."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and unit in units and int(number) <= 100_000):
        raise argparse.ArgumentTypeError("must be a number and m, h or d, such as 48h")
    return timedelta(**{units[unit]: int(number)})
