"""Money that is not the one sum that was asked for: it never confirms, it goes back, and a person is told."""

from collections.abc import Callable

import pytest

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, Payment, Refund, Reservation, ReservationLine
from stripe_simulator import Control
from tests.actors import Guest, names_of, rows, session_of

Make = Callable[..., Reservation]


@pytest.fixture
def paid(guest: Guest, stripe: Control, make_reservation: Make) -> Reservation:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()
    return reservation


def test_a_second_payment_goes_back_and_the_stay_stays_confirmed(
    guest: Guest, stripe: Control, paid: Reservation
) -> None:
    stripe.charge_elsewhere(112_500, metadata=names_of(paid, "PAY-LOSTBYABACKUP"))
    assert set(stripe.deliver(copies=2)) == {200}

    reservation = Reservation.get_by_id(paid.id)
    assert (reservation.status, reservation.paid) == ("confirmed", 112_500)
    assert [payment.disposition for payment in rows(Payment)] == ["kept", "returned"]
    _is_returned("second payment", 112_500, "EUR")

    for path in ("", "/success", "/failed"):
        page = guest.goes_to(f"/reservations/{paid.code}{path}")
        assert (page.reservation_status, page.payment_status, page.amount_due) == ("confirmed", "paid", 0)
        assert "Another payment of €1,125.00 goes back to you." in page.text
        assert page.forms("/pay") == []
    history = guest.goes_to(f"/reservations/{paid.code}/payments").text
    assert "We received this payment." in history
    assert "all of it goes back to you" in history
    assert "The refund is noted and on its way to you." in history


def test_a_second_payment_in_another_amount_goes_back_too(guest: Guest, stripe: Control, paid: Reservation) -> None:
    stripe.charge_elsewhere(5_000, metadata=names_of(paid, "PAY-SOMETHINGELSE"))
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{paid.code}").reservation_status == "confirmed"
    _is_returned("second payment", 5_000, "EUR")


@pytest.mark.parametrize(("amount", "currency"), [(112_499, "eur"), (112_501, "eur"), (50, "eur"), (112_500, "usd")])
def test_a_wrong_sum_never_confirms(
    amount: int, currency: str, guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    guest.presses_pay()
    (payment,) = rows(Payment)
    stripe.charge_elsewhere(amount, currency=currency, metadata=names_of(reservation, payment.public_id))
    assert set(stripe.deliver()) == {200}

    found = Reservation.get_by_id(reservation.id)
    assert (found.status, found.paid) == ("pending", 0)
    _is_returned("wrong amount", amount, currency.upper())
    page = guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("pending", "refunded", 112_500)
    assert "all of it goes back to you" in page.text
    assert "not been charged" not in page.text
    history = guest.goes_to(f"/reservations/{reservation.code}/payments").text
    assert f"Paid {'€0.00' if currency == 'usd' else f'€{amount / 100:,.2f}'} Returned" in history

    guest.goes_to(f"/reservations/{reservation.code}/failed")
    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "confirmed"
    assert len(rows(Refund)) == 1


def test_a_price_that_changed_before_pay_is_the_price_that_is_asked_for(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    old = session_of(guest.presses_pay())
    _price_becomes(reservation, 90_000)

    new = session_of(guest.presses_pay())
    states = {session["id"]: (session["status"], session["amount_total"]) for session in stripe.truth()["sessions"]}
    assert states == {old: ("expired", 112_500), new: ("open", 90_000)}
    stripe.pay(new)
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "confirmed"


def test_the_worker_closes_a_page_that_asks_for_an_old_price(
    guest: Guest, stripe: Control, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    old = session_of(guest.presses_pay())
    _price_becomes(reservation, 90_000)
    jobs.run_once(deps)
    assert stripe.pay(old)["status"] == "not_open"
    assert guest.goes_to(f"/reservations/{reservation.code}").amount_due == 90_000


def test_an_old_price_that_was_paid_all_the_same_goes_back(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    _price_becomes(reservation, 90_000)
    stripe.pay(session)
    page = guest.goes_to(f"/reservations/{reservation.code}/success")
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("pending", "refunded", 90_000)
    assert "€1,125.00" in page.text
    _is_returned("wrong amount", 112_500, "EUR")


def _is_returned(why: str, amount: int, currency: str) -> None:
    (refund,) = rows(Refund)
    assert (refund.kind, refund.status, refund.amount, refund.currency) == ("returned", "todo", amount, currency)
    assert (refund.reason, refund.payment.disposition) == (why, "returned")
    (alert,) = rows(Alert)
    assert (alert.kind, alert.details["why"], alert.payment_id) == ("money returned", why, refund.payment_id)


def _price_becomes(reservation: Reservation, total: int) -> None:
    Reservation.update(total=total).where(Reservation.id == reservation.id).execute()
    ReservationLine.update(amount=total).where(ReservationLine.reservation == reservation.id).execute()
