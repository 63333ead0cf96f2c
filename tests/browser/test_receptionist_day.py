"""A day at the front desk as docs/staff.md tells it, in a real browser, on a phone and at a desk."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from playwright.sync_api import expect

from portal import jobs
from portal.deps import Deps
from portal.models import Alert, Note, Payment, Refund, Reservation, RoomNight
from portal.services import passwords, reservations, staff_accounts
from stripe_simulator import Control
from tests.actors import Clock, rows
from tests.browser import looks
from tests.browser.conftest import NewVisitor
from tests.browser.situations import ON_SQLITE
from tests.browser.visitor import DECLINED, PAID, Visitor
from tests.mailbox import Mailbox, text_of
from tests.refunds.hotel import FAILS_LATER, Hotelier
from tests.staff.desk import cheap_passwords

Make = Callable[..., Reservation]
pytestmark = ON_SQLITE
OWN_PASSWORD = "lemons by the kitchen door"


class Receptionist:
    """Rita, who has never seen the portal before: she finds everything by its words."""

    def __init__(self, visitor: Visitor, where: str) -> None:
        self.visitor, self.page, self.where = visitor, visitor.page, where
        self._pictures = 0
        self.problems: list[str] = []

    def keeps_a_picture(self, of: str) -> None:
        self._pictures += 1
        self.problems += [f"{of}: {problem}" for problem in looks.check_here(self.page)]
        looks.keep_picture(self.page, f"day-{self._pictures:02}-{of}-{self.where}")

    def fills_in(self, **fields: str) -> None:
        for label, value in fields.items():
            field = self.page.get_by_label(label.replace("_", " "), exact=True).first
            field.fill(value)

    def presses(self, words: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=words).first.click()

    def follows(self, words: str) -> None:
        self.page.get_by_role("main").get_by_role("link", name=words, exact=True).first.click()

    def turns_to(self, words: str) -> None:
        """By the navigation."""
        self.page.get_by_role("navigation", name="Staff").get_by_role("link", name=re.compile(f"^{words}")).click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(words)

    def reads(self, *words: str) -> None:
        self.visitor.reads(*words)

    def looks_for(self, guest: str) -> None:
        self.turns_to("Reservations")
        self.page.get_by_label("Code, name, e-mail or phone").fill(guest)
        self.presses("Search")
        self.page.get_by_role("link", name=re.compile(guest)).first.click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(guest)

    def does(self, words: str) -> None:
        """One of the actions of the reservation that is open, from the buttons at its top or from More."""
        link = self.page.get_by_role("main").get_by_role("link", name=words, exact=True).first
        if not link.is_visible():
            self.page.get_by_text("More that can be done").click()
        link.click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(words)


@pytest.fixture(params=["phone", "desk"])
def rita(request: pytest.FixtureRequest, new_visitor: NewVisitor) -> Receptionist:
    width, height = looks.PHONE if request.param == "phone" else looks.DESK
    return Receptionist(new_visitor(viewport={"width": width, "height": height}), request.param)


def test_the_day(
    rita: Receptionist, deps: Deps, stripe: Control, clock: Clock, mailbox: Mailbox, make_reservation: Make
) -> None:
    hotel = Hotelier(deps, stripe, clock)
    tomorrow, waits, paid = _what_happened_before(hotel, make_reservation)

    _signs_in_for_the_first_time(rita, deps, clock)

    # 1. Today
    rita.reads("Arrivals tomorrow", "Tomás Early", "Payments since yesterday", "A refund failed", "€1,125.00")
    rita.keeps_a_picture("today")

    # 2. What needs attention: a refund that failed is sent again, and the line is closed with a word
    rita.follows("Send the refund again")
    rita.reads("What will happen", "€1,125.00 goes back to", "The guest is not e-mailed")
    rita.keeps_a_picture("refund-again")
    rita.presses("Send €1,125.00 again")
    rita.reads("€1,125.00 is on its way to the card.")
    assert [row.status for row in rows(Refund)] == ["failed", "succeeded"]
    rita.follows("A refund failed")
    rita.fills_in(**{"How_was_it_dealt_with?": "sent again"})
    rita.presses("Close")
    rita.reads("Closed. It stays readable under Closed.")
    assert rows(Alert, closed_at=None, kind="refund failed") == []

    # 3. A guest has booked by phone
    arrives = reservations.today_at_hotel(deps) + timedelta(days=12)
    rita.turns_to("Reservations")
    rita.follows("New reservation")
    rita.page.get_by_label("Room", exact=True).select_option("Garden room")
    _fills_in_the_stay(rita, str(arrives), str(arrives + timedelta(days=2)))
    rita.keeps_a_picture("new-reservation")
    rita.presses("Add the reservation")
    rita.reads("The reservation is added.", "The private link is on its way to the guest.")
    jobs.run_once(deps)
    assert "/l/" in text_of(next(mail for mail in mailbox.taken if "paula@phone.example" in str(mail["To"])))
    paula: Reservation = Reservation.get(Reservation.guest_name == "Paula Phone")
    assert (paula.status, paula.total, len(rows(RoomNight, reservation=paula.id))) == ("pending", 48_250, 2)

    # ... and a travel agent has sent a list
    _imports_a_list(rita, deps)

    # 4. and 5. Guests call
    _helps_a_guest_whose_card_is_declined(rita, hotel, waits)
    _helps_a_guest_who_has_paid_and_sees_nothing(rita, hotel, paula)
    _moves_and_cancels(rita, paid, tomorrow)

    # 6. The attic's tap drips
    rita.turns_to("Calendar")
    rita.reads("River room", "Paula Phone")
    blocked = arrives + timedelta(days=10)
    rita.page.get_by_label("Room", exact=True).select_option("River room")
    rita.fills_in(First_night=str(blocked), Last_night=str(blocked + timedelta(days=1)))
    rita.presses("Block these nights")
    rita.reads("Blocked 2 nights of River room.")
    rita.keeps_a_picture("calendar")
    assert len(rows(RoomNight, reservation=None)) == 2

    # 7. For whoever is on duty next
    rita.looks_for("Paula Phone")
    rita.fills_in(New_note="Arrives by the late train, about 23:00.")
    rita.presses("Keep the note")
    rita.reads("Arrives by the late train", "Rita")
    assert [note.text for note in rows(Note)] == ["Arrives by the late train, about 23:00."]

    # 8. The day is over
    rita.turns_to("Payments")
    rita.reads("Received", "Refunded", "Net")
    rita.keeps_a_picture("payments")
    rita.presses("Sign out")
    expect(rita.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    rita.page.goto("/staff/payments")
    expect(rita.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    hotel.works()
    hotel.hears()
    hotel.books_are_right()
    assert not rita.problems, "\n".join(rita.problems)


def _what_happened_before(hotel: Hotelier, make: Make) -> tuple[Reservation, ...]:
    tomorrow = make(guest_name="Tomás Early", in_days=1)
    hotel.is_paid(tomorrow)
    waits = make(guest_name="Dora Declined", in_days=20)
    for _ in range(3):
        hotel.stripe.pay(hotel.opens_session(waits), DECLINED)
        hotel.hears()
    back = make(guest_name="Frank Failing", in_days=40)
    hotel.is_paid(back, FAILS_LATER)
    hotel.cancels(back)
    hotel.clock.advance(minutes=1)
    paid = make(guest_name="Peter Paid", room="River room", in_days=30)
    hotel.is_paid(paid)
    hotel.works()
    hotel.hears()
    return tomorrow, waits, paid


def _signs_in_for_the_first_time(rita: Receptionist, deps: Deps, clock: Clock) -> None:
    cheap_passwords()
    first = passwords.new_password()
    staff_accounts.add_staff(deps, "rita@limoeiro.example", role="reception", name="Rita", password=first)
    rita.page.goto("/staff/")
    rita.page.get_by_label("E-mail").fill("rita@limoeiro.example")
    rita.page.get_by_label("Password").fill(first)
    rita.presses("Sign in")
    key = re.sub(r"\s", "", rita.page.locator(".secret").inner_text())
    rita.keeps_a_picture("codes")
    rita.page.get_by_role("textbox", name="Code").fill(pyotp.TOTP(key).at(clock.now()))
    rita.presses("Go on")
    rita.reads("Your recovery codes")
    rita.follows("I have written them down")
    rita.fills_in(**{"New_password": OWN_PASSWORD, "New_password,_once_more": OWN_PASSWORD})
    rita.presses("Change my password")
    expect(rita.page.get_by_role("heading", level=1)).to_have_text("Today")


def _fills_in_the_stay(rita: Receptionist, arrives: str, leaves: str) -> None:
    rita.fills_in(**{"Check-in": arrives, "Check-out": leaves, "Guest's_name": "Paula Phone"})
    rita.page.get_by_label("E-mail", exact=True).fill("paula@phone.example")
    for label, value in (("Text", "Garden room, 2 nights"), ("Amount", "482,50")):
        rita.page.get_by_label(label).first.fill(value)
    rita.page.get_by_label(re.compile("private link")).check()


def _imports_a_list(rita: Receptionist, deps: Deps) -> None:
    day = reservations.today_at_hotel(deps) + timedelta(days=60)
    row = f"River room,{{}},{{}},{day},{day + timedelta(days=1)},Room=20000"
    header = "room,guest_name,email,check_in,check_out,lines"
    text = "\n".join((header, row.format("Anna Agency", "anna@agency.example"), row.format("Bad Row", "no address")))
    rita.turns_to("Reservations")
    rita.follows("Import")
    rita.page.get_by_label(re.compile("Or paste")).fill(text)
    rita.presses("Check the file")
    rita.reads("1 ready, 1 with problems", "Bad Row", "is not an e-mail address")
    rita.keeps_a_picture("import")
    rita.presses("Import the 1 good row")
    assert [stay.guest_name for stay in Reservation.select().where(Reservation.check_in == day)] == ["Anna Agency"]


def _helps_a_guest_whose_card_is_declined(rita: Receptionist, hotel: Hotelier, waits: Reservation) -> None:
    rita.looks_for("Dora Declined")
    rita.reads("A guest's card was declined too often")
    rita.does("Allow one more attempt")
    rita.reads("3 of 3 attempts are used.")
    rita.presses("Allow one more attempt")
    rita.reads("The guest may try to pay once more.")
    hotel.is_paid(waits)
    rita.page.reload()
    rita.reads("Confirmed")


def _helps_a_guest_who_has_paid_and_sees_nothing(rita: Receptionist, hotel: Hotelier, paula: Reservation) -> None:
    hotel.stripe.pay(hotel.opens_session(paula), PAID)  # and Stripe's message is lost
    rita.looks_for("Paula Phone")
    rita.reads("On hold")
    rita.does("Check with Stripe")
    rita.presses("Check with Stripe")
    rita.reads("The books were brought in line. €482.50 is paid.", "Confirmed")
    rita.keeps_a_picture("confirmed")


def _moves_and_cancels(rita: Receptionist, paid: Reservation, tomorrow: Reservation) -> None:
    rita.looks_for("Peter Paid")
    rita.follows("Edit")
    for label, day in (("Check-in", paid.check_in), ("Check-out", paid.check_out)):
        rita.page.get_by_label(label, exact=True).fill(str(day + timedelta(days=1)))
    rita.keeps_a_picture("edit")
    rita.presses("Save")
    rita.reads("Saved. The price stays €1,125.00.")

    rita.does("Refund")
    rita.fills_in(Sum_that_goes_back="44.00")
    rita.page.get_by_label("Reason, for your records").select_option("goodwill")
    rita.presses("Go on")
    rita.reads("€44.00 goes back to", "The stay is left as it is")
    rita.presses("Refund €44.00")
    rita.reads("€44.00 is on its way to the card.")

    rita.looks_for("Tomás Early")
    rita.does("Cancel the reservation")
    rita.reads("No money goes back.", "because the arrival is 1 day away", "The guest is e-mailed")
    rita.keeps_a_picture("cancel")
    rita.presses("Cancel without a refund")
    rita.reads("The stay is cancelled.")
    assert Reservation.get_by_id(tomorrow.id).status == "cancelled"
    assert Payment.select().where(Payment.reservation == paid.id).count() == 1
