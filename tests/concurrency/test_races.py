"""Different hands on the same stay at the same moment: Stripe's messages, the guest, the worker, and other guests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, AuditLog, Lease, Payment, RateBucket, Reservation, RoomNight, WebhookEvent
from portal.services import checkout, holds, reservations, settlement, throttle, webhook_events
from portal.services.checkout import GoToStripe
from portal.services.new_reservation import BadReservation
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of
from tests.concurrency.together import all_well, at_once
from tests.crash.books import books_agree, open_sessions
from tests.stays import new_stay

Make = Callable[..., Reservation]


def press_pay(deps: Deps, reservation: Reservation) -> str:
    target = checkout.start_checkout(deps, reservation.id, actor="guest")
    assert isinstance(target, GoToStripe)
    return session_of(target.url)


def moves(entity_id: str, to_state: str) -> int:
    """How often a row came into a state."""
    return len(rows(AuditLog, entity_id=entity_id, to_state=to_state))


def was_confirmed_once(reservation: Reservation) -> None:
    stay = Reservation.get_by_id(reservation.id)
    assert (stay.status, stay.paid) == ("confirmed", stay.total)
    assert moves(reservation.code, "confirmed") == 1
    (payment,) = rows(Payment, reservation=reservation.id, status="succeeded")
    assert moves(payment.public_id, "succeeded") == 1
    assert rows(Alert) == []


# Messages


@pytest.mark.usefixtures("portal")
def test_twenty_copies_of_one_message_have_one_effect(deps: Deps, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    stripe.pay(press_pay(deps, reservation))
    (event,) = stripe.events("checkout.session.completed")
    assert stripe.deliver(event["id"], copies=20, at_once=True) == [200] * 20
    (stored,) = rows(WebhookEvent)
    assert (stored.result, stored.payload, stored.error_message, stored.tries) == ("success", None, None, 1)
    stripe.deliver()
    was_confirmed_once(reservation)
    books_agree(stripe.truth())


@pytest.mark.usefixtures("portal")
def test_all_messages_five_times_at_once(deps: Deps, stripe: Control, make_reservation: Make) -> None:
    stays = [make_reservation(in_days=30 + 3 * number) for number in range(3)]
    for reservation in stays:
        session = press_pay(deps, reservation)
        stripe.pay(session, "4000000000000002")
        stripe.pay(session)
    answers = stripe.deliver(copies=5, at_once=True)
    assert set(answers) == {200}
    assert len(answers) == 5 * len(stripe.events()) == 5 * len(rows(WebhookEvent))
    for reservation in stays:
        was_confirmed_once(reservation)
    books_agree(stripe.truth())


@pytest.mark.usefixtures("portal")
def test_copies_of_a_message_while_the_worker_retries_it(
    deps: Deps, stripe: Control, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    reservation = make_reservation()
    stripe.pay(press_pay(deps, reservation))
    (event,) = stripe.events("checkout.session.completed")
    with monkeypatch.context() as trouble:
        trouble.setattr(webhook_events, "_apply", lambda *_: 1 / 0)
        assert stripe.deliver(event["id"]) == [500]
    assert [stored.result for stored in rows(WebhookEvent)] == ["error"]
    soon = replace(deps, now=lambda: deps.now() + timedelta(minutes=1))
    outcomes = all_well(
        at_once(
            [
                lambda: stripe.deliver(event["id"], copies=8, at_once=True),
                lambda: webhook_events.retry_waiting(soon),
                lambda: webhook_events.retry_waiting(soon),
            ]
        )
    )
    assert outcomes[0] == [200] * 8
    stripe.deliver()
    was_confirmed_once(reservation)
    books_agree(stripe.truth())


@pytest.mark.parametrize("turn", range(3))
def test_message_guest_and_worker_meet(
    guest: Guest, deps: Deps, stripe: Control, clock: Clock, make_reservation: Make, turn: int
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    clock.advance(minutes=3)  # old enough for the worker
    statuses, page, *_ = all_well(
        at_once(
            [
                lambda: stripe.deliver(copies=2, at_once=True),
                lambda: guest.goes_to(f"/reservations/{reservation.code}/success"),
                lambda: jobs.run_once(deps),
                lambda: jobs.run_once(deps),
            ]
        )
    )
    assert set(statuses) == {200}
    assert page.status == 200
    assert page.payment_status in ("paid", "checking"), page.text
    was_confirmed_once(reservation)
    books_agree(stripe.truth())


def test_the_page_opened_twice_at_once_never_denies_the_money(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    """One page asks Stripe, which is slow; the other must not guess meanwhile."""
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    stripe.fault("slow", method="GET", path="/v1/checkout/sessions/*", seconds=0.5)
    others = [Guest(guest.portal_url, guest.deps) for _ in range(3)]
    for other in others:
        other.browser.cookies.update(guest.browser.cookies)
    address = f"/reservations/{reservation.code}/success"
    pages = all_well(at_once([lambda other=other: other.goes_to(address) for other in others]))
    assert {page.payment_status for page in pages} <= {"paid", "checking"}, [page.text for page in pages]
    assert "paid" in {page.payment_status for page in pages}
    was_confirmed_once(reservation)


# Holds and nights


@pytest.mark.parametrize("turn", range(5))
def test_pay_races_the_release_of_the_hold(deps: Deps, stripe: Control, make_reservation: Make, turn: int) -> None:
    """In the last second of the hold: either the guest has a session and the nights, or the stay is over and nobody
    can pay for it."""
    reservation = make_reservation(in_days=30 + 3 * turn)
    last = replace(deps, now=lambda: reservation.hold_until - timedelta(seconds=1))
    over = replace(deps, now=lambda: reservation.hold_until)
    stripe.set_now(int(reservation.hold_until.timestamp()) - 1)
    all_well(
        at_once(
            [
                lambda: checkout.start_checkout(last, reservation.id, actor="guest"),
                lambda: holds.release_overdue_holds(over),
                lambda: checkout.start_checkout(last, reservation.id, actor="guest"),
                lambda: holds.release_overdue_holds(over),
            ]
        )
    )
    stay = Reservation.get_by_id(reservation.id)
    payable = open_sessions(stripe.truth(), stay)
    nights = len(rows(RoomNight, reservation=stay.id))
    assert (stay.status, len(payable), nights) in (("pending", 1, 3), ("expired", 0, 0))
    books_agree(stripe.truth())


def test_one_of_eight_guests_gets_the_nights(deps: Deps) -> None:
    stay = new_stay(reservations.today_at_hotel(deps))
    shifted = new_stay(reservations.today_at_hotel(deps), in_days=31)  # two of the three nights are the same
    outcomes = at_once(
        [lambda: reservations.add_reservation(deps, stay, actor="test")] * 4
        + [lambda: reservations.add_reservation(deps, shifted, actor="test")] * 4
    )
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, Reservation)]
    assert all(isinstance(outcome, BadReservation) for outcome in outcomes if outcome is not won), outcomes
    assert [night.reservation_id for night in rows(RoomNight)] == [won.id] * 3
    assert len(rows(Reservation)) == 1


def test_late_money_races_a_new_guest_for_the_same_nights(
    deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    """The hold lapsed, the session was still open: the money is kept with the nights, or goes back in full."""
    late = make_reservation(hold_hours=1)
    stripe.pay(press_pay(deps, late))
    payment = Payment.get(Payment.reservation == late.id)
    seen = deps.stripe.get_session(payment.session_id)
    Payment.update(status="expired").where(Payment.id == payment.id).execute()
    clock.advance(hours=2)
    assert holds.release_overdue_holds(deps) == 1
    again = new_stay(reservations.today_at_hotel(deps))
    outcomes = at_once(
        [
            lambda: reservations.add_reservation(deps, again, actor="test"),
            lambda: settlement.settle(deps, seen, cause="test"),
        ]
    )
    stay, kept = Reservation.get_by_id(late.id), Payment.get_by_id(payment.id)
    got_room = isinstance(outcomes[0], Reservation)
    assert got_room or isinstance(outcomes[0], BadReservation), outcomes
    assert (stay.status, kept.disposition) == (("expired", "returned") if got_room else ("confirmed", "kept"))
    owners = {night.reservation_id for night in rows(RoomNight)}
    assert owners == {outcomes[0].id if got_room else late.id}


# Workers


def test_two_workers_do_everything_once(deps: Deps, stripe: Control, clock: Clock, make_reservation: Make) -> None:
    paid = [make_reservation(in_days=30 + 3 * number) for number in range(3)]
    over = [make_reservation(in_days=60 + 3 * number, hold_hours=1) for number in range(3)]
    clock.advance(hours=2)
    for reservation in paid:
        stripe.pay(press_pay(deps, reservation))
    clock.advance(minutes=3)
    all_well(at_once([lambda: jobs.run_once(deps)] * 3))
    for reservation in paid:
        was_confirmed_once(reservation)
    for reservation in over:
        assert moves(reservation.code, "expired") == 1
        assert rows(RoomNight, reservation=reservation.id) == []
    books_agree(stripe.truth())


def test_a_lease_goes_to_one_of_eight_workers(deps: Deps) -> None:
    for job in jobs.JOBS:
        got = all_well(
            at_once([lambda n=n: jobs.take_lease(deps, job.name, f"worker {n}", job.every) for n in range(8)])  # noqa: B023
        )
        assert got.count(True) == 1
        assert Lease.get_by_id(job.name).owner == f"worker {got.index(True)}"


# Limits


def test_a_limit_is_exact(deps: Deps) -> None:
    limit = throttle.Limit("test", 37, timedelta(hours=1))
    hits = all_well(at_once([lambda: [throttle.hit(deps, limit, "somebody") for _ in range(10)]] * 8))
    assert sum(allowed for one in hits for allowed in one) == 37
    assert [bucket.hits for bucket in rows(RateBucket)] == [80]
