"""Receipts, credit notes and the calendar entry: for the guest of the stay, and for nobody else."""

from collections.abc import Callable

import pytest
from icalendar import Calendar

from portal.deps import Deps
from portal.models import Hotel, Payment, Refund, Reservation
from portal.services import cancellations, hotels
from portal.services.new_reservation import NewLine
from stripe_simulator import Control
from tests.actors import Guest, LivePortal, rows, session_of

Make = Callable[..., Reservation]
LINES = (NewLine("Garden room", 100_000, "3 nights", "6"), NewLine("Breakfast", 10_000, vat_percent="13"))


@pytest.fixture
def paid(guest: Guest, stripe: Control, make_reservation: Make) -> Reservation:
    """A stay that was paid, open in the guest's browser."""
    hotels.set_hotel(legal_name="Casa do Limoeiro, Lda.", vat_number="PT 509 000 000", address="Rua do Limoeiro 14")
    reservation = make_reservation(lines=LINES)
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()
    guest.goes_to(f"/reservations/{reservation.code}/success")
    return Reservation.get_by_id(reservation.id)


def cancel(deps: Deps, reservation: Reservation) -> Refund:
    quote = cancellations.quote(deps, reservation)
    cancellations.cancel(deps, reservation.id, percent=quote.percent, due=quote.due, actor="guest")
    (refund,) = rows(Refund)
    return refund


def test_the_receipt_is_reached_from_success_and_payments(guest: Guest, paid: Reservation) -> None:
    number = rows(Payment)[0].receipt_number
    path = guest.page.link(number)
    assert guest.goes_to(f"/reservations/{paid.code}/payments").link("Receipt") == path
    page = guest.goes_to(path)
    assert page.status == 200
    for words in (
        f"Receipt {number}",
        "Casa do Limoeiro, Lda.",
        "VAT number PT 509 000 000",
        "Rua do Limoeiro 14",
        "Inês Carvalho",
        "Visa ending 4242",
        "Paid with this payment €1,100.00",
        "Includes VAT at 13% €11.50",
        "Includes VAT at 6% €56.60",
    ):
        assert words in page.text


def test_a_declined_payment_has_no_receipt(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()), card="4000000000000002")
    stripe.deliver()
    page = guest.goes_to(f"/reservations/{reservation.code}/payments")
    assert "Receipt" not in page.text
    (payment,) = rows(Payment)
    assert guest.goes_to(f"/reservations/{reservation.code}/payments/{payment.public_id}/receipt").status == 404


def test_a_refund_that_was_sent_has_a_credit_note(guest: Guest, deps: Deps, paid: Reservation) -> None:
    refund = cancel(deps, paid)
    page = guest.goes_to(guest.goes_to(f"/reservations/{paid.code}/payments").link("Credit note"))
    for words in (f"Credit note {refund.public_id}", rows(Payment)[0].receipt_number, "Returned €1,100.00", "€56.60"):
        assert words in page.text


def test_a_refund_that_failed_has_none(guest: Guest, deps: Deps, stripe: Control, paid: Reservation) -> None:
    refund = cancel(deps, paid)
    stripe.move_refund(refund.stripe_id, "failed")
    stripe.deliver()
    assert "Credit note" not in guest.goes_to(f"/reservations/{paid.code}/payments").text
    assert guest.goes_to(f"/reservations/{paid.code}/refunds/{refund.public_id}/credit-note").status == 404


def test_nobody_else_gets_any(
    guest: Guest, portal: LivePortal, deps: Deps, make_reservation: Make, paid: Reservation
) -> None:
    refund, (payment,) = cancel(deps, paid), rows(Payment)
    stranger = Guest(portal.url, deps)
    other = make_reservation(room="River room")
    stranger.opens_link(other)
    for path in (f"payments/{payment.public_id}/receipt", f"refunds/{refund.public_id}/credit-note"):
        assert stranger.goes_to(f"/reservations/{other.code}/{path}").status == 404
    for path in (f"payments/{payment.public_id}/receipt", f"refunds/{refund.public_id}/credit-note", "calendar.ics"):
        assert stranger.goes_to(f"/reservations/{paid.code}/{path}").status == 404


def test_the_calendar_entry(guest: Guest, deps: Deps, paid: Reservation) -> None:
    answer = guest.browser.get(f"{guest.portal_url}/reservations/{paid.code}/calendar.ics")
    assert answer.headers["Content-Type"].startswith("text/calendar")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="stay.ics"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    again = guest.browser.get(f"{guest.portal_url}/reservations/{paid.code}/calendar.ics")
    assert again.content == answer.content
    (event,) = Calendar.from_ical(answer.text).walk("VEVENT")
    assert event.start.isoformat() == f"{paid.check_in}T15:00:00+00:00"
    assert event.end.isoformat() == f"{paid.check_out}T11:00:00+00:00"
    assert event["DTSTART"].params["TZID"] == "Europe/Lisbon"
    assert event["URL"].endswith(f"/reservations/{paid.code}")
    assert "/l/" not in answer.text
    assert (event["STATUS"], str(event["SUMMARY"])) == ("CONFIRMED", "Casa do Limoeiro, Garden room")

    cancel(deps, paid)
    later = guest.browser.get(f"{guest.portal_url}/reservations/{paid.code}/calendar.ics")
    (cancelled,) = Calendar.from_ical(later.text).walk("VEVENT")
    assert (cancelled["UID"], cancelled["STATUS"]) == (event["UID"], "CANCELLED")


def test_names_cannot_add_lines_to_the_calendar(guest: Guest, make_reservation: Make) -> None:
    Hotel.update(name="Casa\r\nATTENDEE:mailto:all@example.org", address="a; b, c\nX-EVIL:1").execute()
    reservation = make_reservation()
    guest.opens_link(reservation)
    text = guest.browser.get(f"{guest.portal_url}/reservations/{reservation.code}/calendar.ics").text
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert "ATTENDEE" not in event
    assert "X-EVIL" not in event
    assert event["STATUS"] == "TENTATIVE"
