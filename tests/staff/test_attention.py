"""What needs a decision: every kind has its words and buttons, and what is wrong now goes away by itself."""

import ast
import threading
from collections.abc import Callable
from pathlib import Path

from portal.deps import Deps
from portal.models import Alert, Cursor, Refund, Reservation
from portal.services import alert_lines, leases
from stripe_simulator import Control
from tests.actors import Clock, LivePortal, rows, session_of
from tests.refunds.hotel import FAILS_LATER, Hotelier
from tests.staff.desk import Desk
from tests.web.conftest import Sender

Make = Callable[..., Reservation]


def test_every_kind_that_is_raised_has_words() -> None:
    raised = {kind for file in Path("portal").rglob("*.py") for kind in _kinds(ast.parse(file.read_text()))}
    assert len(raised) > 20
    assert raised - set(alert_lines.WORDS) == set()
    assert {action for words in alert_lines.WORDS.values() for action in words.actions} <= set(alert_lines.ACTIONS)


def _kinds(tree: ast.AST) -> set[str]:
    """The first argument of raise_alert, or, where that is a variable, what is handed on as `alert=`."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    first = [c.args[0] for c in calls if isinstance(c.func, ast.Name) and c.func.id == "raise_alert" and c.args]
    handed_on = [k.value for c in calls for k in c.keywords if k.arg == "alert"]
    return {n.value for n in first + handed_on if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value}


def test_a_failed_refund_and_a_dispute_are_told_with_their_buttons(
    manager: Desk, reception: Desk, deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    hotel = Hotelier(deps, stripe, clock)
    stay = make_reservation(guest_name="Cleo Cancels")
    hotel.is_paid(stay, FAILS_LATER)
    hotel.cancels(stay)
    hotel.works()
    clock.advance(minutes=50)
    hotel.hears()
    assert [refund.status for refund in rows(Refund)] == ["failed"]
    disputed = make_reservation(in_days=60, guest_name="Dora Disputes")
    hotel.is_paid(disputed)
    stripe.dispute(hotel.intent(disputed))
    hotel.hears()
    for path in ("/staff/", "/staff/attention"):
        page = reception.goes_to(path)
        assert "A refund failed" in page.text
        assert "Cleo Cancels" in page.text
        assert "€1,125.00" in page.text
        assert f"/staff/reservations/{stay.code}" in page.html
        about = f"actions/retry-refund?of={rows(Refund)[0].public_id}"
        assert page.link("Send the refund again") == f"/staff/reservations/{stay.code}/{about}"
        assert "Due " in page.text
    assert reception.goes_to("/staff/").text.index("A bank disputes") < reception.page.text.index("A refund failed")
    only = reception.goes_to("/staff/attention?kind=dispute")
    assert "Cleo" not in only.text
    page = reception.goes_to(only.link("A bank disputes a payment"))
    assert "Answer in Stripe's dashboard before the due date" in page.text
    path, form = page.url, "/attention/" + page.url.rsplit("/", 1)[-1]
    manager.goes_to(path)
    assert reception.submits(form, why="  ").status == 400
    assert "Say in a word why" in reception.page.text
    assert "Closed." in reception.submits(form, why="evidence sent").text
    late = manager.submits(form, why="me too")
    assert (late.status, "Somebody else closed this" in late.text) == (409, True)
    closed = manager.goes_to("/staff/attention?closed=1").text
    assert "evidence sent" in closed
    assert "Reception" in closed
    assert Alert.get(Alert.kind == "dispute").closed_by == f"staff {reception.person.id}"


def test_two_people_close_the_same_line_at_once(
    manager: Desk, reception: Desk, clock: Clock, make_reservation: Make
) -> None:
    stay = make_reservation()
    alert_id = Alert.insert(kind="books", cause="x", reservation=stay, created_at=clock.now()).execute()
    desks = (manager, reception)
    for desk in desks:
        desk.goes_to(f"/staff/attention/{alert_id}")
    at_once = [
        threading.Thread(target=d.submits, args=(f"/attention/{alert_id}",), kwargs={"why": "ok"}) for d in desks
    ]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert sorted(desk.page.status for desk in desks) == [200, 409]
    assert reception.goes_to("/staff/attention/999999999").status == 404
    assert reception.goes_to("/staff/attention/99999999999999999999").status == 404
    assert reception.goes_to("/staff/attention?kind=%00%F0%9F%8D%8B&closed=x&after=%FF").status == 200


def test_what_is_wrong_now_is_told_and_goes_away_by_itself(
    reception: Desk, deps: Deps, portal: LivePortal, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    hotel = Hotelier(deps, stripe, clock)
    assert "The worker is not running" in reception.goes_to("/staff/").text
    leases.take_heartbeat(deps, "worker")
    assert "Not working right now" not in reception.goes_to("/staff/").text
    stay = make_reservation()
    stripe.pay(session_of(f"/{hotel.opens_session(stay)}"))
    hotel.works()
    clock.advance(minutes=10)
    hotel.works()  # no message came, so Stripe was asked
    assert Reservation.get_by_id(stay.id).status == "confirmed"
    assert "messages do not arrive" not in reception.goes_to("/staff/attention").text
    for _ in range(3):
        clock.advance(minutes=40)
        reception.goes_to("/staff/")
    leases.take_heartbeat(deps, "worker")
    text = reception.goes_to("/staff/attention").text
    assert "Stripe's messages do not arrive" in text
    assert "Never seen so far." in text
    event = stripe.events("checkout.session.completed")[0]
    send = Sender(f"{portal.url}/webhooks/stripe", clock)
    assert send(event, secret="whsec_of_somebody_else").status_code == 400
    first = Cursor.get_by_id("webhook signature failed").updated_at
    clock.advance(seconds=30)
    assert send(event, secret="whsec_of_somebody_else").status_code == 400
    assert Cursor.get_by_id("webhook signature failed").updated_at == first
    clock.advance(seconds=31)
    assert send(event, secret="whsec_of_somebody_else").status_code == 400
    assert Cursor.get_by_id("webhook signature failed").updated_at == clock.now()
    assert "carry a wrong signature" in reception.goes_to("/staff/webhook-events").text
    clock.advance(seconds=10)
    assert send(event).status_code == 200
    assert "Not working right now" not in reception.goes_to("/staff/attention").text
