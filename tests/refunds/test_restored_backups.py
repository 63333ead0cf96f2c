"""Yesterday's backup is put back: Stripe knows more than we do, and reconciling brings our books up to it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.models import Payment, Refund, Reservation
from portal.services import reconciliation
from portal.services.alerts import close_alert, open_alerts
from tests.actors import rows
from tests.refunds.backup import Backup
from tests.refunds.hotel import WHOLE, Hotelier, alerts, refunds_of, status

Make = Callable[..., Reservation]


def reconciles(hotel: Hotelier) -> reconciliation.Report:
    return reconciliation.reconcile(hotel.deps, hotel.clock.now() - timedelta(hours=48))


def test_a_refund_that_the_backup_does_not_know_is_not_sent_again(
    hotel: Hotelier, make_reservation: Make, back_up: Callable[[], Backup]
) -> None:
    reservation = make_reservation(in_days=10)
    hotel.is_paid(reservation)
    backup = back_up()
    hotel.cancels(reservation)
    assert [amount for _, amount, _ in hotel.sent()] == [56_250]

    hotel.clock.advance(hours=20)
    backup.is_put_back()
    reconciles(hotel)
    assert status(reservation) == ("confirmed", WHOLE), "staff read that half went back, and decide"
    assert refunds_of(reservation) == [("external", 56_250, "succeeded")]
    assert alerts() == ["refund made at Stripe"]
    hotel.books_are_right()

    assert hotel.cancels(reservation).due == 0
    hotel.works_until_quiet(1)
    assert len(hotel.sent()) == 1
    hotel.books_are_right()


@pytest.mark.parametrize("hours", [1, 25, 24 * 10])
def test_a_refund_that_the_backup_has_still_to_send_is_found_at_stripe(
    hours: int, hotel: Hotelier, paid: Reservation, back_up: Callable[[], Backup]
) -> None:
    hotel.stripe.fault("500", path="/v1/refunds", times=10)
    hotel.cancels(paid)
    hotel.stripe.clear_faults()
    assert refunds_of(paid) == [("policy", WHOLE, "todo")]
    backup = back_up()
    hotel.works(minutes=6)
    assert refunds_of(paid) == [("policy", WHOLE, "succeeded")]
    hotel.clock.advance(hours=hours)  # by the second one Stripe has forgotten the key
    backup.is_put_back()
    hotel.works()
    assert refunds_of(paid) == [("policy", WHOLE, "succeeded")]
    assert len(hotel.sent()) == 1
    hotel.hears(copies=2)
    hotel.books_are_right()


def test_a_payment_that_the_backup_does_not_know_confirms_again(
    hotel: Hotelier, make_reservation: Make, back_up: Callable[[], Backup]
) -> None:
    reservation = make_reservation()
    backup = back_up()
    hotel.is_paid(reservation)
    (lost,) = rows(Payment)
    backup.is_put_back()
    assert status(reservation) == ("pending", 0)
    assert rows(Payment) == []
    reconciles(hotel)
    assert status(reservation) == ("confirmed", WHOLE)
    assert [payment.public_id for payment in rows(Payment)] == [lost.public_id]
    hotel.cancels(reservation)
    hotel.hears()
    hotel.works()
    assert refunds_of(reservation) == [("policy", WHOLE, "succeeded")]
    hotel.books_are_right()


def test_a_payment_and_its_full_refund_that_the_backup_does_not_know_are_not_kept(
    hotel: Hotelier, make_reservation: Make, back_up: Callable[[], Backup]
) -> None:
    reservation = make_reservation()
    backup = back_up()
    hotel.is_paid(reservation)
    hotel.cancels(reservation)
    backup.is_put_back()
    reconciles(hotel)
    assert status(reservation) == ("pending", 0)
    assert refunds_of(reservation) == [("external", WHOLE, "succeeded")]
    assert [payment.disposition for payment in rows(Payment)] == ["returned"]
    hotel.works()
    assert len(hotel.sent()) == 1
    hotel.is_paid(reservation)
    assert status(reservation) == ("confirmed", WHOLE)
    hotel.books_are_right()


def test_a_session_that_the_backup_does_not_know_is_closed(
    hotel: Hotelier, make_reservation: Make, back_up: Callable[[], Backup]
) -> None:
    reservation = make_reservation()
    backup = back_up()
    session = hotel.opens_session(reservation)
    backup.is_put_back()
    assert reconciles(hotel).sessions_closed == 1
    assert hotel.stripe.pay(session)["status"] == "not_open"
    hotel.is_paid(reservation)
    assert status(reservation) == ("confirmed", WHOLE)
    hotel.books_are_right()


def test_money_for_a_stay_that_the_backup_does_not_know_is_told_once(
    hotel: Hotelier, make_reservation: Make, back_up: Callable[[], Backup]
) -> None:
    backup = back_up()
    reservation = make_reservation()
    hotel.is_paid(reservation)
    backup.is_put_back()
    assert rows(Reservation) == []
    reconciles(hotel)
    (alert,) = open_alerts()
    assert (alert.kind, alert.details["reservation_code"]) == ("money for an unknown reservation", reservation.code)
    assert rows(Refund) == []
    hotel.works()
    hotel.books_are_right()
    close_alert(alert.id, actor="staff", why="booked again by hand", now=hotel.clock.now())
    hotel.works(hours=1)
    assert alerts() == [], "who has dealt with it is not told again"
    hotel.books_are_right()


def test_reconciling_twice_changes_nothing(
    hotel: Hotelier, make_reservation: Make, back_up: Callable[[], Backup]
) -> None:
    stays = [make_reservation(in_days=10 + 3 * number) for number in range(3)]
    backup = back_up()
    for reservation in stays:
        hotel.is_paid(reservation)
    hotel.cancels(stays[0])
    hotel.stripe.refund(hotel.intent(stays[1]), 1_000)
    hotel.stripe.dispute(hotel.intent(stays[2]))
    backup.is_put_back()
    reconciles(hotel)
    once = [(status(stay), refunds_of(stay)) for stay in stays], alerts()
    reconciles(hotel)
    assert ([(status(stay), refunds_of(stay)) for stay in stays], alerts()) == once
    hotel.books_are_right()
