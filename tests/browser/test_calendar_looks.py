"""The calendar of the rooms and the page of a refusal can be read and used by everyone at the desk."""

from collections.abc import Callable
from datetime import timedelta

from portal.deps import Deps
from portal.models import Reservation
from portal.services import blocked_nights, hotels, reservations
from stripe_simulator import Control
from tests.actors import Clock
from tests.browser import looks
from tests.browser.conftest import NewVisitor
from tests.browser.situations import ON_SQLITE
from tests.refunds.hotel import Hotelier
from tests.staff.desk import Desk

pytestmark = ON_SQLITE


def test_the_calendar_at_any_size_in_the_dark_and_on_paper(
    new_visitor: NewVisitor, deps: Deps, stripe: Control, clock: Clock, make_reservation: Callable[..., Reservation]
) -> None:
    today = reservations.today_at_hotel(deps)
    hotels.add_rooms(["Attic", "Suite with the very long name Bougainvillea"], capacity=4)
    Hotelier(deps, stripe, clock).is_paid(make_reservation(in_days=0, nights=3))
    make_reservation(in_days=3, nights=1, guest_name="Maximilian von Hohenzollern-Sigmaringen")
    make_reservation(in_days=9, nights=20, room="River room", guest_name="Wolfeschlegelsteinhausenbergerdorff Hubert")
    blocked_nights.block(deps, "Attic", today, today + timedelta(days=40), actor="test")
    blocked_nights.block(deps, "River room", today, today, actor="test")
    visitor = new_visitor(reduced_motion="reduce")
    desk = Desk("http://127.0.0.1", deps, "reception")
    cookie = desk.browser.cookies["staff"]
    visitor.context.add_cookies([{"name": "staff", "value": cookie, "domain": "127.0.0.1", "path": "/"}])
    problems = []
    for name, address in (("table", ""), ("list", "?view=list"), ("cut", f"?from={today + timedelta(days=14)}")):
        visitor.goes_to(f"/staff/calendar{address}")
        problems += looks.check(visitor.page, f"calendar-{name}", ours=True)
    visitor.expects(409)
    visitor.page.locator("#room").select_option("Garden room")
    visitor.page.locator("#first").fill(f"{today}")
    visitor.page.locator("#last").fill(f"{today + timedelta(days=9)}")
    visitor.page.get_by_role("button", name="Block these nights", exact=True).click()
    visitor.reads("Nothing was blocked", "2 stays have some of these nights.")
    problems += looks.check(visitor.page, "calendar-stays-in-the-way", ours=True)
    visitor.goes_to("/staff/nowhere", 404)
    problems += looks.check(visitor.page, "staff-refused", ours=True)
    visitor.context.clear_cookies()
    visitor.goes_to("/staff/nowhere", 404)
    problems += looks.check(visitor.page, "staff-refused-signed-out", ours=True)
    assert not problems, "\n".join(problems)
