"""Every payment and every refund, each with its words."""

from collections.abc import Callable

from portal.models import Payment, Reservation
from stripe_simulator import Control
from tests.actors import Clock, Guest, Page, names_of, rows, session_of

Make = Callable[..., Reservation]


def test_a_new_stay_has_no_history(guest: Guest, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    page = guest.goes_to(f"/reservations/{reservation.code}/payments")
    assert (page.payment_status, page.amount_due) == ("unpaid", 112_500)
    assert "No payments yet." in page.text
    assert "Still to pay €1,125.00" in page.text


def test_the_history_lists_every_payment_with_its_words(
    guest: Guest, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    guest.presses_pay()  # walked away
    assert _entries(_history(guest, reservation)) == [("Awaiting payment", "€0.00")]

    clock.advance(minutes=36)
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    stripe.pay(session_of(guest.presses_pay()), card="4000000000009995")
    clock.advance(minutes=1)
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    slow = stripe.complete_unpaid(session_of(guest.presses_pay()))["session"]["payment_intent"]
    stripe.deliver()
    page = _history(guest, reservation)
    assert _entries(page) == [("Checking payment", "€0.00"), ("Declined", "€0.00"), ("Expired", "€0.00")]

    stripe.settle(slow, "failed")
    stripe.deliver()
    clock.advance(minutes=1)
    guest.goes_to(f"/reservations/{reservation.code}/failed")
    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()
    clock.advance(minutes=1)
    stripe.charge_elsewhere(112_500, metadata=names_of(reservation, "PAY-ASECONDONE"))
    stripe.deliver()

    page = _history(guest, reservation)
    badges = sorted(badge for badge, _ in _entries(page))
    assert badges == ["Declined", "Declined", "Expired", "Goes back", "On its way", "Paid"]
    assert "Paid €2,250.00 Returned €1,125.00 Still to pay €0.00" in page.text
    assert (
        "There was not enough money available on the card ending 9995 for €1,125.00. The declined card was not charged."
        in page.text
    )
    assert "−€1,125.00" in page.text
    for payment in rows(Payment):
        assert payment.public_id in page.text


def test_the_history_tells_the_hotels_time(guest: Guest, stripe: Control, make_reservation: Make) -> None:
    reservation = make_reservation()
    guest.opens_link(reservation)
    stripe.pay(session_of(guest.presses_pay()))
    stripe.deliver()
    assert "Times are Lisbon time." in _history(guest, reservation).text


def _history(guest: Guest, reservation: Reservation) -> Page:
    return guest.goes_to(f"/reservations/{reservation.code}/payments")


def _entries(page: Page) -> list[tuple[str, str]]:
    """The badge and the sum of every line, as they stand on the page."""
    lines = page.main.findall(".//ol[@class='ledger']/li")
    return [(_words(line, "badge"), _words(line, "amt")) for line in lines]


def _words(line, name: str) -> str:  # type: ignore[no-untyped-def]
    found = next(e for e in line.iter() if name in e.get("class", "").split())
    return " ".join("".join(found.itertext()).split())
