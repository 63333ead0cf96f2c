"""After the nights of a few years nothing in the database says who a guest was, and the books are still right."""

from collections.abc import Callable
from datetime import timedelta

import peewee
import pytest

from portal import jobs
from portal.db import transaction
from portal.models import (
    TABLES,
    Alert,
    ApiAnswer,
    Cancellation,
    Hotel,
    Note,
    OutgoingMail,
    Payment,
    RateBucket,
    Refund,
    Reservation,
    StaffSession,
    WebhookEvent,
)
from portal.services import anonymise, forgetting, mails, password_resets, staff_sessions, throttle
from portal.services.alerts import raise_alert
from tests.actors import Clock, rows
from tests.mailbox import Mailbox
from tests.refunds.hotel import FAILS_LATER, Hotelier
from tests.staff.desk import hire

Make = Callable[..., Reservation]

PHONE = "+351 912 345 678"
PERSONAL = ("inês", "ines@", "carvalho", "912 345 678", "912345678", "jam allergy", "why she cancelled")


def found_in_database(words: tuple[str, ...]) -> list[str]:
    """Table and column of every text that holds one of these words, whatever the column is for."""
    hits = []
    for table in TABLES:
        for field in table._meta.sorted_fields:
            if isinstance(field, peewee.TextField | peewee.CharField | peewee.BlobField):
                for (value,) in table.select(field).tuples():
                    text = (
                        bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
                    )
                    if any(word in text.casefold() for word in words):
                        hits.append(f"{table.__name__}.{field.name}")
    return sorted(set(hits))


def test_nothing_says_who_the_guest_was(
    hotel: Hotelier, clock: Clock, mailbox: Mailbox, make_reservation: Make
) -> None:
    deps, person = hotel.deps, hire(hotel.deps, "manager")
    stay = make_reservation(phone=PHONE, send_link=True)
    walked_away = make_reservation(room="River room", phone=PHONE)
    hotel.stripe.pay(hotel.opens_session(stay), "4000000000000002")
    hotel.opens_session(walked_away)
    paid = hotel.is_paid(stay)
    Note.create(reservation=stay, staff=person, text="Inês has a jam allergy", created_at=clock.now())
    hotel.cancels(stay)
    Cancellation.update(reason="why she cancelled").execute()
    mails.queue_links_for(deps, stay.email)
    hotel.works()
    hotel.hears()
    staff_sessions.start(deps, person, device="Carvalho's phone")
    password_resets.ask(deps, person.email, address="203.0.113.9")
    throttle.hit(deps, throttle.LINKS_OF_EMAIL, stay.email)
    ApiAnswer.create(
        token="1", key="k", body_hash="h", status=201, body=f'{{"email":"{stay.email}"}}', created_at=clock.now()
    )
    WebhookEvent.create(
        event_id="evt_stuck",
        type="charge.refunded",
        created=clock.now(),
        livemode=False,
        payload_hash="h",
        payload=f'{{"receipt_email": "{stay.email}"}}',
        received_at=clock.now(),
        result="error",
        next_try_at=clock.now() + timedelta(days=4_000),
    )
    assert len(found_in_database(PERSONAL)) >= 8, "there is something to forget"
    assert "Payment.params" not in found_in_database(("ines@",)) or rows(Payment, reservation=walked_away.id)

    before = [(row.public_id, row.amount, row.status) for table in (Payment, Refund) for row in rows(table)]
    clock.advance(days=100)
    mailbox.taken.clear()
    _nightly(hotel)
    kept = found_in_database(PERSONAL)
    assert {place.split(".")[0] for place in kept} <= {
        "Reservation",
        "ReservationWord",
        "Note",
        "Cancellation",
        "OutgoingMail",
    }
    assert "WebhookEvent.payload" not in kept
    assert rows(ApiAnswer) == rows(StaffSession) == []
    assert {mail.recipient for mail in rows(OutgoingMail)} == {""}, "whom it went to is known for 30 days"

    clock.advance(days=30 + 3 + 730)
    _nightly(hotel)
    assert found_in_database(PERSONAL) == []
    after = [(row.public_id, row.amount, row.status) for table in (Payment, Refund) for row in rows(table)]
    assert [row for row in after if row[0] == paid.public_id] == [row for row in before if row[0] == paid.public_id]
    assert len(after) == len(before)
    assert Reservation.get_by_id(stay.id).total == stay.total
    assert [bucket.key for bucket in rows(RateBucket) if "@" in bucket.key] == []


def _nightly(hotel: Hotelier) -> None:
    """What the worker does at night, and nothing that would ask a mail server or Stripe about years of nothing."""
    for job in jobs.JOBS:
        if job.name.startswith(("forget", "release", "ask about live", "close unwanted")):
            job.run(hotel.deps)


@pytest.mark.parametrize("setting", [None, 30])
def test_the_hotels_setting_wins(setting: int | None, hotel: Hotelier, clock: Clock, make_reservation: Make) -> None:
    Hotel.update(retention_days=setting).execute()
    stay = make_reservation(in_days=1)
    hotel.is_paid(stay)
    days = setting or hotel.deps.settings.retention_days
    clock.advance(days=1 + 3 + days)
    assert anonymise.forget_old_guests(hotel.deps) == 0
    clock.advance(days=1)
    assert anonymise.forget_old_guests(hotel.deps) == 1


def test_not_while_anything_is_open(hotel: Hotelier, clock: Clock, make_reservation: Make) -> None:
    Hotel.update(retention_days=30).execute()
    refund_fails, disputed = make_reservation(in_days=1), make_reservation(in_days=1, room="River room")
    hotel.is_paid(refund_fails, FAILS_LATER)
    hotel.is_paid(disputed)
    hotel.stripe.dispute(hotel.intent(disputed))
    hotel.hears()
    hotel.cancels(refund_fails, actor="staff", other=1_000)
    clock.advance(days=60)
    hotel.hears()
    whys = [anonymise.why_not(hotel.deps, Reservation.get_by_id(stay.id)) for stay in (refund_fails, disputed)]
    assert whys == ["alert", "dispute"]
    assert anonymise.forget_old_guests(hotel.deps) == 0
    names = {Reservation.get_by_id(stay.id).guest_name for stay in (refund_fails, disputed)}
    assert names == {"Inês Carvalho"}


def test_an_event_that_somebody_works_on_keeps_its_payload(hotel: Hotelier, clock: Clock) -> None:
    for event_id in ("evt_line", "evt_none"):
        WebhookEvent.create(
            event_id=event_id,
            type="x",
            created=clock.now(),
            livemode=False,
            payload_hash="h",
            payload="{}",
            received_at=clock.now(),
            result="error",
        )
    with transaction():
        raise_alert("webhook event keeps failing", "evt_line", now=clock.now(), type="x")
    clock.advance(days=91)
    (forget,) = [job for job in jobs.JOBS if job.name == "forget old webhook events"]
    assert forget.run(hotel.deps) == 1
    assert [row.event_id for row in rows(WebhookEvent)] == ["evt_line"]
    Alert.update(closed_at=clock.now(), closed_by="staff 1", why_closed="done").execute()
    assert forget.run(hotel.deps) == 1


def test_mails_that_nobody_sends_are_given_up_and_forgotten(
    hotel: Hotelier, clock: Clock, make_reservation: Make
) -> None:
    stay = make_reservation()
    with transaction():
        mails.queue(hotel.deps, "private_link", "x", stay)
    clock.advance(days=29)
    assert forgetting.forget_addresses_of_mails(hotel.deps) == 0
    clock.advance(days=2)
    assert forgetting.forget_addresses_of_mails(hotel.deps) == 1
    (mail,) = rows(OutgoingMail)
    assert (mail.recipient, mail.error_message, mail.given_up_at) == ("", "too old", clock.now())
    assert forgetting.forget_addresses_of_mails(hotel.deps) == 0
