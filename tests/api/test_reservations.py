"""Reservations over the API: what a booking site and a guest's own program read."""

from collections.abc import Callable
from typing import Any

import pytest

from portal import db
from portal.deps import Deps
from portal.models import OutgoingMail, Reservation, RoomNight
from portal.services import cancellations, reservations
from portal.services.cancellations import Quote, QuoteChanged
from tests.actors import Clock
from tests.api.program import Program, make_token
from tests.refunds.hotel import Hotelier

Make = Callable[..., Reservation]
AsGuest = Callable[[Reservation], Program]
IN_SHORT = {"reservation_id", "status", "total", "currency", "amount_due", "hold_until", "link"}


def test_a_booking_site_adds_a_stay_and_its_guest_finds_it(
    program: Program, new_stay: dict[str, Any], clock: Clock
) -> None:
    made = program.post("/reservations", {**new_stay, "send_link": True, "locale": "pt-PT", "children": 1})
    assert made.status == 201
    assert set(made.body) == IN_SHORT
    assert made.body["status"] == "pending"
    assert (made.body["total"], made.body["amount_due"], made.body["currency"]) == (40_000, 40_000, "EUR")
    assert made.body["hold_until"].endswith("Z")
    read = program.get(f"/reservations/{made.body['reservation_id']}")
    assert read.status == 200
    assert read.body.items() >= made.body.items()
    assert (read.body["guest_name"], read.body["email"], read.body["children"]) == ("Ana Lima", "ana@lima.example", 1)
    assert read.body["lines"] == [
        {"label": "River room", "amount": 40_000, "detail": "2 nights", "vat_percent": "6"},
    ]
    assert [(step["percent"], step["amount"]) for step in read.body["policy"]] == [(100, 40_000), (50, 20_000), (0, 0)]
    assert read.body["policy"][-1]["last_date"] is None
    assert OutgoingMail.select().where(OutgoingMail.kind == "private_link").count() == 1


def test_the_code_may_be_written_in_any_way(program: Program, make_reservation: Make) -> None:
    code = make_reservation().code
    for written in (code, code.lower(), f"{code[:4]}-{code[4:8]}-{code[8:]}"):
        assert program.get(f"/reservations/{written}").status == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"room": "Attic"}, "room"),
        ({"adults": "2"}, "adults"),
        ({"adults": True}, "adults"),
        ({"adults": 2.0}, "adults"),
        ({"adults": 40}, "room"),
        ({"check_in": "2026-02-31"}, "check_in"),
        ({"check_in": "2020-01-01"}, "check_in"),
        ({"check_out": "0000-00-00"}, "check_out"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.example\r\nBcc: x@y.example"}, "email"),
        ({"guest_name": "A\u0000"}, "guest_name"),
        ({"guest_name": "\u202eevil"}, "guest_name"),
        ({"guest_name": "  "}, "guest_name"),
        ({"lines": []}, "lines"),
        ({"lines": [{"label": "x", "amount": 49}]}, "lines"),
        ({"lines": [{"label": "x", "amount": 1e9}]}, "lines[0].amount"),
        ({"lines": [{"label": "x", "amount": 100, "vat_percent": "101"}]}, "lines[0]"),
        ({"lines": [{"label": "x", "amount": 100, "price": 3}]}, "lines[0].price"),
        ({"locale": "<script>"}, "locale"),
        ({"hold_hours": 0}, "hold_hours"),
        ({"total": 1}, "total"),
        ({"guest_name": None}, "guest_name"),
    ],
)
@pytest.mark.exhaustive
def test_what_cannot_be_is_named_by_its_field_and_nothing_is_stored(
    program: Program, new_stay: dict[str, Any], changes: dict[str, Any], field: str
) -> None:
    refused = program.post("/reservations", {**new_stay, **changes})
    assert (refused.status, refused.code) == (400, "ERR_400")
    assert field in refused.details["fields"]
    assert Reservation.select().count() == 0


def test_nights_are_never_given_twice(program: Program, new_stay: dict[str, Any]) -> None:
    assert program.post("/reservations", new_stay).status == 201
    again = program.post("/reservations", new_stay)
    assert (again.status, again.code) == (400, "ERR_400")
    assert "not free" in again.details["fields"]["room"]
    assert RoomNight.select().count() == 2


def test_a_guest_reads_and_cancels_the_own_stay_and_no_other(
    as_guest: AsGuest, make_reservation: Make, new_stay: dict[str, Any]
) -> None:
    mine, other = make_reservation(), make_reservation(room="River room")
    guest = as_guest(mine)
    assert guest.get(f"/reservations/{mine.code}").status == 200
    answers = [guest.get(f"/reservations/{code}") for code in (other.code, "AAAA-BBBB-CCCC", "x", "%00")]
    assert {(answer.status, answer.code, answer.body["message"]) for answer in answers} == {
        (403, "ERR_007", "This is not the reservation of that token.")
    }
    assert guest.post(f"/reservations/{other.code}/cancel").code == "ERR_007"
    assert guest.post("/reservations", new_stay).code == "ERR_007"
    cancelled = guest.post(f"/reservations/{mine.code}/cancel", {})
    assert (cancelled.status, cancelled.body["reservation_status"]) == (200, "cancelled")
    assert Reservation.get_by_id(other.id).status == "pending"


def test_cancelling_says_what_goes_back(program: Program, hotel: Hotelier, paid: Reservation) -> None:
    quote = program.post(f"/reservations/{paid.code}/cancel", {"tier_percent": 50, "refund_amount": 56_250})
    assert (quote.status, quote.code) == (400, "ERR_400")
    assert quote.details == {"tier_percent": 100, "refund_amount": 112_500, "currency": "EUR"}
    assert Reservation.get_by_id(paid.id).status == "confirmed"
    done = program.post(f"/reservations/{paid.code}/cancel", {"tier_percent": 100, "refund_amount": 112_500})
    assert done.status == 200
    assert (done.body["percent"], done.body["refund_amount"], done.body["currency"]) == (100, 112_500, "EUR")
    (refund,) = done.body["refunds"]
    assert (refund["amount"], refund["status"]) == (112_500, "succeeded")
    assert refund["stripe_refund_id"].startswith("re_")
    again = program.post(f"/reservations/{paid.code}/cancel", {})
    assert (again.status, again.details["reservation_status"]) == (400, "cancelled")
    assert hotel.sent()[0][1:] == (112_500, "succeeded")


@pytest.mark.parametrize(("times", "status", "state"), [(1, 200, "cancelled"), (99, 400, "confirmed")])
def test_money_that_comes_in_at_this_very_moment(
    program: Program, paid: Reservation, monkeypatch: pytest.MonkeyPatch, times: int, status: int, state: str
) -> None:
    """What holds now was asked for: it is tried again, but not for ever."""
    left, cancel = [times], cancellations.cancel

    def changes(deps: Deps, reservation_id: int, **how: Any) -> Quote:
        if left[0]:
            left[0] -= 1
            raise QuoteChanged(cancellations.quote(deps, Reservation.get_by_id(reservation_id)))
        return cancel(deps, reservation_id, **how)

    monkeypatch.setattr(cancellations, "cancel", changes)
    answer = program.post(f"/reservations/{paid.code}/cancel", {})
    assert answer.status == status
    assert Reservation.get_by_id(paid.id).status == state


def test_a_policy_that_gives_nothing_cancels_all_the_same(
    program: Program, hotel: Hotelier, paid: Reservation, clock: Clock
) -> None:
    clock.advance(days=27)
    done = program.post(f"/reservations/{paid.code}/cancel", {})
    assert (done.status, done.body["percent"], done.body["refund_amount"], done.body["refunds"]) == (200, 0, 0, [])


def test_after_check_in_only_the_hotel_cancels(
    program: Program, as_guest: AsGuest, hotel: Hotelier, paid: Reservation, clock: Clock
) -> None:
    clock.advance(days=31)
    refused = as_guest(paid).post(f"/reservations/{paid.code}/cancel", {})
    assert (refused.status, refused.details["reservation_status"]) == (400, "arrived")
    assert program.post(f"/reservations/{paid.code}/cancel", {}).status == 200


def test_a_token_is_good_for_its_scopes_alone(program: Program, deps: Deps, new_stay: dict[str, Any]) -> None:
    only_payments = Program(program.url, make_token(deps, "payments"))
    refused = only_payments.post("/reservations", new_stay)
    assert (refused.status, refused.code) == (403, "ERR_007")
    unknown = program.get("/reservations/AAAA-BBBB-CCCC")
    assert (unknown.status, unknown.code) == (404, "ERR_006")


def test_a_busy_database_asks_for_patience(program: Program, make_reservation: Make) -> None:
    stay = make_reservation()
    with db.transaction():
        db.lock(Reservation, stay.id)  # on SQLite the transaction alone keeps every other writer out
        busy = program.post(f"/reservations/{stay.code}/cancel", {})
    assert (busy.status, busy.code) == (503, "ERR_UNAVAILABLE")
    assert int(busy.headers["Retry-After"]) > 0
    assert program.post(f"/reservations/{stay.code}/cancel", {}).status == 200


def test_a_fault_of_ours_says_nothing_of_its_cause_and_frees_the_key(
    program: Program, new_stay: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    with monkeypatch.context() as broken:
        broken.setattr(reservations, "add_reservation", fails)
        fault = program.post("/reservations", new_stay, Idempotency_Key="k")
    assert (fault.status, fault.code) == (500, "ERR_INTERNAL")
    assert "secret" not in str(fault.body)
    assert program.post("/reservations", new_stay, Idempotency_Key="k").status == 201
