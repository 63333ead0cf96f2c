"""A call to Stripe whose answer was lost: it is repeated unchanged, and nothing is made twice."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, AuditLog, Payment, Reservation, WebhookEvent
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of

Make = Callable[..., Reservation]
SESSIONS = "/v1/checkout/sessions"


@pytest.fixture
def lost(hasty_guest: Guest, stripe: Control, make_reservation: Make) -> Reservation:
    """Stripe made the session, but its answer never reached us."""
    reservation = make_reservation()
    hasty_guest.opens_link(reservation)
    stripe.fault("lost_answer", method="POST", path=SESSIONS)
    hasty_guest.presses_pay_in_vain()
    assert [payment.status for payment in rows(Payment)] == ["creating"]
    hasty_guest.goes_to(f"/reservations/{reservation.code}")
    return reservation


def test_after_a_lost_answer_the_same_page_opens(hasty_guest: Guest, stripe: Control, lost: Reservation) -> None:
    (made,) = stripe.truth()["sessions"]
    assert session_of(hasty_guest.presses_pay()) == made["id"]
    assert [payment.session_id for payment in rows(Payment)] == [made["id"]]
    calls = [asked for asked in stripe.requests() if asked["path"] == SESSIONS]
    assert len(calls) == 2
    assert calls[0]["params"] == calls[1]["params"]


def test_the_repeated_call_is_the_same_although_time_has_passed_and_the_stay_was_edited(
    hasty_guest: Guest, stripe: Control, clock: Clock, lost: Reservation
) -> None:
    clock.advance(minutes=4)
    Reservation.update(email="new@address.example").where(Reservation.id == lost.id).execute()
    hasty_guest.presses_pay()
    assert len(stripe.truth()["sessions"]) == 1
    calls = [asked for asked in stripe.requests() if asked["path"] == SESSIONS]
    assert calls[0]["params"] == calls[1]["params"]


def test_the_webhook_may_overtake_our_own_commit(hasty_guest: Guest, stripe: Control, lost: Reservation) -> None:
    """The row is still being created when the money for it comes: it is found by our name in the metadata."""
    (made,) = stripe.truth()["sessions"]
    stripe.pay(made["id"])
    stripe.webhooks(url=f"{hasty_guest.portal_url}/webhooks/stripe")
    assert set(stripe.deliver()) == {200}

    page = hasty_guest.goes_to(f"/reservations/{lost.code}")
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("confirmed", "paid", 0)
    (payment,) = rows(Payment)
    assert (payment.status, payment.session_id) == ("succeeded", made["id"])
    assert all(event.processed_at for event in rows(WebhookEvent))


def test_the_worker_finds_a_paid_session_whose_answer_was_lost(
    hasty_guest: Guest, stripe: Control, clock: Clock, deps: Deps, lost: Reservation
) -> None:
    stripe.pay(stripe.truth()["sessions"][0]["id"])
    clock.advance(minutes=3)
    jobs.run_once(deps)
    assert hasty_guest.goes_to(f"/reservations/{lost.code}").reservation_status == "confirmed"
    assert len(stripe.truth()["sessions"]) == 1


def test_the_return_page_finds_it_too(hasty_guest: Guest, stripe: Control, lost: Reservation) -> None:
    stripe.pay(stripe.truth()["sessions"][0]["id"])
    page = hasty_guest.goes_to(f"/reservations/{lost.code}/success")
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")


@pytest.mark.parametrize("minutes", [6, 20, 60, 22 * 60])
def test_a_repeat_that_comes_too_late_is_never_made_and_a_fresh_page_opens_in_the_same_click(
    minutes: int, hasty_guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    hasty_guest.opens_link(reservation)
    stripe.fault("reset_before", method="POST", path=SESSIONS)
    hasty_guest.presses_pay_in_vain()
    hasty_guest.goes_to(f"/reservations/{reservation.code}")
    clock.advance(minutes=minutes)

    session = session_of(hasty_guest.presses_pay())
    (made,) = stripe.truth()["sessions"]
    assert made["id"] == session
    old, new = rows(Payment)
    assert (old.status, old.error_code, old.session_id) == ("failed", "expires_at_too_near", None)
    assert (new.status, new.attempt_number) == ("open", 1)
    assert rows(Alert) == []
    page = hasty_guest.goes_to(f"/reservations/{reservation.code}/payments")
    assert "could not be opened. You were not charged." in page.text
    assert "attempts left" not in hasty_guest.goes_to(f"/reservations/{reservation.code}").text


def test_a_lost_session_whose_key_is_forgotten_is_looked_up_and_not_made_again(
    hasty_guest: Guest, stripe: Control, clock: Clock, lost: Reservation
) -> None:
    Reservation.update(hold_until=clock.now().replace(year=clock.now().year + 1)).execute()
    clock.advance(hours=25)
    old = stripe.truth()["sessions"][0]["id"]
    hasty_guest.opens_link(lost)
    new = session_of(hasty_guest.presses_pay())
    assert new != old
    assert [(p.session_id, p.status) for p in rows(Payment)] == [(old, "expired"), (new, "open")]


def test_the_worker_gives_up_a_session_that_was_never_made_and_makes_none(
    hasty_guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    hasty_guest.opens_link(reservation)
    stripe.fault("reset_before", method="POST", path=SESSIONS)
    hasty_guest.presses_pay_in_vain()

    clock.advance(minutes=9)
    jobs.run_once(deps)
    assert [payment.status for payment in rows(Payment)] == ["creating"], "the call may still arrive"
    clock.advance(minutes=2)
    jobs.run_once(deps)
    assert [(p.status, p.error_code) for p in rows(Payment)] == [("failed", "never_made")]
    assert stripe.truth()["sessions"] == []
    page = hasty_guest.goes_to(f"/reservations/{reservation.code}")
    assert (page.reservation_status, page.payment_status) == ("pending", "unpaid")
    assert hasty_guest.presses_pay()


def test_an_email_that_stripe_refuses_is_left_out(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation(email="ines@carvalho")  # Stripe wants a dot
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    (made,) = stripe.truth()["sessions"]
    assert (made["id"], made["customer_email"]) == (session, None)
    old, new = rows(Payment)
    assert (old.status, old.error_code, new.status) == ("failed", "email_invalid", "open")
    assert (new.attempt_number, rows(Alert)) == (1, [])
    stripe.pay(session)
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "confirmed"


def test_a_session_that_stripe_refuses_for_good_is_told_to_staff(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    Reservation.update(total=10).where(Reservation.id == reservation.id).execute()  # below Stripe's minimum
    guest.opens_link(reservation)
    page = guest.presses_pay_in_vain()
    assert page.status == 503
    assert "This click did not charge you." in page.text
    assert [(p.status, p.error_code) for p in rows(Payment)] == [("failed", "amount_too_small")]
    assert [alert.kind for alert in rows(Alert)] == ["Stripe refused a session"]
    moves = [entry.to_state for entry in rows(AuditLog, entity="payment")]
    assert moves == ["creating", "failed"]
    assert "attempts left" not in guest.goes_to(f"/reservations/{reservation.code}").text


def test_a_second_tab_waits_for_the_first_and_ends_on_the_same_page(
    guest: Guest, new_browser: Callable[[], Guest], stripe: Control, make_reservation: Make
) -> None:
    reservation, other = make_reservation(), new_browser()
    guest.opens_link(reservation)
    other.opens_link(reservation)
    with _pays_slowly(guest, stripe, seconds=1) as first:
        second = other.presses_pay()
    assert first.result() == second
    assert len(stripe.truth()["sessions"]) == len(rows(Payment)) == 1


def test_a_second_tab_that_has_waited_long_enough_is_told_so(
    guest: Guest, serve: Callable[..., Guest], stripe: Control, make_reservation: Make
) -> None:
    reservation, other = make_reservation(), serve(pause=lambda seconds: None)  # its eight seconds pass at once
    guest.opens_link(reservation)
    other.opens_link(reservation)
    with _pays_slowly(guest, stripe, seconds=3) as first:
        page = other.presses_pay_in_vain()
        assert page.status == 200
        assert "Nothing has been charged." in page.text
    assert other.presses_pay() == first.result(), "the button on that page goes on"
    assert rows(Alert) == []


@contextmanager
def _pays_slowly(guest: Guest, stripe: Control, *, seconds: float) -> Iterator[Future[str]]:
    """Inside, the guest's call is being answered by Stripe."""
    stripe.fault("slow", method="POST", path=SESSIONS, seconds=seconds)
    with ThreadPoolExecutor(1) as pool:
        click = pool.submit(guest.presses_pay)
        while stripe.faults():
            pass
        yield click
