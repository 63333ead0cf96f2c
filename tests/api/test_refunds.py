"""Refunds over the API: the policy's sums to the cent, and the hotel's own decisions."""

from collections.abc import Callable

import pytest

from portal.gateways.stripe_gateway import StripeGateway, StripeRefused
from portal.models import Alert, Cancellation, Payment, Refund, Reservation
from stripe_simulator import Control
from tests.actors import Clock, rows
from tests.api.program import Program, make_token
from tests.refunds.hotel import Hotelier

Make = Callable[..., Reservation]
AsGuest = Callable[[Reservation], Program]
FIELDS = {"payment_id", "stripe_refund_id", "amount", "status", "refunded_at", "refund_policy", "original_amount"}


def refund_path() -> str:
    return f"/payments/{rows(Payment)[-1].public_id}/refund"


@pytest.mark.parametrize(
    ("days", "total", "amount", "policy"),
    [
        (15, 112_500, 112_500, "full_refund"),
        (14, 112_500, 112_500, "full_refund"),
        (13, 112_500, 56_250, "partial_refund_50"),
        (10, 11_111, 5_555, "partial_refund_50"),
        (7, 112_500, 56_250, "partial_refund_50"),
        (6, 112_500, None, None),
        (1, 112_500, None, None),
        (0, 112_500, None, None),
    ],
)
@pytest.mark.exhaustive
def test_the_policy_decides_by_days(
    program: Program, hotel: Hotelier, make_reservation: Make, days: int, total: int, amount: int | None, policy: str
) -> None:
    stay = make_reservation(in_days=days, total=total)
    hotel.is_paid(stay)
    answer = program.post(refund_path())
    if amount is None:
        assert (answer.status, answer.code) == (400, "ERR_400")
        assert answer.details == {
            "check_in_date": stay.check_in.isoformat(),
            "days_until_checkin": days,
            "policy": "no_refund",
        }
        assert Reservation.get_by_id(stay.id).status == "confirmed"
        assert hotel.sent() == []
        return
    assert answer.status == 200
    assert set(answer.body) == FIELDS
    assert (answer.body["amount"], answer.body["refund_policy"], answer.body["status"]) == (amount, policy, "succeeded")
    assert answer.body["original_amount"] == total
    assert answer.body["refunded_at"].endswith("Z")
    assert [sent[1:] for sent in hotel.sent()] == [(amount, "succeeded")]
    assert Reservation.get_by_id(stay.id).status == "cancelled"


def test_once_is_enough(program: Program, hotel: Hotelier, paid: Reservation) -> None:
    assert program.post(refund_path()).status == 200
    again = program.post(refund_path())
    assert (again.status, again.details["reservation_status"]) == (400, "cancelled")
    assert len(hotel.sent()) == 1


def test_the_hotel_gives_a_sum_back_and_the_stay_stays(program: Program, hotel: Hotelier, paid: Reservation) -> None:
    first = program.post(refund_path(), {"amount": 10_000, "reason": "no hot water"}, Idempotency_Key="k")
    again = program.post(refund_path(), {"amount": 10_000, "reason": "no hot water"}, Idempotency_Key="k")
    assert (first.status, first.body["refund_policy"], first.body["amount"]) == (200, "manual_refund", 10_000)
    assert first.body == again.body
    assert Reservation.get_by_id(paid.id).status == "confirmed"
    second = program.post(refund_path(), {"amount": 5_000})
    assert second.body["stripe_refund_id"] != first.body["stripe_refund_id"]
    too_much = program.post(refund_path(), {"amount": 97_501})
    assert (too_much.status, too_much.code) == (400, "ERR_400")
    assert sorted(amount for _, amount, _ in hotel.sent()) == [5_000, 10_000]


@pytest.mark.parametrize("amount", [0, -1, "100", 1.5, True, 10**30])
def test_an_amount_is_a_whole_positive_number(
    program: Program, hotel: Hotelier, paid: Reservation, amount: object
) -> None:
    refused = program.post(refund_path(), {"amount": amount})
    assert (refused.status, refused.code, set(refused.details["fields"])) == (400, "ERR_400", {"amount"})
    assert hotel.sent() == []


def test_a_guest_takes_what_the_policy_gives_and_chooses_no_sum(
    as_guest: AsGuest, hotel: Hotelier, paid: Reservation
) -> None:
    guest = as_guest(paid)
    refused = guest.post(refund_path(), {"amount": 112_500})
    assert (refused.status, refused.code) == (403, "ERR_007")
    assert guest.post(refund_path()).body["amount"] == 112_500


def test_while_stripe_is_away_the_refund_is_pending_and_comes_later(
    program: Program, hotel: Hotelier, paid: Reservation, stripe: Control
) -> None:
    stripe.fault("500", path="/v1/refunds", times=20)
    answer = program.post(refund_path())
    assert (answer.status, answer.body["status"], answer.body["stripe_refund_id"]) == (200, "pending", None)
    assert Reservation.get_by_id(paid.id).status == "cancelled"
    stripe.clear_faults()
    hotel.works_until_quiet(2)
    assert [sent[1:] for sent in hotel.sent()] == [(112_500, "succeeded")]


def test_a_refund_that_stripe_refuses_is_told_and_the_cancellation_stands(
    program: Program, hotel: Hotelier, paid: Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise StripeRefused("charge_not_refundable")

    monkeypatch.setattr(StripeGateway, "create_refund", refuses)
    answer = program.post(refund_path(), {}, Idempotency_Key="k")
    assert (answer.status, answer.code) == (502, "ERR_STRIPE")
    assert answer.details["amount"] == 112_500
    assert Reservation.get_by_id(paid.id).status == "cancelled"
    assert "refund refused by Stripe" in [alert.kind for alert in rows(Alert)]
    assert program.post(refund_path(), {}, Idempotency_Key="k").status == 502
    assert len(rows(Refund)) == 1


def test_what_brought_no_money_gives_none_back(
    program: Program, make_reservation: Make, stripe: Control, hotel: Hotelier, paid: Reservation
) -> None:
    open_one = make_reservation(room="River room")
    made = program.post("/payments/checkout-session", {"reservation_id": open_one.code})
    refused = program.post(f"/payments/{made.body['payment_id']}/refund")
    assert (refused.status, refused.details["status"]) == (400, "open")
    unknown = program.post("/payments/PAY-NOTHING/refund")
    assert (unknown.status, unknown.code) == (404, "ERR_404")


def test_a_token_for_reservations_alone_refunds_nothing(program: Program, hotel: Hotelier, paid: Reservation) -> None:
    limited = Program(program.url, make_token(hotel.deps, "reservations"))
    assert limited.post(refund_path()).code == "ERR_007"
    assert hotel.sent() == []


def test_days_count_at_the_hotel(program: Program, hotel: Hotelier, make_reservation: Make, clock: Clock) -> None:
    stay = make_reservation(in_days=15)
    hotel.is_paid(stay)
    clock.advance(days=2)
    assert program.post(refund_path()).body["refund_policy"] == "partial_refund_50"


@pytest.mark.parametrize("reason", ["a\x00b", "two\nlines", "\u202eevil", "x" * 201])
def test_a_reason_that_cannot_be_shown_sends_nothing(program: Program, paid: Reservation, reason: str) -> None:
    for body in ({"amount": 100, "reason": reason}, {"reason": reason}):
        refused = program.post(refund_path(), body)
        assert (refused.status, refused.code) == (400, "ERR_400")
        assert set(refused.details["fields"]) == {"reason"}
    assert rows(Refund) == []
    assert Reservation.get_by_id(paid.id).status == "confirmed"


def test_the_reason_is_kept_for_the_hotel(program: Program, paid: Reservation) -> None:
    program.post(refund_path(), {"amount": 100, "reason": "no breakfast"})
    program.post(refund_path(), {"reason": "flight was cancelled"})
    assert [row.reason for row in rows(Refund)] == ["no breakfast", "cancelled"]
    assert Cancellation.get().reason == "flight was cancelled"
