"""A guest pays, and reads the truth at every step."""

from collections.abc import Callable

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, AuditLog, OutgoingMail, Payment, Reservation, RoomNight, WebhookEvent
from stripe_simulator import Control
from tests.actors import Clock, Guest, rows, session_of

Make = Callable[..., Reservation]


def test_a_guest_pays_and_the_webhook_confirms(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    page = guest.opens_link(reservation)
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("pending", "unpaid", 112_500)
    assert "€1,125.00" in page.text

    session = session_of(guest.presses_pay())
    assert stripe.pay(session)["status"] == "paid"
    assert set(stripe.deliver()) == {200}

    page = guest.opens_link(reservation)
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("confirmed", "paid", 0)
    (payment,) = rows(Payment)
    assert (payment.status, payment.disposition, payment.received_amount) == ("succeeded", "kept", 112_500)
    assert payment.payment_intent_id == stripe.truth()["payment_intents"][0]["id"]
    assert len(rows(RoomNight, reservation=reservation.id)) == 3
    assert rows(Alert) == []
    assert all(event.payload is None for event in rows(WebhookEvent))
    moves = [(entry.entity, entry.from_state, entry.to_state) for entry in rows(AuditLog)]
    assert ("reservation", "pending", "confirmed") in moves


def test_the_success_page_is_true_before_the_webhook_comes(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    returned_to = stripe.pay(session)["session"]["success_url"]

    page = guest.goes_to(returned_to)
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")
    assert "4242" in page.text
    assert set(stripe.deliver()) == {200}
    assert len(rows(Payment)) == 1
    assert sum(entry.to_state == "confirmed" for entry in rows(AuditLog)) == 1


def test_the_worker_alone_confirms_when_no_webhook_ever_comes(
    guest: Guest, stripe: Control, clock: Clock, deps: Deps, make_reservation: Make
) -> None:
    stripe.webhooks("off")
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))

    clock.advance(minutes=3)
    jobs.run_once(deps)

    page = guest.goes_to(f"/reservations/{reservation.code}")
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("confirmed", "paid", 0)
    (payment,) = rows(Payment)
    assert (payment.card_brand, payment.card_last4) == ("visa", "4242")
    assert rows(WebhookEvent) == []


def test_the_worker_learns_the_card_that_webhooks_do_not_name(
    guest: Guest, stripe: Control, deps: Deps, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()), card="5555555555554444")
    stripe.deliver()
    jobs.run_once(deps)

    page = guest.goes_to(f"/reservations/{reservation.code}/success")
    assert "Mastercard ending 4444" in page.text


def test_a_guest_who_found_the_stay_by_code_pays_like_one_with_the_link(
    guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    page = guest.finds(reservation.code.lower(), "INES@carvalho.example ")
    assert page.reservation_status == "pending"
    page = guest.goes_to(stripe.pay(session_of(guest.presses_pay()))["session"]["success_url"])
    assert page.reservation_status == "confirmed"


def test_a_guest_passes_3d_secure_and_has_a_room(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())

    assert stripe.pay(session, card="4000000000003220")["status"] == "authentication_required"
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "pending"

    assert stripe.authenticate(session, "pass")["status"] == "paid"
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "confirmed"


def test_a_confirmed_stay_offers_no_way_to_pay_again(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    stale = guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()

    for path in ("", "/success", "/failed", "/payments"):
        assert guest.goes_to(f"/reservations/{reservation.code}{path}").forms("/pay") == []

    guest.page = stale  # the Pay button of a page from before
    page = guest.presses_pay_in_vain()
    assert page.url.endswith("/success")
    assert len(stripe.truth()["sessions"]) == 1
    assert len(rows(Payment)) == 1


def test_a_stay_that_costs_nothing_asks_for_no_payment(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation(total=0)
    page = guest.opens_link(reservation)
    assert (page.reservation_status, page.payment_status, page.amount_due) == ("pending", "unpaid", 0)
    assert page.forms("/pay") == []
    assert "There is nothing to pay" in page.text

    token = {"csrf_token": guest.page.fields(guest.page.forms()[0])["csrf_token"]}
    answer = guest.browser.post(f"{guest.portal_url}/reservations/{reservation.code}/pay", data=token)
    assert "nothing to pay" in answer.text
    assert stripe.truth()["sessions"] == []
    assert rows(Payment) == rows(OutgoingMail) == []
