"""Several hands on the same money at the same moment: one cancellation, one refund, and nobody meets an error."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from portal.models import Cancellation, Payment, Refund, Reservation
from portal.services import cancellations, refund_sending, staff_refunds, webhook_events
from portal.services.cancellations import MayNotCancel, QuoteChanged
from portal.services.money_back import MoneyBack
from stripe_simulator import Control
from tests.actors import Guest, rows
from tests.concurrency.together import all_well, at_once
from tests.refunds.hotel import REFUNDS, WHOLE, Hotelier, alerts, refunds_of, status

Make = Callable[..., Reservation]


def cancels(hotel: Hotelier, reservation: Reservation, actor: str = "guest") -> Callable[[], Any]:
    return lambda: cancellations.cancel(
        hotel.deps, reservation.id, percent=100, due=WHOLE, actor=actor, staff=actor != "guest"
    )


def gave_back_once(hotel: Hotelier, reservation: Reservation, kind: str = "policy") -> None:
    assert len(rows(Cancellation)) == 1
    assert refunds_of(reservation) == [(kind, WHOLE, "succeeded")]
    assert [amount for _, amount, _ in hotel.sent()] == [WHOLE]
    hotel.hears()
    hotel.books_are_right()


def test_twenty_tabs_cancel_and_the_guest_gets_the_money_once(
    guest: Guest, guest_pays: Callable[..., None], hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest_pays(reservation)
    guest.goes_to(f"/reservations/{reservation.code}/cancel")
    (form,) = guest.page.forms("/cancel")
    address, fields = guest.portal_url + str(form.get("action")), guest.page.fields(form) | {"reason": "plans"}

    def press() -> int:
        with requests.Session() as tab:
            tab.trust_env = False
            answer = tab.post(address, fields, cookies=guest.browser.cookies, allow_redirects=False, timeout=60)
            return answer.status_code

    assert set(all_well(at_once([press] * 20))) == {303}
    hotel.works()
    gave_back_once(hotel, reservation)


def test_guest_and_staff_cancel_together(hotel: Hotelier, paid: Reservation) -> None:
    outcomes = at_once([cancels(hotel, paid), cancels(hotel, paid, "staff")] * 3)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert [(type(error), str(error)) for error in refused] == [(MayNotCancel, "cancelled")] * 5
    gave_back_once(hotel, paid)


def test_a_cancellation_races_the_message_that_the_stay_is_paid(hotel: Hotelier, make_reservation: Make) -> None:
    for number in range(4):
        reservation = make_reservation(in_days=30 + 3 * number)
        hotel.stripe.pay(hotel.opens_session(reservation))
        event = hotel.stripe.events("checkout.session.completed")[-1]

        def cancel(stay: Reservation = reservation) -> Any:
            """Whatever the page shows at that moment."""
            try:
                return hotel.cancels(stay)
            except QuoteChanged:
                return hotel.cancels(stay)

        all_well(at_once([lambda event=event: hotel.takes(event), cancel]))  # type: ignore[misc]
        hotel.hears()
        hotel.works()
        kept = status(reservation)[1] == WHOLE
        assert status(reservation)[0] == "cancelled"
        assert [row for row in refunds_of(reservation) if row[2] != "canceled"] == [
            ("policy" if kept else "returned", WHOLE, "succeeded")
        ]
    assert [amount for _, amount, _ in hotel.sent()] == [WHOLE] * 4
    hotel.hears()
    hotel.books_are_right()


def test_five_workers_send_the_same_refund_and_stripe_makes_it_once(
    hotel: Hotelier, paid: Reservation, stripe: Control
) -> None:
    stripe.fault("500", path=REFUNDS, times=10)
    hotel.cancels(paid)
    stripe.clear_faults()
    hotel.clock.advance(minutes=6)
    asked = len([c for c in stripe.requests() if c["method"] == "POST" and c["path"] == REFUNDS])
    assert sum(all_well(at_once([lambda: refund_sending.send_due(hotel.deps)] * 5))) == 1
    assert len([c for c in stripe.requests() if c["method"] == "POST" and c["path"] == REFUNDS]) == asked + 1
    gave_back_once(hotel, paid)


def test_messages_about_a_refund_arrive_while_it_is_being_sent(hotel: Hotelier, paid: Reservation) -> None:
    stripe, create = hotel.deps.stripe, hotel.deps.stripe.create_refund

    def makes_and_tells(*order: Any) -> Any:
        seen = create(*order)
        at_once([lambda: hotel.hears(copies=2)] * 3)
        return seen

    with pytest.MonkeyPatch.context() as moment:
        moment.setattr(stripe, "create_refund", makes_and_tells)
        hotel.cancels(paid)
    gave_back_once(hotel, paid)


def test_a_dashboard_refund_is_heard_of_between_cancelling_and_sending(
    hotel: Hotelier, paid: Reservation, stripe: Control
) -> None:
    stripe.fault("500", path=REFUNDS, times=2)
    hotel.cancels(paid)
    stripe.clear_faults()
    stripe.refund(hotel.intent(paid), 50_000)
    hotel.clock.advance(minutes=6)
    at_once([hotel.hears, lambda: refund_sending.send_due(hotel.deps), lambda: refund_sending.send_due(hotel.deps)])
    hotel.works_until_quiet(1)
    hotel.hears(copies=2)
    assert sorted(amount for _, amount, _ in hotel.sent()) == [50_000, 62_500]
    left = [row for row in refunds_of(paid) if row[2] != "canceled"]
    assert sorted(left) == [("external", 50_000, "succeeded"), ("policy", 62_500, "succeeded")]
    hotel.books_are_right()


def test_staff_refund_while_the_guest_cancels(hotel: Hotelier, paid: Reservation) -> None:
    payment = MoneyBack(paid).kept[0]

    def staff() -> Any:
        try:
            return staff_refunds.refund_by_staff(hotel.deps, payment.id, 30_000, reason="", actor="staff")
        except staff_refunds.BadRefund as why:
            return why

    at_once([staff, cancels(hotel, paid)])
    if status(paid)[0] == "confirmed":
        hotel.cancels(paid)  # the sum had changed; the guest looked again
    hotel.works()
    assert sum(amount for _, amount, state in refunds_of(paid) if state != "canceled") == WHOLE
    assert sum(amount for _, amount, _ in hotel.sent()) == WHOLE
    hotel.hears()
    hotel.books_are_right()


def test_two_members_of_staff_try_a_failed_refund_again_together(hotel: Hotelier, paid: Reservation) -> None:
    hotel.cancels(paid)
    (old,) = rows(Refund)
    hotel.stripe.move_refund(old.stripe_id, "failed")
    hotel.hears()
    outcomes = at_once([lambda: staff_refunds.retry(hotel.deps, old.id, actor="staff")] * 6)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadRefund"] * 5 + ["Refund"]
    hotel.works()
    assert refunds_of(paid) == [("policy", WHOLE, "failed"), ("policy", WHOLE, "succeeded")]
    hotel.books_are_right()


def test_a_dispute_opens_while_the_guest_cancels(hotel: Hotelier, paid: Reservation) -> None:
    hotel.stripe.dispute(hotel.intent(paid))
    at_once([hotel.hears, cancels(hotel, paid), lambda: webhook_events.retry_waiting(hotel.deps)])
    hotel.works_until_quiet(1)
    assert hotel.sent() == []
    assert "dispute" in alerts()
    assert Payment.select().count() == 1
    assert status(paid) == ("cancelled", WHOLE)
    hotel.books_are_right()
