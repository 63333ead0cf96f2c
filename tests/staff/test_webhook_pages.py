"""What Stripe told us, as staff read it."""

from collections.abc import Callable

from portal.deps import Deps
from portal.models import Refund, Reservation, WebhookEvent
from stripe_simulator import Control
from tests.actors import Clock, rows
from tests.refunds.hotel import Hotelier
from tests.staff.desk import Desk

Make = Callable[..., Reservation]


def test_messages_are_listed_and_one_that_waits_is_processed_again(
    reception: Desk, deps: Deps, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    hotel = Hotelier(deps, stripe, clock)
    assert "No message matches." in reception.goes_to("/staff/webhook-events").text
    stay = make_reservation()
    payment = hotel.is_paid(stay)
    done = WebhookEvent.get(WebhookEvent.type == "checkout.session.completed")
    stripe.refund(hotel.intent(stay), 1_000)
    hotel.hears(only=["charge.refunded"])
    waiting = WebhookEvent.get(WebhookEvent.type == "charge.refunded")
    assert waiting.processed_at is None
    page = reception.goes_to("/staff/webhook-events")
    assert page.text.index("charge.refunded", page.text.index("newest first")) > 0
    assert "Waiting 1" in page.text
    assert stay.email not in page.html
    shown = reception.goes_to(f"/staff/webhook-events?code={stay.code.lower()}&type=charge.refunded&result=pending")
    reception.goes_to(shown.link("charge.refunded"))
    assert "not yet" in reception.page.text
    assert "It has had its effect." in reception.submits(waiting.event_id).text
    assert [(refund.amount, refund.kind) for refund in rows(Refund)] == [(1_000, "external")]
    assert not reception.page.forms(waiting.event_id)
    page = reception.goes_to(f"/staff/webhook-events/{done.event_id}")
    assert "This message is done" in page.text
    assert payment.public_id in page.text
    assert stay.email not in page.html
    assert page.link("Check with Stripe").endswith(f"{stay.code}/actions/check-with-stripe")


def test_odd_addresses_and_many_messages(
    reception: Desk, clock: Clock, count_statements: Callable[[Callable[[], object]], int]
) -> None:
    def add(first: int, count: int) -> None:
        now = clock.now()
        for number in range(first, first + count):
            WebhookEvent.insert(
                event_id=f"evt_{number:04}",
                type="charge.succeeded",
                created=now,
                livemode=False,
                payload_hash="",
                received_at=now,
                processed_at=now,
                result="skipped",
            ).execute()

    add(0, 2)
    few = count_statements(lambda: reception.goes_to("/staff/webhook-events"))
    add(2, 60)
    assert count_statements(lambda: reception.goes_to("/staff/webhook-events")) == few
    first = set(_events(reception))
    reception.goes_to(reception.page.link("Next page"))
    assert len(first) == 50
    assert len(first | set(_events(reception))) == 62
    assert reception.goes_to("/staff/webhook-events/evt_nothing").status == 404
    assert reception.goes_to("/staff/webhook-events/evt%00%F0%9F%8D%8B").status == 404
    assert reception.goes_to("/staff/webhook-events?code=%00x&type=%00&result=%F0%9F%8D%8B&after=zzz").status == 200


def _events(desk: Desk) -> list[str]:
    links = [str(a.get("href")) for a in desk.page.root.iter("a")]
    return [link for link in links if "/webhook-events/evt_" in link]
