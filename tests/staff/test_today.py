"""The first page of the day."""

from collections.abc import Callable

from portal.deps import Deps
from portal.models import Alert, Reservation
from portal.services import leases, staff_sessions
from stripe_simulator import Control
from tests.actors import Clock
from tests.refunds.hotel import FAILS_LATER, Hotelier
from tests.staff.desk import Desk

Make = Callable[..., Reservation]
Count = Callable[[Callable[[], object]], int]


def test_the_day_at_a_glance(
    reception: Desk, deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    hotel = Hotelier(deps, stripe, clock)
    nothing = reception.goes_to("/staff/").text
    assert "Nobody arrives today." in nothing
    assert "0 stays, 0 guests" in nothing
    coming = make_reservation(in_days=0, guest_name="Ada Paid")
    make_reservation(in_days=1, room="River room", guest_name="Ben Unpaid", total=20_000)
    going_back = make_reservation(in_days=30, guest_name="Cleo Cancels", total=33_000)
    hotel.is_paid(coming)
    hotel.is_paid(going_back, FAILS_LATER)
    hotel.cancels(going_back)
    text = reception.goes_to("/staff/").text
    today, tomorrow = text.index("Arrivals today"), text.index("Arrivals tomorrow")
    assert today < text.index("Ada Paid") < tomorrow < text.index("Ben Unpaid")
    assert "Not confirmed" in text
    assert "€200.00 to pay" in text
    assert "1 stay, 2 guests" in text
    assert "€1,455.00 received" in text
    assert "No hold runs out" not in text
    assert reception.page.link("Send reminder").endswith("/actions/send-link")
    clock.advance(days=3)
    reception.takes_cookie({"token": staff_sessions.start(deps, reception.person)})
    text = reception.goes_to("/staff/").text
    assert text.index("Departures today") < text.index("Ada Paid") < text.index("In house tonight")
    assert "0 stays, 0 guests" in text
    assert "No payment came in." in text


def test_the_page_runs_as_many_statements_for_many_rows_as_for_few(
    reception: Desk, deps: Deps, clock: Clock, make_reservation: Make, count_statements: Count
) -> None:
    leases.take_heartbeat(deps, "worker")

    def add(number: int) -> None:
        stay = make_reservation(in_days=number * 3, hold_hours=2)
        Alert.insert(
            kind="attempts used up", cause=stay.code, reservation=stay, created_at=clock.now(), due_by=clock.now()
        ).execute()

    add(0)
    few = count_statements(lambda: reception.goes_to("/staff/"))
    for number in range(1, 8):
        add(number)
    assert count_statements(lambda: reception.goes_to("/staff/")) == few
    few = count_statements(lambda: reception.goes_to("/staff/attention"))
    add(9)
    assert count_statements(lambda: reception.goes_to("/staff/attention")) == few
    assert reception.page.text.count("card was declined too often") >= 9
