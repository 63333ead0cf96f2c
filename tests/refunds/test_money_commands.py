"""Commands about money, as a receptionist types them: each shows its effect, asks, and refuses in plain words."""

from collections.abc import Callable

import pytest

from portal.models import Payment, Refund, Reservation
from portal.services import offline_payments
from tests.actors import names_of, rows
from tests.refunds.hotel import WHOLE, Hotelier, only_refund, refunds_of, status

Make = Callable[..., Reservation]
Run = Callable[..., tuple[int, str, str]]
Typed = Callable[[str], None]


# cancel


def test_cancel_shows_its_effect_and_does_nothing_unasked(run: Run, hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation(in_days=10)
    hotel.is_paid(reservation)
    code, out, err = run("cancel", reservation.code)
    assert code == 1
    assert "paid EUR 1125.00, already returned EUR 0.00" in out
    assert "refund now EUR 562.50 (50 %, 10 days before check-in)" in out
    assert "Nothing was done. Add --yes" in err
    assert status(reservation) == ("confirmed", WHOLE)

    code, out, err = run("cancel", reservation.code.lower(), "--yes", "--reason", "no-show")
    assert (code, err) == (0, "")
    assert f"{only_refund().public_id}: EUR 562.50 succeeded" in out
    assert status(reservation) == ("cancelled", WHOLE)
    code, _, err = run("cancel", reservation.code, "--yes")
    assert code == 1
    assert "is cancelled: there is nothing to cancel" in err
    hotel.hears()
    hotel.books_are_right()


@pytest.mark.parametrize(("word", "done"), [("no", False), ("", False), ("y", False), ("yes", True), (" YES ", True)])
def test_only_the_word_yes_cancels(
    word: str, done: bool, run: Run, types: Typed, hotel: Hotelier, paid: Reservation
) -> None:
    types(word)
    code, _, err = run("cancel", paid.code)
    assert (code, status(paid)[0]) == ((0, "cancelled") if done else (1, "confirmed"))
    assert ("Nothing was done." in err) is not done
    hotel.works()
    hotel.books_are_right()


def test_staff_cancel_after_arrival_and_for_a_sum_of_their_own(
    run: Run, hotel: Hotelier, make_reservation: Make
) -> None:
    reservation = make_reservation(in_days=1)
    hotel.is_paid(reservation)
    hotel.clock.advance(days=2)
    code, out, _ = run("cancel", reservation.code, "--refund", "30000", "--yes")
    assert code == 0
    assert "refund now EUR 300.00 (sum chosen by staff)" in out
    assert refunds_of(reservation) == [("policy", 30_000, "succeeded")]
    hotel.hears()
    hotel.books_are_right()


@pytest.mark.parametrize("amount", ["-1", "112501", "999999999999"])
def test_a_sum_that_cannot_go_back_is_refused_and_the_stay_left(
    amount: str, run: Run, hotel: Hotelier, paid: Reservation
) -> None:
    code, _, err = run("cancel", paid.code, "--refund", amount, "--yes")
    assert code == 1
    assert "Nothing was done." in err
    assert status(paid) == ("confirmed", WHOLE)
    assert rows(Refund) == []
    hotel.books_are_right()


# refund


def test_refund_gives_back_a_part_and_leaves_the_stay(run: Run, hotel: Hotelier, paid: Reservation) -> None:
    name = rows(Payment)[0].public_id
    code, out, _ = run("refund", name, "--amount", "12500")
    assert code == 1
    assert "can still go back EUR 1125.00; refund now EUR 125.00" in out
    assert "The stay is left as it is." in out
    assert rows(Refund) == []
    assert run("refund", name.lower(), "--amount", "12500", "--yes")[0] == 0
    code, out, _ = run("refund", name, "--yes")
    assert (code, "refund now EUR 1000.00" in out) == (0, True)
    assert refunds_of(paid) == [("staff", 12_500, "succeeded"), ("staff", 100_000, "succeeded")]
    assert status(paid) == ("confirmed", WHOLE)
    hotel.hears()
    hotel.books_are_right()


@pytest.mark.parametrize("amount", ["112501", "0", "-5"])
def test_refund_of_too_much_or_nothing_is_refused(amount: str, run: Run, hotel: Hotelier, paid: Reservation) -> None:
    code, _, err = run("refund", rows(Payment)[0].public_id, "--amount", amount, "--yes")
    assert code == 1
    assert "At most 112500" in err
    assert "Nothing was refunded." in err
    assert rows(Refund) == []
    hotel.books_are_right()


def test_refund_names_what_it_cannot_refund(run: Run, hotel: Hotelier, paid: Reservation) -> None:
    hotel.stripe.charge_elsewhere(WHOLE, metadata=names_of(paid, "PAY-THATWENTBACK00"))
    hotel.hears()
    code, _, err = run("refund", "PAY-THATWENTBACK00", "--yes")
    assert (code, "is not a payment that the hotel kept" in err) == (1, True)
    code, _, err = run("refund", "PAY-NOSUCH", "--yes")
    assert (code, "there is no payment PAY-NOSUCH" in err) == (1, True)
    assert run("refund", rows(Payment)[0].public_id, "--yes")[0] == 0
    code, _, err = run("refund", rows(Payment)[0].public_id, "--yes")
    assert (code, "At most 0" in err) == (1, True)
    hotel.works()
    hotel.books_are_right()


def test_refund_while_stripe_is_down_is_noted_and_sent_later(run: Run, hotel: Hotelier, paid: Reservation) -> None:
    hotel.stripe.fault("500", path="/v1/refunds", times=10)
    code, out, _ = run("refund", rows(Payment)[0].public_id, "--yes")
    assert (code, out.strip().endswith(": todo")) == (0, True)
    hotel.stripe.clear_faults()
    hotel.works(minutes=10)
    assert refunds_of(paid) == [("staff", WHOLE, "succeeded")]
    hotel.books_are_right()


# refund-again, refund-handed-back


def test_refund_again_tries_a_failed_one_once(run: Run, hotel: Hotelier, paid: Reservation) -> None:
    hotel.cancels(paid)
    old = only_refund()
    code, _, err = run("refund-again", old.public_id, "--yes")
    assert (code, "has not failed" in err) == (1, True)
    hotel.stripe.move_refund(str(old.stripe_id), "failed", failure_reason="lost_or_stolen_card")
    hotel.hears()
    code, out, _ = run("refund-again", old.public_id)
    assert (code, "EUR 1125.00, failed (lost_or_stolen_card)" in out) == (1, True)
    code, out, _ = run("refund-again", old.public_id.lower(), "--yes")
    assert (code, out.strip().endswith(": succeeded")) == (0, True)
    code, _, err = run("refund-again", old.public_id, "--yes")
    assert (code, "tried again already" in err) == (1, True)
    code, _, err = run("refund-again", "REF-NOSUCH", "--yes")
    assert (code, "there is no refund REF-NOSUCH" in err) == (1, True)
    hotel.hears()
    hotel.books_are_right()


def test_refund_handed_back_records_cash(run: Run, hotel: Hotelier, make_reservation: Make) -> None:
    reservation = make_reservation()
    offline_payments.record_offline(hotel.deps, reservation.id, WHOLE, "staff")
    hotel.cancels(reservation, actor="staff")
    name = only_refund().public_id
    assert run("refund-handed-back", name)[0] == 1
    assert refunds_of(reservation) == [("policy", WHOLE, "todo")]
    assert run("refund-handed-back", name, "--yes")[:2][0] == 0
    assert refunds_of(reservation) == [("policy", WHOLE, "succeeded")]
    code, _, err = run("refund-handed-back", name, "--yes")
    assert (code, "is not a sum to hand back" in err) == (1, True)
    hotel.books_are_right()
