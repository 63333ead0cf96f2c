"""Every page of the front desk can be read and used by everyone: on any screen, enlarged, in the dark and on paper."""

import re
from collections.abc import Callable

import pytest

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, Payment, Refund, Reservation, WebhookEvent
from stripe_simulator import Control
from tests.actors import Clock, LivePortal, rows
from tests.browser import looks
from tests.browser.conftest import NewVisitor
from tests.browser.situations import ON_SQLITE
from tests.browser.staff import signs_in
from tests.browser.visitor import Visitor
from tests.refunds.hotel import FAILS_LATER, Hotelier

pytestmark = ON_SQLITE
Make = Callable[..., Reservation]

LISTS = (
    "",
    "attention",
    "attention?closed=1",
    "webhook-events",
    "payments",
    "refunds",
    "reports",
    "account",
    "password",
)
RESERVATIONS = ("reservations", "reservations?view=unpaid", "reservations/new", "reservations/import")
SETTINGS = ("", "/hotel", "/rooms", "/look", "/policy", "/people", "/people/1", "/rooms/1", "/tokens", "/guest-data")


@pytest.fixture
def busy_house(deps: Deps, stripe: Control, clock: Clock, make_reservation: Make) -> dict[str, Reservation]:
    """A stay of each kind: one waits, one is paid, one has a refund that failed, and one is disputed."""
    hotel = Hotelier(deps, stripe, clock)
    waits = make_reservation(guest_name="Wilhelmina von Hohenzollern-Sigmaringen-Lichtenstein", in_days=1)
    paid = make_reservation(room="River room", in_days=1)
    hotel.is_paid(paid)
    cancelled = make_reservation(in_days=20)
    hotel.is_paid(cancelled, FAILS_LATER)
    hotel.cancels(cancelled)
    disputed = make_reservation(in_days=40)
    hotel.is_paid(disputed)
    stripe.dispute(str(rows(Payment)[-1].payment_intent_id))
    clock.advance(minutes=5)
    stripe.deliver()
    jobs.run_once(deps)
    return {"waits": waits, "paid": paid, "cancelled": cancelled, "disputed": disputed}


@pytest.fixture
def at_the_desk(new_visitor: NewVisitor, deps: Deps, portal: LivePortal) -> Visitor:
    visitor = new_visitor(reduced_motion="reduce")
    signs_in(visitor, deps, "manager", portal.url)
    return visitor


RANDOM = re.compile(r"evt_\w+|(REF-)?[0-9A-Z]{12,}")


def check_all(visitor: Visitor, *paths: str, status: int = 200) -> None:
    problems: list[str] = []
    for path in paths:
        visitor.goes_to(f"/staff/{path}", status)
        name = re.sub(r"\W+", "-", RANDOM.sub("one", f"staff {path}")).strip("-")
        problems += looks.check(visitor.page, name if status == 200 else f"{name}-{status}", ours=True)
    assert not problems, "\n".join(problems)


def test_the_lists(at_the_desk: Visitor, busy_house: dict[str, Reservation]) -> None:
    event, alert = rows(WebhookEvent)[0].event_id, rows(Alert)[0].id
    check_all(at_the_desk, *LISTS, f"webhook-events/{event}", f"attention/{alert}")


def test_the_reservations(at_the_desk: Visitor, busy_house: dict[str, Reservation]) -> None:
    pages = [f"reservations/{stay.code}" for stay in busy_house.values()]
    check_all(at_the_desk, *RESERVATIONS, *pages, f"reservations/{busy_house['waits'].code}/edit")


def test_a_list_that_is_imported(at_the_desk: Visitor) -> None:
    at_the_desk.goes_to("/staff/reservations/import")
    rows = (
        "room,guest_name,email,check_in,check_out,lines",
        *("Garden room,Ana,ana@x.example,2030-01-01,2030-01-02,A=9000",) * 2,
    )
    at_the_desk.page.locator("textarea").fill("\n".join(rows))
    at_the_desk.presses("Check the file")
    at_the_desk.reads("1 ready, 1 with problems")
    problems = looks.check(at_the_desk.page, "staff-import-preview", ours=True)
    assert not problems, "\n".join(problems)


def test_the_actions(at_the_desk: Visitor, busy_house: dict[str, Reservation]) -> None:
    at = {name: f"reservations/{stay.code}/actions" for name, stay in busy_house.items()}
    failed = rows(Refund)[0].public_id
    check_all(
        at_the_desk,
        f"{at['waits']}/record-payment",
        f"{at['waits']}/extend-hold",
        f"{at['paid']}/cancel",
        f"{at['paid']}/cancel-other",
        f"{at['paid']}/refund",
        f"{at['cancelled']}/retry-refund?of={failed}",
        f"{at['cancelled']}/refund-handed-back?of={failed}",
    )
    check_all(at_the_desk, f"{at['disputed']}/refund", status=409)


def test_the_settings(at_the_desk: Visitor, busy_house: dict[str, Reservation]) -> None:
    check_all(at_the_desk, *(f"settings{page}" for page in SETTINGS))


def test_signing_in(new_visitor: NewVisitor) -> None:
    check_all(new_visitor(reduced_motion="reduce"), "sign-in", "forgot")
