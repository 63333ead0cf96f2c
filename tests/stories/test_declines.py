"""A bank says no: the guest reads why, has three attempts, and then the hotel's help."""

from collections.abc import Callable

import pytest

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, Payment, Reservation
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]
DECLINED = "4000000000000002"


def test_a_declined_guest_tries_again_with_a_new_session_and_pays(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    first = session_of(guest.presses_pay())
    returned_to = stripe.pay(first, card=DECLINED)["session"]["cancel_url"]

    page = guest.goes_to(returned_to)
    assert (page.reservation_status, page.payment_status) == ("pending", "declined")
    assert "You have not been charged." in page.text
    assert "2 of 3 attempts left" in page.text

    second = session_of(guest.presses_pay())
    assert second != first
    assert stripe.pay(first)["status"] == "not_open", "the old page can still be paid"
    stripe.pay(second)
    stripe.deliver()
    page = guest.goes_to(f"/reservations/{reservation.code}/success")
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")
    assert [(p.status, p.attempt_number) for p in rows(Payment)] == [("expired", 1), ("succeeded", 2)]


@pytest.mark.parametrize("reverse", [False, True], ids=["as they come", "the last first"])
def test_the_card_that_was_declined_is_never_named_as_the_one_that_paid(
    reverse: bool, guest: Guest, stripe: Control, deps: Deps, make_reservation: Make
) -> None:
    """Both were tried on one page of Stripe's. Its messages name the first, and of the second they only say that it was
    taken."""
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    stripe.pay(session, card=DECLINED)
    stripe.pay(session, card="5555555555554444")
    assert set(stripe.deliver(reverse=reverse)) == {200}

    (payment,) = rows(Payment)
    stay = f"/reservations/{reservation.code}"
    for page in (f"{stay}/payments", f"{stay}/payments/{payment.public_id}/receipt", f"{stay}/cancel"):
        shown = guest.goes_to(page)
        assert shown.status == 200
        assert "0002" not in shown.text, page
    jobs.run_once(deps)
    assert "Mastercard ending 4444" in guest.goes_to(f"{stay}/payments/{payment.public_id}/receipt").text


@pytest.mark.parametrize("reverse", [False, True], ids=["as they come", "the last first"])
def test_the_card_that_a_guest_reads_of_is_the_one_that_was_declined_last(
    reverse: bool, guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    stripe.pay(session, card="4000000000009995")  # too little money on it
    clock.advance(minutes=1)
    stripe.pay(session, card="4000000000000069")  # expired
    assert set(stripe.deliver(reverse=reverse)) == {200}
    assert set(stripe.deliver(again=True)) == {200}
    page = guest.goes_to(f"/reservations/{reservation.code}/payments")
    assert "The card ending 0069 has expired." in page.text
    assert "9995" not in page.text


def test_three_declined_payments_end_in_the_hotels_help(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    for left in (2, 1, 0):
        session = session_of(guest.presses_pay())
        stripe.pay(session, card=DECLINED)
        stripe.deliver()
        page = guest.goes_to(f"/reservations/{reservation.code}/failed")
        assert (page.reservation_status, page.payment_status) == ("pending", "declined")
        assert left == 0 or f"{left} of 3 attempts left" in page.text

    assert "You have not been charged." in page.text
    assert "+351 21 000 0140" in page.text
    assert "stay@limoeiro.example" in page.text
    assert [payment.attempt_number for payment in rows(Payment)] == [1, 2, 3]
    (alert,) = rows(Alert)
    assert (alert.kind, alert.reservation_id, alert.payment_id) == ("attempts used up", reservation.id, None)


def test_after_the_third_decline_the_last_page_can_still_be_paid(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    session = _declined_three_times(guest, stripe, reservation)

    assert session_of(guest.presses_pay()) == session, "no fourth session is opened"
    stripe.pay(session)
    stripe.deliver()
    page = guest.goes_to(f"/reservations/{reservation.code}")
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")
    assert len(rows(Payment)) == 3


def test_once_the_last_page_has_closed_there_is_no_fourth(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    _declined_three_times(guest, stripe, reservation)
    stale = guest.goes_to(f"/reservations/{reservation.code}/failed")
    clock.advance(minutes=36)
    stripe.deliver()

    assert guest.goes_to(f"/reservations/{reservation.code}/failed").forms("/pay") == []
    guest.page = stale
    page = guest.presses_pay_in_vain()
    assert (page.reservation_status, page.payment_status) == ("pending", "declined")
    assert "You have not been charged." in page.text
    assert len(stripe.truth()["sessions"]) == 3


def test_staff_who_grant_an_attempt_let_the_guest_pay(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    last = _declined_three_times(guest, stripe, reservation)
    Reservation.update(extra_attempts=1).where(Reservation.id == reservation.id).execute()

    assert "1 of 4 attempts left" in guest.goes_to(f"/reservations/{reservation.code}/failed").text
    fourth = session_of(guest.presses_pay())
    assert fourth != last
    stripe.pay(fourth)
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "confirmed"


def test_two_declines_on_one_page_cost_one_attempt(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    stripe.pay(session, card=DECLINED)
    stripe.pay(session, card="4000000000009995")
    stripe.deliver(copies=2)

    page = guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert "2 of 3 attempts left" in page.text
    (payment,) = rows(Payment)
    assert len(payment.declines) == 2


def test_a_second_card_on_the_same_page_after_a_decline_confirms(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    stripe.pay(session, card=DECLINED)
    stripe.deliver()
    page = guest.goes_to(stripe.pay(session)["session"]["success_url"])
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")
    assert "4242" in page.text


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("4000000000000002", "Your bank did not tell us why."),
        ("4000000000009995", "There was not enough money available on the card"),
        ("4000000000000069", "has expired."),
        ("4000000000000127", "The security code did not match the card."),
    ],
)
@pytest.mark.parametrize("heard_from", ["webhook", "return page", "worker"])
def test_the_guest_reads_why_in_plain_words(  # whoever told the portal
    card: str,
    words: str,
    heard_from: str,
    guest: Guest,
    stripe: Control,
    clock: Clock,
    deps: Deps,
    make_reservation: Make,
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()), card=card)
    if heard_from == "webhook":
        stripe.deliver()
    elif heard_from == "worker":
        clock.advance(minutes=3)
        jobs.run_once(deps)

    page = guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert page.payment_status == "declined"
    assert "You have not been charged." in page.text
    assert words in page.text
    assert "_" not in page.text, "a raw code of Stripe's"
    assert words in guest.goes_to(f"/reservations/{reservation.code}/payments").text


def test_a_failed_3d_secure_question_is_told_as_such_and_costs_one_attempt(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    assert stripe.pay(session, card="4000000000003220", authentication="fail")["status"] == "authentication_failed"
    stripe.deliver(reverse=True, copies=2)

    page = guest.goes_to(f"/reservations/{reservation.code}/failed")
    assert (page.reservation_status, page.payment_status) == ("pending", "declined")
    assert "could not confirm that it was you" in page.text
    assert "2 of 3 attempts left" in page.text


def test_a_failed_payment_never_confirms(
    guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    _declined_three_times(guest, stripe, reservation)
    for _ in range(3):
        clock.advance(minutes=20)
        stripe.deliver(again=True)
        jobs.run_once(deps)
        for path in ("", "/success", "/failed"):
            assert guest.goes_to(f"/reservations/{reservation.code}{path}").reservation_status == "pending"
    assert not any(payment.disposition for payment in rows(Payment))


def _declined_three_times(guest: Guest, stripe: Control, reservation: Reservation) -> str:
    guest.opens_link(reservation)
    for _ in range(3):
        session = session_of(guest.presses_pay())
        stripe.pay(session, card=DECLINED)
        stripe.deliver()
        guest.goes_to(f"/reservations/{reservation.code}/failed")
    return session
