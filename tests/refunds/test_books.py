"""The audit finds what is wrong and names the row: each rule is broken once, past all services."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.db import db
from portal.models import Alert, Dispute, Payment, Refund, Reservation, WebhookEvent
from portal.services import books, books_at_stripe
from tests.actors import names_of, rows
from tests.refunds.hotel import WHOLE, Hotelier, only_refund

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]
Breaks = Callable[[Hotelier, Reservation], str]


def sql(statement: str, *values: Any) -> None:
    """As somebody with a database client."""
    mark = "%s" if "Postgres" in type(db.obj).__name__ else "?"
    assert db.execute_sql(statement.replace("?", mark), values).rowcount >= 1


def long_ago(hotel: Hotelier) -> datetime:
    return hotel.clock.now() - timedelta(days=1)


def payment_of(stay: Reservation) -> str:
    return str(rows(Payment, reservation=stay.id)[0].public_id)


# Our own books: what breaks them, and the name of the row that the audit then tells


def paid_too_little(_: Hotelier, stay: Reservation) -> str:
    sql("UPDATE reservation SET paid = paid - 1")
    return stay.code


def price_raised(_: Hotelier, stay: Reservation) -> str:
    sql("UPDATE reservation SET total = total + 1")
    return stay.code


def expired_with_money(_: Hotelier, stay: Reservation) -> str:
    sql("UPDATE reservation SET status = 'expired'")
    return stay.code


def lost_a_night(_: Hotelier, stay: Reservation) -> str:
    sql("DELETE FROM room_night WHERE night = ?", str(stay.check_in))
    return stay.code


def kept_its_nights(hotel: Hotelier, stay: Reservation) -> str:
    hotel.cancels(stay)
    sql("INSERT INTO room_night (room_id, night, reservation_id) VALUES (?, ?, ?)", stay.room_id, "2030-01-01", stay.id)
    return stay.code


def too_much_back(hotel: Hotelier, stay: Reservation) -> str:
    hotel.cancels(stay)
    sql("UPDATE refund SET amount = amount + 1")
    return payment_of(stay)


def too_little_of_late_money_back(hotel: Hotelier, stay: Reservation) -> str:
    hotel.stripe.charge_elsewhere(WHOLE, metadata=names_of(stay, "PAY-SECOND0000000"))
    hotel.hears()
    sql("UPDATE refund SET amount = amount - 1")
    return "PAY-SECOND0000000"


def another_tier(hotel: Hotelier, stay: Reservation) -> str:
    hotel.cancels(stay)
    sql("UPDATE cancellation SET percent = 50")
    return stay.code


def refund_deleted(hotel: Hotelier, stay: Reservation) -> str:
    hotel.cancels(stay)
    sql("DELETE FROM refund")
    return stay.code


def state_changed_past_the_log(hotel: Hotelier, stay: Reservation) -> str:
    hotel.cancels(stay)
    sql("UPDATE refund SET status = 'pending'")
    return str(only_refund().public_id)


def payment_without_a_log(_: Hotelier, stay: Reservation) -> str:
    sql("UPDATE payment SET public_id = 'PAY-RENAMED'")
    return "PAY-RENAMED"


def session_for_ever(hotel: Hotelier, stay: Reservation) -> str:
    sql("UPDATE payment SET status = 'open', disposition = NULL")
    Payment.update(expires_at=long_ago(hotel)).execute()
    return payment_of(stay)


def refund_for_ever(hotel: Hotelier, stay: Reservation) -> str:
    hotel.cancels(stay)
    sql("UPDATE refund SET status = 'sent'")
    Refund.update(created_at=long_ago(hotel)).execute()
    return str(only_refund().public_id)


def hold_for_ever(hotel: Hotelier, stay: Reservation) -> str:
    sql("UPDATE reservation SET status = 'pending'")
    Reservation.update(hold_until=long_ago(hotel)).execute()
    return stay.code


def message_for_ever(hotel: Hotelier, stay: Reservation) -> str:
    sql("UPDATE webhook_event SET processed_at = NULL, result = 'error'")
    WebhookEvent.update(received_at=long_ago(hotel)).execute()
    return str(rows(WebhookEvent)[0].event_id)


OWN = {
    paid_too_little: (books.paid_is_the_sum_of_kept_payments, "paid is the sum of the kept payments"),
    price_raised: (books.confirmed_stays_are_paid, "a confirmed stay is paid"),
    expired_with_money: (books.confirmed_stays_are_paid, "an expired stay has no money of the guest's"),
    lost_a_night: (books.stays_own_their_nights, "a held or confirmed stay owns all its nights, others none"),
    kept_its_nights: (books.stays_own_their_nights, "a held or confirmed stay owns all its nights, others none"),
    too_much_back: (books.refunds_stay_within_payments, "no more goes back than came in"),
    too_little_of_late_money_back: (books.returned_money_goes_back_whole, "money that may not be kept goes back whole"),
    another_tier: (books.cancellations_return_what_was_promised, "a cancellation follows its tier"),
    refund_deleted: (books.cancellations_return_what_was_promised, "a cancellation returns what was promised"),
    state_changed_past_the_log: (books.audit_log_replays, "the audit log replays to the present"),
    payment_without_a_log: (books.audit_log_replays, "the audit log replays to the present"),
    session_for_ever: (books.nothing_is_stuck, "every payment comes to an end"),
    refund_for_ever: (books.nothing_is_stuck, "every refund is sent"),
    hold_for_ever: (books.nothing_is_stuck, "every hold comes to an end"),
    message_for_ever: (books.nothing_is_stuck, "every message from Stripe has its effect"),
}


@pytest.mark.parametrize("breaks", OWN, ids=lambda breaks: breaks.__name__.replace("_", " "))
def test_the_audit_names_the_row_that_breaks_a_rule(breaks: Breaks, hotel: Hotelier, paid: Reservation) -> None:
    hotel.books_are_right()
    name = breaks(hotel, paid)
    check, rule = OWN[breaks]
    assert (rule, name) in [(finding.rule, finding.row) for finding in books.audit(hotel.deps)]
    assert (rule, name) in [(finding.rule, finding.row) for finding in check(hotel.deps)]


def test_every_check_of_the_audit_is_broken_here() -> None:
    assert {check for check, _ in OWN.values()} == set(books.CHECKS)
    assert {compare for compare, _ in COMPARED.values()} == set(books_at_stripe.COMPARISONS)


# Compared with Stripe's


def money_for_nobody(hotel: Hotelier, stay: Reservation) -> str:
    names = names_of(stay, "PAY-FORNOBODY") | {"reservation": "NOSUCHSTAY"}
    return str(hotel.stripe.charge_elsewhere(7_000, metadata=names)["id"])


def paid_unnoticed(hotel: Hotelier, stay: Reservation) -> str:
    sql("UPDATE payment SET status = 'failed', disposition = NULL")
    return payment_of(stay)


def other_sum(hotel: Hotelier, stay: Reservation) -> str:
    sql("UPDATE payment SET received_amount = 1")
    return payment_of(stay)


def payable_though_paid(hotel: Hotelier, stay: Reservation) -> str:
    (payment,) = rows(Payment)
    names = payment.params["metadata"]
    hotel.deps.stripe.create_checkout_session(
        payment.params | {"expires_at": int(hotel.clock.now().timestamp()) + 12 * 3600}, f"again:{names['payment']}"
    )
    return payment_of(stay)


def payable_twice(hotel: Hotelier, stay: Reservation) -> str:
    for number in range(2):
        (payment,) = rows(Payment)
        params = payment.params | {"expires_at": int(hotel.clock.now().timestamp()) + 12 * 3600}
        hotel.deps.stripe.create_checkout_session(params, f"again:{number}:{payment.public_id}")
    return stay.code


def refunded_unnoticed(hotel: Hotelier, stay: Reservation) -> str:
    return str(hotel.stripe.refund(hotel.intent(stay), 1_000)["id"])


def refund_of_other_sum(hotel: Hotelier, stay: Reservation) -> str:
    hotel.cancels(stay)
    sql("UPDATE refund SET amount = amount - 1")
    return str(only_refund().public_id)


def refund_failed_unnoticed(hotel: Hotelier, stay: Reservation) -> str:
    hotel.cancels(stay)
    hotel.stripe.move_refund(str(only_refund().stripe_id), "failed")
    return str(only_refund().public_id)


def refund_made_twice(hotel: Hotelier, stay: Reservation) -> str:
    for _ in range(2):
        hotel.stripe.refund(hotel.intent(stay), 1_000, metadata={"refund": "REF-TWICE"})
    return "REF-TWICE"


def disputed_unnoticed(hotel: Hotelier, stay: Reservation) -> str:
    return str(hotel.stripe.dispute(hotel.intent(stay))["id"])


def dispute_lost_unnoticed(hotel: Hotelier, stay: Reservation) -> str:
    dispute = hotel.stripe.dispute(hotel.intent(stay))
    hotel.hears()
    hotel.stripe.move_dispute(dispute["id"], "lost")
    assert len(rows(Dispute)) == 1
    return str(dispute["id"])


COMPARED = {
    money_for_nobody: (books_at_stripe.payments_agree, "every payment at Stripe is in our books"),
    paid_unnoticed: (books_at_stripe.payments_agree, "what is paid at Stripe is paid here"),
    other_sum: (books_at_stripe.payments_agree, "sums agree with Stripe's"),
    payable_though_paid: (books_at_stripe.payments_agree, "no session stays payable that should not"),
    payable_twice: (books_at_stripe.payments_agree, "one open session for a stay"),
    refunded_unnoticed: (books_at_stripe.refunds_agree, "every refund at Stripe is in our books"),
    refund_of_other_sum: (books_at_stripe.refunds_agree, "refunds agree with Stripe's"),
    refund_failed_unnoticed: (books_at_stripe.refunds_agree, "refunds agree with Stripe's"),
    refund_made_twice: (books_at_stripe.refunds_agree, "one refund is made once"),
    disputed_unnoticed: (books_at_stripe.disputes_agree, "disputes agree with Stripe's"),
    dispute_lost_unnoticed: (books_at_stripe.disputes_agree, "disputes agree with Stripe's"),
}


@pytest.mark.parametrize("breaks", COMPARED, ids=lambda breaks: breaks.__name__.replace("_", " "))
def test_the_audit_names_what_differs_from_stripes_books(breaks: Breaks, hotel: Hotelier, paid: Reservation) -> None:
    hotel.books_are_right()
    name = breaks(hotel, paid)
    hotel.clock.advance(minutes=20)  # what is newer may have its message still on its way
    since = hotel.clock.now() - timedelta(days=1)
    compare, rule = COMPARED[breaks]
    assert (rule, name) in [(finding.rule, finding.row) for finding in books.audit(hotel.deps, since=since)]
    assert (rule, name) in [(finding.rule, finding.row) for finding in compare(hotel.deps, since)]


def test_what_the_audit_finds_at_night_is_told_to_staff_once(hotel: Hotelier, paid: Reservation) -> None:
    paid_too_little(hotel, paid)
    for _ in range(3):
        books.audit_for_worker(hotel.deps)
    told = rows(Alert, kind="books")
    assert len(told) == len({alert.cause for alert in told}) == len(books.audit(hotel.deps))
    assert any(paid.code in alert.cause for alert in told)


@pytest.mark.parametrize("unrelated", ["refund made at Stripe", "dispute"])
def test_news_that_has_nothing_to_do_with_it_does_not_hide_a_refund_that_is_missing(
    unrelated: str, hotel: Hotelier, paid: Reservation
) -> None:
    if unrelated == "dispute":
        made = hotel.stripe.dispute(hotel.intent(paid))
        hotel.hears()
        hotel.stripe.move_dispute(made["id"], "won")
    else:
        hotel.stripe.refund(hotel.intent(paid), 1_000)
    hotel.hears()
    assert any(alert.kind == unrelated for alert in rows(Alert))
    hotel.cancels(paid)
    hotel.books_are_right()
    sql("DELETE FROM refund WHERE kind = 'policy'")
    assert ("a cancellation returns what was promised", paid.code) in [
        (finding.rule, finding.row) for finding in books.audit(hotel.deps)
    ]
