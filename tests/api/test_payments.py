"""Payments over the API: the page to pay on, trying again, how it stands."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from portal.deps import Deps
from portal.models import Payment, Reservation
from portal.services import offline_payments
from stripe_simulator import Control
from tests.actors import Clock, rows
from tests.api.program import Answer, Program
from tests.refunds.hotel import Hotelier

Make = Callable[..., Reservation]
AsGuest = Callable[[Reservation], Program]
SESSION = {
    "payment_id",
    "checkout_session_id",
    "checkout_url",
    "expires_at",
    "amount",
    "currency",
    "attempt_number",
}
DECLINED = "4000000000000002"


def start(program: Program, stay: Reservation, **more: Any) -> Answer:
    return program.post("/payments/checkout-session", {"reservation_id": stay.code, **more})


def test_from_nothing_to_paid_and_back(
    program: Program, new_stay: dict[str, Any], stripe: Control, clock: Clock
) -> None:
    """A booking site adds a stay, asks for a payment page, the guest pays there, and later everything is refunded."""
    code = program.post("/reservations", new_stay).body["reservation_id"]
    nothing = program.get(f"/payments/{code}/status")
    assert (nothing.status, nothing.code) == (404, "ERR_404")
    assert program.get(f"/payments/{code}/history").body["payments"] == []
    session = program.post("/payments/checkout-session", {"reservation_id": code})
    assert session.status == 201
    assert set(session.body) == SESSION
    assert (session.body["amount"], session.body["currency"], session.body["attempt_number"]) == (40_000, "EUR", 1)
    waiting = program.get(f"/payments/{code}/status").body
    assert (waiting["payment"]["status"], waiting["has_completed_payment"]) == ("pending", False)
    stripe.pay(session.body["checkout_session_id"])
    assert set(stripe.deliver()) == {200}
    paid = program.get(f"/payments/{code}/status").body
    assert (paid["reservation_status"], paid["has_completed_payment"], paid["is_refunded"]) == (
        "confirmed",
        True,
        False,
    )
    assert (paid["refund_amount"], paid["payment_attempts"]) == (0, 1)
    payment = paid["payment"]
    assert payment["payment_id"] == session.body["payment_id"]
    assert (payment["status"], payment["payment_method"], payment["provider"]) == ("completed", "card", "stripe")
    assert payment["provider_transaction_id"] == payment["stripe_payment_intent_id"]
    assert payment["stripe_payment_intent_id"].startswith("pi_")
    assert payment["stripe_checkout_session_id"] == session.body["checkout_session_id"]
    assert payment["completed_at"].endswith("Z")
    assert (payment["error_message"], payment["stripe_refund_id"], payment["refund_amount"]) == (None, None, None)
    refund = program.post(f"/payments/{payment['payment_id']}/refund")
    assert refund.status == 200
    after = program.get(f"/payments/{code}/status").body
    assert (after["reservation_status"], after["payment"]["status"], after["is_refunded"]) == (
        "cancelled",
        "refunded",
        True,
    )
    assert (after["refund_amount"], after["payment"]["refund_amount"]) == (40_000, 40_000)
    assert after["payment"]["stripe_refund_id"] == refund.body["stripe_refund_id"]
    history = program.get(f"/payments/{code}/history").body
    assert (history["total_paid"], history["total_refunded"], history["balance"]) == (40_000, 40_000, 0)
    assert [entry["status"] for entry in history["payments"]] == ["refunded"]
    assert [(entry["amount"], entry["status"]) for entry in history["refunds"]] == [(40_000, "succeeded")]


def test_an_open_page_is_given_again(program: Program, as_guest: AsGuest, make_reservation: Make) -> None:
    stay = make_reservation()
    first, second = start(program, stay), start(as_guest(stay), stay)
    assert first.body == second.body
    again = program.post(f"/payments/{stay.code}/retry")
    assert (again.status, again.body) == (200, first.body)


def test_a_page_that_leads_elsewhere_makes_way(
    program: Program, make_reservation: Make, stripe: Control, allow_origin: str
) -> None:
    stay = make_reservation()
    first = start(program, stay)
    urls = {"success_url": f"{allow_origin}/thanks?id={{CHECKOUT_SESSION_ID}}", "cancel_url": f"{allow_origin}/back"}
    second = start(program, stay, **urls)
    assert second.body["checkout_session_id"] != first.body["checkout_session_id"]
    sessions = {session["id"]: session for session in stripe.truth()["sessions"]}
    assert sessions[first.body["checkout_session_id"]]["status"] == "expired"
    assert sessions[second.body["checkout_session_id"]]["success_url"] == urls["success_url"]
    assert start(program, stay, **urls).body == second.body
    assert start(program, stay).body == second.body  # who wants nothing takes what is open
    assert second.body["attempt_number"] == 1


def test_one_that_was_paid_meanwhile_is_not_paid_twice(
    program: Program, make_reservation: Make, stripe: Control, allow_origin: str
) -> None:
    stay = make_reservation()
    stripe.pay(start(program, stay).body["checkout_session_id"])
    refused = start(program, stay, success_url=f"{allow_origin}/thanks")
    assert (refused.status, refused.details["reservation_status"]) == (400, "confirmed")
    assert len(rows(Payment)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example",
        "/relative",
        "javascript:alert(1)",
        "https://shop.hotel.example@evil.example/",
        "https://shop.hotel.example.evil.example/",
        "https://shop.hotel.example\\@evil.example/",
        "https://shop.hotel.example/a b",
        "https://shop.hotel.example/\r\nX: y",
        "https://shop.hotel.example/é",
        "http://shop.hotel.example/",
        "https://[",
        "",
        "https://shop.hotel.example/" + "x" * 2000,
    ],
)
@pytest.mark.exhaustive
def test_guests_are_sent_nowhere_else(program: Program, make_reservation: Make, allow_origin: str, url: str) -> None:
    refused = start(program, make_reservation(), success_url=url)
    assert (refused.status, refused.code) == (400, "ERR_400")
    assert set(refused.details["fields"]) == {"success_url"}
    assert rows(Payment) == []


def test_three_declines_and_then_the_hotel_decides(
    program: Program, make_reservation: Make, stripe: Control, clock: Clock
) -> None:
    stay = make_reservation()
    session = start(program, stay)
    for attempt in (1, 2, 3):
        assert session.body["attempt_number"] == attempt
        stripe.pay(session.body["checkout_session_id"], DECLINED)
        stripe.deliver()
        status = program.get(f"/payments/{stay.code}/status").body
        assert status["payment"]["error_message"] == "The card was declined. Nothing was charged."
        assert (status["reservation_status"], status["payment"]["status"]) == ("pending", "pending")
        session = program.post(f"/payments/{stay.code}/retry")
    assert session.status == 200  # the last page is still open, and may be paid
    clock.advance(minutes=40)
    stripe.deliver()
    refused = program.post(f"/payments/{stay.code}/retry")
    assert (refused.status, refused.code) == (400, "ERR_400")
    assert refused.details == {"attempts": 3, "max_attempts": 3}
    assert program.get(f"/payments/{stay.code}/status").body["payment"]["status"] == "failed"


def test_when_nothing_can_be_paid_it_says_why(
    program: Program, make_reservation: Make, deps: Deps, hotel: Hotelier, paid: Reservation, clock: Clock
) -> None:
    assert start(program, paid).details == {"reservation_status": "confirmed"}
    free = make_reservation(room="River room", total=0)
    assert start(program, free).status == 400
    other = make_reservation(room="River room", in_days=40)
    nothing = program.post(f"/payments/{other.code}/retry")
    assert (nothing.status, nothing.body["message"]) == (400, "There is no payment to try again.")
    clock.advance(hours=25)
    assert set(start(program, other).details) == {"hold_until"}
    hotel.works()
    assert start(program, other).details == {"reservation_status": "expired"}
    unknown = program.post("/payments/checkout-session", {"reservation_id": "AAAA-BBBB-CCCC"})
    assert (unknown.status, unknown.code) == (404, "ERR_006")


def test_while_stripe_is_away_nothing_is_charged_and_it_says_so(
    program: Program, make_reservation: Make, stripe: Control
) -> None:
    stay = make_reservation()
    stripe.fault("500", path="/v1/checkout/sessions", times=10)
    refused = start(program, stay)
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "ERR_STRIPE", "30")
    assert "Nothing was charged" in refused.body["message"]
    stripe.clear_faults()
    assert start(program, stay).status == 201


def test_fifty_at_once_open_one_page(program: Program, make_reservation: Make, stripe: Control) -> None:
    stay = make_reservation()
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(start(program, stay))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["checkout_session_id"] for answer in answers}) == 1
    assert len(stripe.truth()["sessions"]) == 1


def test_too_many_are_slowed_down(program: Program, make_reservation: Make) -> None:
    stay = make_reservation()
    answers = [start(program, stay) for _ in range(21)]
    assert (answers[-1].status, answers[-1].code, answers[-1].headers["Retry-After"]) == (429, "ERR_RATE", "60")


def test_cash_counts_too(program: Program, make_reservation: Make, deps: Deps) -> None:
    stay = make_reservation()
    offline_payments.record_offline(deps, stay.id, 112_500, actor="staff 1")
    status = program.get(f"/payments/{stay.code}/status").body
    assert (status["payment"]["payment_method"], status["payment"]["status"]) == ("offline", "completed")
    assert status["payment_attempts"] == 0


def test_a_guest_sees_the_own_payments_alone(as_guest: AsGuest, make_reservation: Make, paid: Reservation) -> None:
    stay = make_reservation(room="River room")
    guest = as_guest(stay)
    for path in ("status", "history"):
        refused = guest.get(f"/payments/{paid.code}/{path}")
        assert (refused.status, refused.code) == (403, "ERR_007")
        assert refused.body == guest.get(f"/payments/AAAABBBBCCCC/{path}").body
    assert start(guest, paid).code == "ERR_007"
    theirs = guest.post(f"/payments/{rows(Payment)[0].public_id}/refund")
    assert (theirs.status, theirs.body) == (403, guest.post("/payments/PAY-UNKNOWN/refund").body)
    assert Reservation.get_by_id(paid.id).status == "confirmed"
