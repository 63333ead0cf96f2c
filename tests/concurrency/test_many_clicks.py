"""Many clicks on Pay at one moment: whatever happens, there is one session, and every click is told the truth."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import requests

from portal.deps import Deps
from portal.errors import BeingPrepared
from portal.models import Payment, Reservation
from portal.services import checkout, checkout_sessions, throttle
from portal.services.checkout import GoToStripe
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of
from tests.concurrency.together import all_well, at_once, tabs
from tests.crash.books import books_agree, open_sessions

Make = Callable[..., Reservation]
DECLINED = "4000000000000002"
SESSIONS = "/v1/checkout/sessions"
LIVE = ("creating", "open", "processing")


def the_one_session(stripe: Control, reservation: Reservation) -> str:
    """The only open session at Stripe, which is the only live payment here."""
    (session,) = open_sessions(stripe.truth(), reservation)
    (live,) = [payment for payment in rows(Payment, reservation=reservation.id) if payment.status in LIVE]
    assert live.session_id == session
    return session


def is_prepared(answer: requests.Response) -> bool:
    return answer.status_code == 200 and "prepared" in answer.text


@pytest.mark.parametrize("number", [2, 5])
@pytest.mark.parametrize("slow", [0.0, 0.6], ids=["quick", "Stripe is slow"])
def test_tabs_that_press_together_end_on_the_same_page(
    guest: Guest, stripe: Control, make_reservation: Make, number: int, slow: float
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    if slow:
        stripe.fault("slow", method="POST", path=SESSIONS, seconds=slow)
    answers = all_well(at_once(tabs(guest, number)))
    assert [answer.status_code for answer in answers] == [303] * number
    (session,) = {session_of(answer.headers["Location"]) for answer in answers}
    assert session == the_one_session(stripe, reservation)
    assert len(rows(Payment)) == len(stripe.truth()["sessions"]) == 1
    books_agree(stripe.truth())


def test_fifty_clicks_at_once_on_the_running_portal(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    answers = all_well(at_once(tabs(guest, 50)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[303] + statuses[200] == 20, statuses  # the limit of one minute, exactly
    assert statuses[429] == 30, statuses
    assert all(is_prepared(answer) for answer in answers if answer.status_code == 200)
    told = {answer.text for answer in answers if answer.status_code == 429}
    assert all("Nothing was charged" in text and "Wait a minute" in text for text in told)
    (session,) = {session_of(answer.headers["Location"]) for answer in answers if answer.status_code == 303}
    assert session == the_one_session(stripe, reservation)
    assert len(rows(Payment)) == len(stripe.truth()["sessions"]) == 1
    books_agree(stripe.truth())


@pytest.fixture
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "PAYS_OF_RESERVATION", replace(throttle.PAYS_OF_RESERVATION, most=10_000))


@pytest.mark.usefixtures("no_limit")
def test_fifty_clicks_at_once_without_a_limit(deps: Deps, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    outcomes = at_once([lambda: checkout.start_checkout(deps, reservation.id, actor="guest")] * 50)
    addresses = {outcome.url for outcome in outcomes if isinstance(outcome, GoToStripe)}
    others = [outcome for outcome in outcomes if not isinstance(outcome, GoToStripe | BeingPrepared)]
    assert not others, others
    assert [session_of(address) for address in addresses] == [the_one_session(stripe, reservation)]
    assert len(stripe.truth()["sessions"]) == 1
    books_agree(stripe.truth())


@pytest.mark.usefixtures("no_limit")
def test_ten_tabs_try_again_after_every_decline(
    guest: Guest, stripe: Control, make_reservation: Make, clock: Clock
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    closed: list[str] = []
    session = session_of(guest.presses_pay())
    for attempt in (2, 3):
        assert stripe.pay(session, DECLINED)["status"] == "declined"
        closed.append(session)
        clock.advance(seconds=5)
        guest.goes_to(f"/reservations/{reservation.code}/failed")
        answers = all_well(at_once(tabs(guest, 10)))
        assert {answer.status_code for answer in answers} <= {303, 200}
        session = the_one_session(stripe, reservation)
        addresses = {session_of(a.headers["Location"]) for a in answers if a.status_code == 303}
        assert addresses == {session}, (addresses, session, closed)
        assert rows(Payment)[-1].attempt_number == attempt
        books_agree(stripe.truth())
    assert {stripe.pay(old)["status"] for old in closed} == {"not_open"}
    assert stripe.pay(session)["status"] == "paid"
    stripe.deliver()
    books_agree(stripe.truth())


@pytest.mark.usefixtures("no_limit")
def test_cards_are_declined_while_tabs_try_again(deps: Deps, stripe: Control, make_reservation: Make) -> None:
    """A card is being refused on a page that another tab is closing at that moment."""
    reservation = make_reservation()

    def press() -> object:
        return checkout.start_checkout(deps, reservation.id, actor="guest")

    session = session_of(press().url)  # type: ignore[attr-defined]
    stripe.pay(session, DECLINED)
    checkout_sessions.ask_for_guest(deps, reservation)
    outcomes = at_once([press] * 5 + [lambda: stripe.pay(session, DECLINED)] * 5)
    errors = [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, BeingPrepared)]
    assert not errors, errors
    stripe.deliver()
    assert the_one_session(stripe, reservation) != session
    (first, second) = rows(Payment)
    assert (first.status, second.status) == ("expired", "open")
    books_agree(stripe.truth())


@pytest.mark.usefixtures("no_limit")
@pytest.mark.parametrize("turn", range(4))
def test_paid_in_one_tab_while_another_tries_again(
    deps: Deps, stripe: Control, make_reservation: Make, turn: int
) -> None:
    """Either the money came first, and counts; or the session was closed first, and a new one waits."""
    reservation = make_reservation()
    first = session_of(checkout.start_checkout(deps, reservation.id, actor="guest").url)  # type: ignore[union-attr]
    stripe.pay(first, DECLINED)
    checkout_sessions.ask_for_guest(deps, reservation)
    paid, *_ = all_well(
        at_once(
            [
                lambda: stripe.pay(first)["status"],
                lambda: checkout.start_checkout(deps, reservation.id, actor="guest"),
                lambda: checkout.start_checkout(deps, reservation.id, actor="guest"),
            ]
        )
    )
    stripe.deliver()
    if paid == "paid":
        assert open_sessions(stripe.truth(), reservation) == []
        assert Reservation.get_by_id(reservation.id).status == "confirmed"
    else:
        assert the_one_session(stripe, reservation) != first
    books_agree(stripe.truth())
