"""Every named constraint refuses something: what the database promises holds whatever the code above it thinks."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import peewee
import pytest

from portal.db import savepoint, transaction
from portal.deps import Deps
from portal.models import (
    TABLES,
    Alert,
    Cancellation,
    Dispute,
    Hotel,
    Lease,
    Note,
    OutgoingMail,
    Payment,
    RateBucket,
    Refund,
    Reservation,
    ReservationLine,
    Room,
    RoomNight,
    Staff,
    Table,
    WebhookEvent,
)

Values = dict[str, Any]


@pytest.fixture
def known(deps: Deps, make_reservation: Callable[..., Reservation]) -> Iterator[dict[type[Table], Values]]:
    """For each table values that it takes."""
    now, reservation = deps.now(), make_reservation()
    times = {"created_at": now, "updated_at": now}
    room = {"name": "Attic", "capacity": 1}
    payment = {
        "public_id": "PAY-1", "reservation": reservation, "amount": 1, "currency": "EUR", "status": "open", "session_number": 1,
        "attempt_number": 1, "idempotency_key": "pay:1", "session_id": "cs_1", "payment_intent_id": "pi_1", "created_at": now,
    }  # fmt: skip
    with transaction():
        made = Payment.create(**payment)
        refund = {
            "public_id": "REF-1", "payment": made, "kind": "staff", "amount": 1, "currency": "EUR", "idempotency_key": "ref:1",
            "stripe_id": "re_1", "requested_by": "test", **times,
        }  # fmt: skip
        Refund.create(**refund)
        yield {
            Hotel: dict(Hotel.get_by_id(1).__data__),
            Room: room,
            Reservation: {
                **{name: value for name, value in reservation.__data__.items() if name != "id"},
                "code": "ANOTHER00000",
            },
            Payment: {**payment, "public_id": "PAY-2", "status": "expired", "session_number": 2, "idempotency_key": "pay:2",
                      "session_id": "cs_2", "payment_intent_id": "pi_2"},
            Refund: {**refund, "public_id": "REF-2", "idempotency_key": "ref:2", "stripe_id": "re_2"},
            Cancellation: {"reservation": reservation, "actor": "x", "local_date": date(2026, 1, 1), "zone": "UTC", "refund_target": 0, "refund_due": 0, "created_at": now},
            WebhookEvent: {"event_id": "evt_1", "type": "x", "created": now, "livemode": False, "payload_hash": "", "payload": "{}",
                           "received_at": now, "result": "pending"},
            Alert: {"kind": "x", "cause": "x", "created_at": now},
            Staff: {"email": "x@y.example", "role": "manager", "password_hash": "x", "password_changed_at": now, "created_at": now},
        }  # fmt: skip


def refuses(act: Callable[[], object]) -> str:
    """What the engine says when it refuses; empty when it does not. Nothing stays."""
    try:
        with savepoint():
            act()
            raise ZeroDivisionError
    except ZeroDivisionError:
        return ""
    except peewee.IntegrityError as error:
        return str(error)


BREAKS: dict[str, tuple[type[Table], list[Values]]] = {
    "hotel_one_row": (Hotel, [{"id": 2, "installation": "another"}]),
    "room_capacity_positive": (Room, [{"capacity": 0}, {"capacity": -1}]),
    "reservation_paid_within_total": (Reservation, [{"paid": -1}, {"paid": 112_501}, {"total": -1, "paid": 0}]),
    "reservation_dates_in_order": (Reservation, [{"check_out": date(2000, 1, 1)}, {"check_in": date(2026, 1, 1), "check_out": date(2026, 1, 1)}]),
    "reservation_guests": (Reservation, [{"adults": 0}, {"children": -1}]),
    "reservation_extra_attempts": (Reservation, [{"extra_attempts": -1}]),
    "reservation_status": (Reservation, [{"status": "paid"}, {"status": ""}, {"status": "Confirmed"}]),
    "payment_status": (Payment, [{"status": "paid"}]),
    "payment_provider": (Payment, [{"provider": "paypal"}]),
    "payment_disposition": (Payment, [{"status": "succeeded", "disposition": "lost"}]),
    "payment_money_has_disposition": (Payment, [{"status": "succeeded"}, {"disposition": "kept"}]),
    "payment_amount_positive": (Payment, [{"amount": 0}, {"amount": -1}]),
    "refund_status": (Refund, [{"status": "refunded"}]),
    "refund_kind": (Refund, [{"kind": "gift"}]),
    "refund_provider": (Refund, [{"provider": "paypal"}]),
    "refund_amount_positive": (Refund, [{"amount": 0}, {"amount": -1}]),
    "cancellation_refund_due": (Cancellation, [{"refund_due": -1}]),
    "webhook_event_result": (WebhookEvent, [{"result": "duplicate"}]),
    "webhook_event_payload_until_processed": (WebhookEvent, [{"processed_at": "created"}]),
    "alert_closed_by_a_person": (Alert, [{"closed_at": "created_at"}, {"closed_at": "created_at", "closed_by": "Rita"}, {"closed_at": "created_at", "why_closed": "x"}]),
    "staff_role": (Staff, [{"role": "owner"}]),
}  # fmt: skip


def test_each_check_refuses_what_it_is_named_for(known: dict[type[Table], Values]) -> None:
    for name, (table, changes) in BREAKS.items():
        good = known[table]
        if table is not Hotel:  # there can be no second one
            assert refuses(lambda table=table, good=good: table.create(**good)) == "", table
        for change in changes:
            values = {
                key: good[value] if value in ("created", "created_at") else value for key, value in change.items()
            }
            said = refuses(lambda table=table, good=good, values=values: table.insert(**{**good, **values}).execute())
            assert name in said, (name, change, said)


def test_no_check_is_left_out() -> None:
    named = {re.findall(r"CONSTRAINT (\w+)", sql.sql)[0] for table in TABLES for sql in table._meta.constraints or ()}
    assert named == set(BREAKS)


def test_what_is_named_once_cannot_be_named_again(known: dict[type[Table], Values], deps: Deps) -> None:
    now = deps.now()
    for table, column in (
        *((Payment, name) for name in ("public_id", "idempotency_key", "session_id", "payment_intent_id")),
        *((Refund, name) for name in ("public_id", "idempotency_key", "stripe_id")),
        (Reservation, "code"),
    ):
        there = table.select().first().__data__[column]
        assert refuses(lambda t=table, c=column, v=there: t.create(**{**known[t], c: v})), (table, column)
    twice: tuple[tuple[type[Table], Values], ...] = (
        (Room, {"name": "Garden room"}),
        (ReservationLine, {"reservation": 1, "position": 0, "label": "x", "amount": 1}),
        (Payment, {**known[Payment], "session_number": 1}),
    )
    for table, values in twice:
        assert refuses(lambda t=table, v=values: t.create(**v)), table
    fresh: tuple[tuple[type[Table], Values], ...] = (
        (Refund, {**known[Refund], "retry_of": 1}),
        (Cancellation, known[Cancellation]),
        (WebhookEvent, known[WebhookEvent]),
        (Staff, known[Staff]),
        (OutgoingMail, {"kind": "x", "cause": "x", "recipient": "x", "locale": "x", "created_at": now}),
        (RateBucket, {"key": "x", "window_start": now, "hits": 1}),
        (Dispute, {"payment": 1, "stripe_id": "dp_1", "amount": 1, "currency": "EUR", "status": "lost", "created_at": now, "updated_at": now}),
        (Lease, {"name": "x", "until": now}),
    )  # fmt: skip
    for table, values in fresh:
        table.insert(**values).execute()
        again = (
            {**values, "public_id": "REF-3", "idempotency_key": "ref:3", "stripe_id": "re_3"}
            if table is Refund
            else values
        )
        assert refuses(lambda t=table, v=again: t.insert(**v).execute()), table


def test_no_row_points_to_nothing(known: dict[type[Table], Values]) -> None:
    assert refuses(lambda: Reservation.delete().execute())
    nothing: tuple[tuple[type[Table], Values], ...] = (
        (Payment, {"reservation": 999}),
        (Refund, {"payment": 999}),
        (Refund, {"retry_of": 999}),
        (Reservation, {"room": 999}),
        (Cancellation, {"reservation": 999}),
        (Alert, {"payment": 999}),
        (WebhookEvent, {"reservation": 999}),
    )
    for table, change in nothing:
        said = refuses(lambda t=table, c=change: t.create(**{**known[t], **c}))
        assert "foreign key" in said.lower(), (table, change, said)
    night = RoomNight.select().first()
    assert refuses(lambda: RoomNight.create(room=999, night=night.night, reservation=None))
    assert refuses(lambda: Note.create(reservation=1, staff=999, text="x", created_at=known[Alert]["created_at"]))
    assert refuses(lambda: Room.delete().where(Room.id == night.room_id).execute())


def test_a_blocked_night_is_taken_too_and_another_is_free(known: dict[type[Table], Values]) -> None:
    night = RoomNight.select().order_by(RoomNight.night.desc()).first()
    assert refuses(lambda: RoomNight.create(room=night.room_id, night=night.night, reservation=None))
    blocked = lambda: RoomNight.create(room=night.room_id, night=night.night + timedelta(days=1), reservation=None)  # noqa: E731
    assert refuses(blocked) == ""
    blocked()
    assert refuses(blocked)
