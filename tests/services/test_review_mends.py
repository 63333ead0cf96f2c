"""What a review found, each told as somebody would have noticed it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from portal import jobs
from portal.db import transaction
from portal.deps import Deps
from portal.models import Alert, OutgoingMail, Payment, Refund, Reservation
from portal.services import (
    alerts,
    books,
    cancellations,
    checkout,
    checkout_sessions,
    mails,
    money_back,
    offline_payments,
    refund_sending,
    refunds,
    state,
)
from portal.services.checkout import GoToStripe
from stripe_simulator import Control
from tests import statements
from tests.actors import Clock, Guest, rows, session_of
from tests.mailbox import Mailbox, text_of

Make = Callable[..., Reservation]
PENDING_REFUNDS = "4000000000007726"


def is_paid(deps: Deps, stripe: Control, reservation: Reservation, card: str = "4242424242424242") -> Payment:
    target = checkout.start_checkout(deps, reservation.id, actor="guest")
    assert isinstance(target, GoToStripe)
    stripe.pay(session_of(target.url), card)
    checkout_sessions.ask(deps, rows(Payment, reservation=reservation.id)[-1], cause="test")
    payment: Payment = rows(Payment, reservation=reservation.id)[-1]
    assert payment.disposition == "kept"
    return payment


def cancels(deps: Deps, reservation: Reservation) -> None:
    quote = cancellations.quote(deps, Reservation.get_by_id(reservation.id))
    cancellations.cancel(deps, reservation.id, percent=quote.percent, due=quote.due, actor="guest")


def asked(stripe: Control, method: str) -> int:
    return sum(1 for r in stripe.requests() if r["method"] == method and r["path"].startswith("/v1/refunds"))


def two_waiting(deps: Deps, stripe: Control, make_reservation: Make) -> None:
    """Two refunds that could not be sent when the stays were cancelled, and are due again."""
    for room in ("Garden room", "River room"):
        reservation = make_reservation(room=room)
        is_paid(deps, stripe, reservation)
        stripe.fault("401", path="/v1/refunds", times=10)
        cancels(deps, reservation)
    stripe.clear_faults()
    assert [refund.status for refund in rows(Refund)] == ["todo", "todo"]


def test_when_stripe_is_away_one_refund_waits_for_it_and_not_all(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    two_waiting(deps, stripe, make_reservation)
    clock.advance(hours=1)
    before = asked(stripe, "GET")
    stripe.fault("401", path="/v1/refunds", times=10)
    assert refund_sending.send_due(deps) == 0
    assert asked(stripe, "GET") == before + 1
    stripe.clear_faults()
    assert refund_sending.send_due(deps) == 1, "the other one had not been tried yet"


def test_a_refund_that_cannot_be_followed_is_not_asked_about_without_a_pause(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    is_paid(deps, stripe, reservation, PENDING_REFUNDS)
    cancels(deps, reservation)
    assert rows(Refund)[0].status == "pending"
    clock.advance(hours=1)
    stripe.fault("401", method="GET", path="/v1/refunds", times=10)
    assert refund_sending.follow(deps) == 0
    stripe.clear_faults()
    assert refund_sending.follow(deps) == 0
    clock.advance(hours=1)
    assert refund_sending.follow(deps) == 1


def test_a_dispute_that_staff_have_dealt_with_does_not_come_back_with_its_end(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    payment = is_paid(deps, stripe, make_reservation())
    dispute = stripe.dispute(str(payment.payment_intent_id))
    jobs.run_once(deps)
    (alert,) = rows(Alert, kind="dispute")
    alerts.close_alert(alert.id, actor="staff", why="evidence sent", now=clock.now())
    stripe.move_dispute(dispute["id"], "won")
    clock.advance(hours=2)
    jobs.run_once(deps)
    assert [alert.cause for alert in rows(Alert, kind="dispute")] == [f"{dispute['id']}:needs_response"]


def test_an_alert_that_is_stored_late_is_mailed_to_staff_all_the_same(
    mailbox: Mailbox, deps: Deps, clock: Clock
) -> None:
    Alert.create(id=100, kind="books", cause="later number, stored first", created_at=clock.now())
    assert mails.queue_staff_alerts(deps) == 1
    Alert.create(id=50, kind="books", cause="earlier number, stored late", created_at=clock.now())
    clock.advance(hours=2)
    assert mails.queue_staff_alerts(deps) == 1
    assert [mail.details["alerts"] for mail in rows(OutgoingMail)] == [[100], [50]]


def test_the_stays_of_an_address_are_read_before_anything_is_locked(
    deps: Deps, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    reservation = make_reservation()
    with statements.in_order(monkeypatch) as happened:
        mails.queue_links_for(deps, reservation.email)
    assert "SELECT reservation" in happened[: happened.index(statements.BEGIN)]
    assert [mail.kind for mail in rows(OutgoingMail)] == ["private_link"]


def heard(deps: Deps, payment: Payment) -> None:
    """What Stripe says of its refunds now."""
    listed = deps.stripe.list_refunds(str(payment.payment_intent_id))
    with transaction():
        for seen in listed:
            refunds.settle_refund_inside(deps, seen, cause="test")


def test_a_mail_about_a_cancellation_does_not_say_that_a_failed_refund_goes_back(
    mailbox: Mailbox, deps: Deps, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    payment = is_paid(deps, stripe, reservation)
    cancels(deps, reservation)
    stripe.move_refund(rows(Refund)[0].stripe_id, "failed")
    heard(deps, payment)
    jobs.run_once(deps)
    (mail,) = (mail for mail in mailbox.taken if mail["Subject"] == "Your stay is cancelled")
    assert "Your refund needs a hand from us." in text_of(mail)
    assert "goes back to Visa" not in text_of(mail)


def test_a_warning_does_not_say_that_nothing_was_charged_while_a_payment_page_is_open(
    mailbox: Mailbox, deps: Deps, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    clock.advance(hours=21, minutes=50)
    assert isinstance(checkout.start_checkout(deps, reservation.id, actor="guest"), GoToStripe)
    clock.advance(minutes=15)
    assert mails.queue_hold_warnings(deps) == 1
    jobs.send_mails(deps)
    (mail,) = mailbox.taken
    assert "nothing was charged" not in text_of(mail)
    assert "If you have paid, you will see it on your reservation's page shortly." in text_of(mail)


def test_a_refund_that_staff_made_and_canceled_at_stripe_is_no_mail_to_the_guest(
    mailbox: Mailbox, deps: Deps, stripe: Control, make_reservation: Make
) -> None:
    payment = is_paid(deps, stripe, make_reservation(), PENDING_REFUNDS)
    made = stripe.refund(str(payment.payment_intent_id), 1_000)
    heard(deps, payment)
    stripe.move_refund(made["id"], "canceled")
    heard(deps, payment)
    assert [alert.details["amount"] for alert in rows(Alert, kind="refund failed")] == [1_000]
    assert rows(OutgoingMail, kind="refund_failed") == []


def test_a_refund_that_went_out_although_its_row_was_given_up_is_counted(
    deps: Deps, stripe: Control, make_reservation: Make
) -> None:
    payment = is_paid(deps, stripe, make_reservation())
    with transaction():
        given_up = refunds.insert(deps, payment, kind="staff", amount=1_000, reason="", requested_by="staff")
        state.move(given_up, "canceled", actor="portal", cause="test", now=deps.now())
    stripe.refund(str(payment.payment_intent_id), 1_000, metadata={"refund": given_up.public_id})
    heard(deps, payment)
    assert [(row.kind, row.status) for row in rows(Refund)] == [("staff", "canceled"), ("external", "succeeded")]
    assert money_back.on_its_way(payment) == 1_000


def test_a_guest_who_is_paying_while_the_books_are_checked_is_no_finding(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    target = checkout.start_checkout(deps, make_reservation().id, actor="guest")
    assert isinstance(target, GoToStripe)
    clock.advance(minutes=20)
    stripe.pay(session_of(target.url))
    assert books.audit(deps, since=clock.now() - timedelta(days=1)) == []
    clock.advance(minutes=40)
    found = {finding.rule for finding in books.audit(deps, since=clock.now() - timedelta(days=1))}
    assert "what is paid at Stripe is paid here" in found


def test_a_refund_made_at_stripe_a_moment_ago_is_no_finding(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    payment = is_paid(deps, stripe, make_reservation())
    stripe.refund(str(payment.payment_intent_id), 1_000)
    assert books.audit(deps, since=clock.now() - timedelta(days=1)) == []
    clock.advance(minutes=20)
    (finding,) = books.audit(deps, since=clock.now() - timedelta(days=1))
    assert finding.rule == "every refund at Stripe is in our books"


def test_another_fault_of_the_same_row_is_another_alert(deps: Deps, make_reservation: Make) -> None:
    reservation = make_reservation()
    for status in ("confirmed", "expired"):  # past the one door, so the log does not know
        Reservation.update(status=status).where(Reservation.id == reservation.id).execute()
        books.audit_for_worker(deps)
    replays = [a.cause for a in rows(Alert, kind="books") if a.cause.startswith("the audit log")]
    assert replays == [
        f"the audit log replays to the present: {reservation.code}: pending in the log, {status} now"
        for status in ("confirmed", "expired")
    ]


def test_pages_do_not_tell_cash_as_a_card(deps: Deps, guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    offline_payments.record_offline(deps, reservation.id, 112_500, "staff")
    guest.opens_link(reservation)
    page = guest.goes_to(f"/reservations/{reservation.code}/cancel")
    assert "The hotel hands it back to you." in page.text
    assert "We send it to your bank" not in page.text
    guest.sends("/cancel")
    page = guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert "€1,125.00 is handed back by the hotel." in page.text
    assert "card" not in page.text
    assert "Follow your refund" in guest.goes_to(f"/reservations/{reservation.code}").text


@pytest.mark.parametrize(("days", "words"), [(0, "check-in is today"), (1, "in 1 day."), (3, "in 3 days.")])
def test_days_are_counted_as_people_say_it(
    days: int, words: str, deps: Deps, guest: Guest, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation(in_days=3)
    offline_payments.record_offline(deps, reservation.id, 112_500, "staff")
    day = reservation.check_in - timedelta(days=days)
    clock.move_to(datetime(day.year, day.month, day.day, 9, tzinfo=UTC))  # in the morning: guests may still cancel
    guest.opens_link(reservation)
    assert words in guest.goes_to(f"/reservations/{reservation.code}/cancel").text


def test_a_stay_without_a_refund_has_none_to_follow(deps: Deps, guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    cancels(deps, reservation)
    guest.opens_link(reservation)
    assert "Follow your refund" not in guest.goes_to(f"/reservations/{reservation.code}").text
