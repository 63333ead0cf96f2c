"""Do our rows agree with what Stripe knows? Every sentence that comes back is a defect."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from portal.domain import hotel_time
from portal.models import AuditLog, Hotel, Payment, Refund, Reservation, RoomNight

Doc = dict[str, Any]
ENDED = ("failed", "canceled")


def books_agree(truth: Doc, *only: Reservation) -> None:
    """AssertionError with every difference between our database and Stripe's truth, once all has settled; of these
    stays, or of all."""
    truth = {**truth, **{kind: ours(truth[kind], *only) for kind in ("sessions", "payment_intents")}}
    stays = list(Reservation.select().where(Reservation.id << [stay.id for stay in only]) if only else Reservation)
    problems = [*_sessions(truth), *_intents(truth)]
    for stay in stays:
        problems += [*_payments(stay, truth), *_stay(stay), *_audit(stay)]
    assert not problems, "\n".join(problems)


def ours(docs: list[Doc], *only: Reservation) -> list[Doc]:
    """Those that name this installation, and one of these stays."""
    installation, codes = Hotel.get_by_id(1).installation, {stay.code for stay in only}
    mine = [doc for doc in docs if doc["metadata"].get("portal") == installation]
    return [doc for doc in mine if not codes or doc["metadata"]["reservation"] in codes]


def open_sessions(truth: Doc, reservation: Reservation) -> list[str]:
    """What a guest could pay at this moment for this stay."""
    return [session["id"] for session in ours(truth["sessions"], reservation) if session["status"] == "open"]


def _row_of(doc: Doc) -> Payment | None:
    found: Payment | None = (
        Payment.select()
        .join(Reservation)
        .where((Payment.public_id == doc["metadata"]["payment"]) & (Reservation.code == doc["metadata"]["reservation"]))
        .get_or_none()
    )
    return found


def _sessions(truth: Doc) -> Iterator[str]:
    known = truth["sessions"]
    for session in known:
        row = _row_of(session)
        if row is None:
            yield f"{session['id']} ({session['status']}) has no payment row"
            continue
        told = (session["id"], session["amount_total"], session["currency"].upper())
        if told != (row.session_id, row.amount, row.currency):
            yield f"{row.public_id}: {(row.session_id, row.amount, row.currency)} is {told} at Stripe"
        if session["payment_intent"] and row.payment_intent_id != session["payment_intent"]:
            yield f"{row.public_id}: payment intent {row.payment_intent_id} is {session['payment_intent']} at Stripe"
        yield from _state_of(session, row)
    for name, count in Counter(s["metadata"]["payment"] for s in known).items():
        if count > 1:
            yield f"{name} has {count} sessions at Stripe"
    for code, count in Counter(s["metadata"]["reservation"] for s in known if s["status"] == "open").items():
        if count > 1:
            yield f"{code} has {count} open sessions at Stripe"


def _state_of(session: Doc, row: Payment) -> Iterator[str]:
    paid = session["status"] == "complete" and session["payment_status"] == "paid"
    expected = {"open": ("open",), "expired": ("expired", "failed"), "complete": ("processing", "failed")}
    if row.status not in (("succeeded",) if paid else expected[session["status"]]):
        yield f"{row.public_id} is {row.status}, its session {session['status']} and {session['payment_status']}"
    if session["status"] == "open":
        stay = row.reservation
        if not row.is_live or stay.status != "pending" or stay.amount_due != row.amount:
            yield f"{session['id']} may be paid, but {stay.code} is {stay.status} with {stay.amount_due} due"


def _intents(truth: Doc) -> Iterator[str]:
    for intent in truth["payment_intents"]:
        row = _row_of(intent)
        if row is None:
            yield f"{intent['id']} has no payment row"
        elif intent["status"] == "succeeded":
            yield from _money(truth, intent, row)
        elif row.status == "succeeded":
            yield f"{row.public_id} succeeded, but {intent['id']} is {intent['status']}"


def _money(truth: Doc, intent: Doc, row: Payment) -> Iterator[str]:
    at_stripe = (intent["id"], intent["latest_charge"], intent["amount_received"], intent["currency"].upper())
    if at_stripe != (row.payment_intent_id, row.charge_id, row.received_amount, row.received_currency):
        yield f"{row.public_id}: money and ids differ from {at_stripe}"
    if row.status != "succeeded" or row.disposition not in ("kept", "returned"):
        yield f"{row.public_id}: Stripe took {intent['amount_received']}, we say {row.status} {row.disposition}"
    back = [refund for refund in truth["refunds"] if refund["payment_intent"] == intent["id"]]
    at_stripe_back = sum(refund["amount"] for refund in back if refund["status"] not in ENDED)
    mine = [refund for refund in Refund.select().where(Refund.payment == row.id) if refund.status not in ENDED]
    if row.disposition == "returned":
        unsent = sum(refund.amount for refund in mine if refund.stripe_id is None)
        if unsent + at_stripe_back != intent["amount_received"]:
            yield f"{row.public_id}: {intent['amount_received']} must go back, {unsent} + {at_stripe_back} does"
    at_stripe_now = sorted((refund["id"], refund["amount"], refund["status"]) for refund in back)
    here_now = sorted(
        (r.stripe_id, r.amount, r.status) for r in Refund.select().where(Refund.payment == row.id) if r.stripe_id
    )
    if here_now != at_stripe_now:
        yield f"{row.public_id}: refunds {here_now} are {at_stripe_now} at Stripe"
    if sum(refund.amount for refund in mine) > intent["amount_received"]:
        yield f"{row.public_id}: more goes back than came"


def _payments(stay: Reservation, truth: Doc) -> Iterator[str]:
    sessions = {session["id"] for session in truth["sessions"]}
    for row in Payment.select().where((Payment.provider == "stripe") & (Payment.reservation == stay.id)):
        if row.status == "creating":
            yield f"{row.public_id} is still creating"
        if row.session_id and row.session_id not in sessions:
            yield f"{row.public_id}: Stripe knows no {row.session_id}"
        if row.status in ("open", "succeeded") and not row.session_id:
            yield f"{row.public_id} is {row.status} without a session"


def _stay(stay: Reservation) -> Iterator[str]:
    rows = list(Payment.select().where(Payment.reservation == stay.id).order_by(Payment.session_number))
    kept = sum(row.amount for row in rows if row.disposition == "kept")
    paid_in_full = stay.status == "cancelled" or (stay.status == "confirmed") == (kept == stay.total)
    if stay.paid != kept or not paid_in_full:
        yield f"{stay.code} is {stay.status}, paid {stay.paid}, kept {kept} of {stay.total}"
    if sum(row.is_live for row in rows) > 1:
        yield f"{stay.code} has several live payments"
    if [row.session_number for row in rows] != list(range(1, len(rows) + 1)):
        yield f"{stay.code} numbers its sessions {[row.session_number for row in rows]}"
    owned = [n.night for n in RoomNight.select().where(RoomNight.reservation == stay.id).order_by(RoomNight.night)]
    should = stay.status in ("pending", "confirmed")
    if owned != (list(hotel_time.nights(stay.check_in, stay.check_out)) if should else []):
        yield f"{stay.code} is {stay.status} and owns {len(owned)} nights"


def _audit(stay: Reservation) -> Iterator[str]:
    """Replaying the log gives the present state of every row."""
    rows = list(Payment.select().where(Payment.reservation == stay.id))
    refunds = Refund.select().where(Refund.payment << [row.id for row in rows])
    now = {stay.code: stay.status} | {row.public_id: row.status for row in (*rows, *refunds)}
    last: dict[str, str] = {}
    for entry in AuditLog.select().where(AuditLog.entity_id << list(now)).order_by(AuditLog.id):
        if entry.from_state != last.get(entry.entity_id):
            yield f"{entry.entity_id} was {last.get(entry.entity_id)}: {entry.from_state} → {entry.to_state}"
        last[entry.entity_id] = entry.to_state
    if now != last:
        yield f"{stay.code}: the rows say {now}, the log says {last}"
