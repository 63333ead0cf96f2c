"""No page of the front desk costs more statements when the house has more of anything."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask

from portal import create_app
from portal.db import transaction
from portal.deps import Deps
from portal.models import Note, Reservation
from portal.services import api_tokens, blocked_nights, hotels, offline_payments, reservations, staff_refunds
from portal.services.alerts import raise_alert
from stripe_simulator import Control
from tests.actors import Clock
from tests.refunds.hotel import FAILS_LATER, Hotelier
from tests.staff.desk import Desk, hire
from tests.statements import in_order

Make = Callable[..., Reservation]
Count = Callable[[Callable[[], object]], int]


def test_more_of_everything_costs_no_more_statements(
    manager: Desk, deps: Deps, stripe: Control, clock: Clock, make_reservation: Make, count_statements: Count
) -> None:
    first = _more_of_everything(manager, deps, stripe, clock, make_reservation, 0)
    pages = [*_pages_without_blanks(create_app(deps.settings, deps)), f"/staff/reservations/{first.code}"]
    pages += ["/staff/reservations?q=guest", "/staff/reservations?view=coming", "/staff/calendar?view=list"]
    assert len(pages) > 25

    def opens(page: str) -> None:
        answer = manager.browser.get(manager.portal_url + page)
        assert answer.status_code == 200, (page, answer.status_code)

    few = {page: count_statements(partial(opens, page)) for page in pages}
    for number in range(1, 4):
        _more_of_everything(manager, deps, stripe, clock, make_reservation, number)
    many = {page: count_statements(partial(opens, page)) for page in pages}
    assert {page: (few[page], many[page]) for page in pages if many[page] > few[page]} == {}


def test_the_list_of_reservations_takes_three_statements(
    manager: Desk, deps: Deps, stripe: Control, clock: Clock, make_reservation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        _more_of_everything(manager, deps, stripe, clock, make_reservation, number)
    for page in ("/staff/reservations", "/staff/reservations?view=coming&sort=-arrival"):
        with in_order(monkeypatch) as happened:
            assert manager.browser.get(manager.portal_url + page).status_code == 200
        # The first is the sign-in with its person, the house and, within it, what needs attention.
        assert happened == ["SELECT staff_session", "SELECT reservation", "SELECT refund"]


def _pages_without_blanks(app: Flask) -> list[str]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("staff.") and not rule.arguments]
    return sorted(rule.rule for rule in rules if "GET" in (rule.methods or set()))


def _more_of_everything(
    manager: Desk, deps: Deps, stripe: Control, clock: Clock, make: Make, number: int
) -> Reservation:
    """Stays with every kind of money, alerts, notes, rooms, people, tokens and blocked nights; the first stay."""
    hotel, room = Hotelier(deps, stripe, clock), f"Room {number}"
    today = reservations.today_at_hotel(deps)
    hotels.add_rooms([room], capacity=4)
    hire(deps, "reception", email=f"colleague{number}@limoeiro.example")
    api_tokens.add_token(deps, f"Program {number}", ["payments"], actor="test")
    blocked_nights.block(deps, room, today, today + timedelta(days=1), actor="test")
    waits = make(guest_name=f"Guest {number}", room=room, in_days=3)
    payment = offline_payments.record_offline(deps, waits.id, 10_000, "staff 1", seen_due=waits.total, how="in cash")
    staff_refunds.refund_by_staff(deps, payment.id, 100, reason="goodwill", actor="staff 1")
    cancelled = make(guest_name=f"Guest {number} too", room=room, in_days=40)
    hotel.is_paid(cancelled, FAILS_LATER)
    hotel.cancels(cancelled)
    clock.advance(seconds=10)
    hotel.hears()
    with transaction():
        raise_alert("books", f"difference {number}", now=clock.now(), reservation=waits)
        Note.create(reservation=waits, staff=manager.person, text="Note", created_at=clock.now())
    return waits
