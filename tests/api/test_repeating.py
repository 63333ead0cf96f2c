"""`Idempotency-Key`: what is repeated happens once, and whoever repeats it reads the first answer."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal import db
from portal.deps import Deps
from portal.models import ApiAnswer, Payment, Refund, Reservation
from portal.services import cancellations, forgetting, idempotency
from portal.services.idempotency import Claim, KeyInUse
from stripe_simulator import Control
from tests.actors import Clock, rows
from tests.api.program import Answer, Program
from tests.refunds.hotel import Hotelier


def test_a_repeated_request_gets_the_first_answer(program: Program, new_stay: dict[str, Any]) -> None:
    first = program.post("/reservations", new_stay, Idempotency_Key="order 17")
    again = program.post("/reservations", new_stay, Idempotency_Key="order 17")
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Reservation.select().count() == 1
    assert "/l/" not in rows(ApiAnswer)[0].body  # who reads the database finds no link that opens


def test_a_refusal_is_given_again_too(program: Program, new_stay: dict[str, Any]) -> None:
    bad = {**new_stay, "room": "Attic"}
    first = program.post("/reservations", bad, Idempotency_Key="a")
    again = program.post("/reservations", bad, Idempotency_Key="a")
    assert (first.status, again.status, first.body) == (400, 400, again.body)


def test_a_key_with_another_request_is_a_conflict(program: Program, new_stay: dict[str, Any]) -> None:
    made = program.post("/reservations", new_stay, Idempotency_Key="a")
    other = program.post("/reservations", {**new_stay, "adults": 2}, Idempotency_Key="a")
    elsewhere = program.post(f"/reservations/{made.body['reservation_id']}/cancel", new_stay, Idempotency_Key="a")
    assert [(answer.status, answer.code) for answer in (other, elsewhere)] == [(409, "ERR_409"), (400, "ERR_400")]
    cancel = program.post(f"/reservations/{made.body['reservation_id']}/cancel", {}, Idempotency_Key="a")
    assert (cancel.status, cancel.code) == (409, "ERR_409")
    assert Reservation.get().status == "pending"


@pytest.mark.parametrize("key", ["", "x" * 256, "t\tb", "\x7f"])
def test_a_key_that_cannot_be_one(program: Program, new_stay: dict[str, Any], key: str) -> None:
    refused = program.post("/reservations", new_stay, Idempotency_Key=key)
    assert (refused.status, refused.code) == (400, "ERR_400")
    assert Reservation.select().count() == 0


def test_keys_of_others_are_others(
    program: Program, make_reservation: Callable[..., Reservation], as_guest: Callable[[Reservation], Program]
) -> None:
    stay = make_reservation()
    program.post(f"/reservations/{stay.code}/cancel", {"tier_percent": 1}, Idempotency_Key="k")
    mine = as_guest(stay).post(f"/reservations/{stay.code}/cancel", {}, Idempotency_Key="k")
    assert mine.status == 200


def test_many_at_once_add_one_stay(program: Program, new_stay: dict[str, Any]) -> None:
    answers: list[Answer] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(program.post("/reservations", new_stay, Idempotency_Key="together"))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.body["reservation_id"] for answer in answers if answer.status == 201}) == 1
    assert Reservation.select().count() == 1
    assert program.post("/reservations", new_stay, Idempotency_Key="together").status == 201


def test_a_try_that_died_after_its_work_is_not_done_twice(
    program: Program, deps: Deps, paid: Reservation, hotel: Hotelier, clock: Clock
) -> None:
    """The stay was cancelled and its money sent back; then the process was gone before it could answer."""
    path = f"/api/reservations/{paid.code}/cancel"
    held = idempotency.claim(deps, "api token 1", "k", b"\0".join((b"POST", path.encode(), b"{}")))
    assert isinstance(held, Claim)
    quote = cancellations.quote(deps, Reservation.get_by_id(paid.id))
    cancellations.cancel(deps, paid.id, percent=quote.percent, due=quote.due, actor="x", staff=True, claim=held)
    busy = program.post(f"/reservations/{paid.code}/cancel", {}, Idempotency_Key="k")
    assert (busy.status, busy.headers["Retry-After"]) == (409, "5")
    clock.advance(minutes=3)
    again = program.post(f"/reservations/{paid.code}/cancel", {}, Idempotency_Key="k")
    assert (again.status, again.body["refund_amount"]) == (200, 112_500)
    assert len(rows(Refund)) == 1


def test_a_try_that_died_before_its_work_leaves_the_key_usable(
    program: Program, deps: Deps, new_stay: dict[str, Any], clock: Clock
) -> None:
    asked = b"\0".join((b"POST", b"/api/reservations", json.dumps(new_stay).encode()))
    idempotency.claim(deps, "api token 1", "k", asked)
    assert program.post("/reservations", new_stay, Idempotency_Key="k").status == 409
    assert Reservation.select().count() == 0
    clock.advance(minutes=3)
    assert program.post("/reservations", new_stay, Idempotency_Key="k").status == 201
    assert program.post("/reservations", new_stay, Idempotency_Key="k").headers["Idempotent-Replayed"] == "true"


def test_what_stripe_could_not_do_is_done_with_the_same_key_later(
    program: Program, make_reservation: Callable[..., Reservation], stripe: Control
) -> None:
    asked = {"reservation_id": make_reservation().code}
    stripe.fault("500", path="/v1/checkout/sessions", times=10)
    away = program.post("/payments/checkout-session", asked, Idempotency_Key="k")
    assert (away.status, away.code) == (503, "ERR_STRIPE")
    stripe.clear_faults()
    made = program.post("/payments/checkout-session", asked, Idempotency_Key="k")
    assert (made.status, "Idempotent-Replayed" in made.headers) == (201, False)
    assert program.post("/payments/checkout-session", asked, Idempotency_Key="k").body == made.body
    assert [row.status for row in rows(Payment)][-1] == "open"


def test_a_key_is_free_again_after_a_week(deps: Deps, clock: Clock) -> None:
    assert isinstance(idempotency.claim(deps, "me", "k", b"a"), Claim)
    with pytest.raises(KeyInUse):
        idempotency.claim(deps, "me", "k", b"a")
    assert forgetting.forget_old_answers(deps) == 0
    clock.advance(days=7, minutes=1)
    assert forgetting.forget_old_answers(deps) == 1
    assert isinstance(idempotency.claim(deps, "me", "k", b"other"), Claim)


def test_what_time_may_heal_is_not_kept(deps: Deps, clock: Clock) -> None:
    held = idempotency.claim(deps, "me", "k", b"a")
    assert isinstance(held, Claim)
    idempotency.release(deps, held)
    assert isinstance(idempotency.claim(deps, "me", "k", b"a"), Claim)
    assert timedelta(minutes=2) == idempotency.LONGEST_REQUEST
    assert not db.db.in_transaction()
