"""Stripe cannot be reached, or answers nonsense: the guest reads that nothing was charged, and the next click works."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from portal.deps import Deps
from portal.models import Alert, Payment, Reservation
from stripe_simulator import Control
from tests.actors import Clock, Guest, Page, rows, session_of

pytestmark = pytest.mark.exhaustive

Make = Callable[..., Reservation]
SESSIONS = "/v1/checkout/sessions"
FAULTS = ("429", "401", "500", "not_json", "reset_before", "timeout_before", "timeout_after", "lost_answer")
NO_EFFECT = FAULTS[:6]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_click_on_pay_charges_nothing_and_the_next_one_works(
    fault: str, hasty_guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    guest, reservation = hasty_guest, make_reservation()
    guest.opens_link(reservation)
    stripe.fault(fault, method="POST", path=SESSIONS, seconds=0.7)
    _says_nothing_was_charged(guest, guest.presses_pay_in_vain())
    (payment,) = rows(Payment)
    assert (payment.status, payment.session_id) == ("creating", None)
    assert len(stripe.truth()["sessions"]) == (0 if fault in NO_EFFECT else 1)

    page = guest.goes_to(f"/reservations/{reservation.code}")
    assert (page.reservation_status, page.payment_status) == ("pending", "unpaid")
    assert "attempts left" not in page.text
    session = session_of(guest.presses_pay())
    assert [session] == [made["id"] for made in stripe.truth()["sessions"]], "one session, whatever happened"
    assert len(rows(Payment)) == 1
    asked = [call for call in stripe.requests() if call["path"] == SESSIONS]
    keys = {a["idempotency_key"] for a in asked if a["params"].get("client_reference_id") == reservation.code}
    assert keys == {f"pay:{payment.public_id}"}
    assert stripe.pay(session)["status"] == "paid"


def test_no_connection_at_all(cut_off_guest: Guest, guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    cut_off_guest.opens_link(reservation)
    _says_nothing_was_charged(cut_off_guest, cut_off_guest.presses_pay_in_vain())
    assert [payment.status for payment in rows(Payment)] == ["creating"]

    guest.opens_link(reservation)  # Stripe is back
    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()
    assert guest.goes_to(f"/reservations/{reservation.code}").reservation_status == "confirmed"
    assert len(rows(Payment)) == 1


def test_a_short_hiccup_is_not_noticed(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    guest.opens_link(make_reservation())
    stripe.fault("500", method="POST", path=SESSIONS)
    assert session_of(guest.presses_pay())


def test_a_refused_key_is_told_to_staff_once(hasty_guest: Guest, stripe: Control, make_reservation: Make) -> None:
    hasty_guest.opens_link(make_reservation())
    for _ in range(2):
        stripe.fault("401")
        _says_nothing_was_charged(hasty_guest, hasty_guest.presses_pay_in_vain())
        hasty_guest.goes_to(f"/reservations/{rows(Reservation)[0].code}")
    assert [alert.kind for alert in rows(Alert)] == ["Stripe refuses the API key"]


def test_trying_again_opens_nothing_new_while_the_old_page_cannot_be_closed(
    hasty_guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    guest, reservation = hasty_guest, make_reservation()
    guest.opens_link(reservation)
    session = session_of(guest.presses_pay())
    stripe.pay(session, card="4000000000000002")
    guest.goes_to(f"/reservations/{reservation.code}/failed")

    stripe.fault("500", method="POST", path="*/expire")
    _says_nothing_was_charged(guest, guest.presses_pay_in_vain())
    assert len(stripe.truth()["sessions"]) == len(rows(Payment)) == 1
    guest.goes_to(f"/reservations/{reservation.code}")
    assert session_of(guest.presses_pay()) != session


@pytest.mark.parametrize("fault", ["500", "429", "not_json", "timeout_before", "lost_answer", "401"])
@pytest.mark.parametrize("path", ["success", "failed"])
def test_the_return_page_says_that_it_is_checking(
    fault: str, path: str, hasty_guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    guest, reservation = hasty_guest, make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    stripe.fault(fault, path=f"{SESSIONS}/*", seconds=0.7, times=9)

    page = guest.goes_to(f"/reservations/{reservation.code}/{path}")
    assert (page.status, page.reservation_status, page.payment_status) == (200, "pending", "checking")
    assert "Please do not pay again." in page.text
    assert page.forms("/pay") == []
    again = page.link("Check again")

    stripe.clear_faults()
    page = guest.goes_to(again)
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")


def test_no_connection_on_the_way_back(
    guest: Guest, cut_off_guest: Guest, stripe: Control, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    cut_off_guest.opens_link(reservation)
    page = cut_off_guest.goes_to(f"/reservations/{reservation.code}/success")
    assert (page.payment_status, page.forms("/pay")) == ("checking", [])
    assert "Please do not pay again." in page.text

    stripe.deliver()  # the webhook needs no call of ours
    page = cut_off_guest.goes_to(f"/reservations/{reservation.code}/success")
    assert (page.reservation_status, page.payment_status) == ("confirmed", "paid")
    assert "We received your payment of €1,125.00" in page.text


def test_an_address_that_is_not_stripes_is_never_followed(
    serve: Callable[..., Guest], deps: Deps, stripe: Control, make_reservation: Make
) -> None:
    elsewhere = _with_other_hosts(deps)
    guest = serve(**elsewhere)
    guest.opens_link(make_reservation())
    _says_nothing_was_charged(guest, guest.presses_pay_in_vain())


def _with_other_hosts(deps: Deps) -> dict[str, object]:
    class Elsewhere:
        """Answers as Stripe does, except for the address."""

        def for_one_request(self) -> "Elsewhere":
            return self

        def create_checkout_session(self, params: dict[str, object], key: str):  # type: ignore[no-untyped-def]
            return replace(deps.stripe.create_checkout_session(params, key), url="https://checkout.stripe.com.evil/x")

    return {"stripe": Elsewhere()}


def _says_nothing_was_charged(guest: Guest, page: Page) -> None:
    assert page.status == 503
    assert int(guest.answer.headers["Retry-After"]) > 0
    assert "This click did not charge you." in page.text
    assert "Try again shortly." in page.text
