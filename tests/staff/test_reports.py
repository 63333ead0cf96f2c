"""Twelve months at a glance."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from portal.deps import Deps
from portal.models import Payment, Reservation
from portal.services import reports, staff_sessions
from stripe_simulator import Control
from tests.actors import Clock
from tests.refunds.hotel import Hotelier
from tests.staff.desk import Desk

SVG = "{http://www.w3.org/2000/svg}"
DECLINED, NO_MONEY = "4000000000000002", "4000000000009995"


def test_the_report_tells_what_was_paid_at_which_attempt_and_why_cards_were_declined(
    reception: Desk, deps: Deps, stripe: Control, clock: Clock, make_reservation: Callable[..., Reservation]
) -> None:
    hotel, zone = Hotelier(deps, stripe, clock), "Europe/Lisbon"
    assert "No payments in these months yet." in reception.goes_to("/staff/reports").text
    assert not list(reception.page.main.iter(f"{SVG}svg"))
    year = clock.now().year + 1
    clock.move_to(datetime(year, 6, 30, 22, 50, tzinfo=UTC))
    stays = [make_reservation(in_days=60 + 5 * n) for n in range(4)]
    at_once, in_one_session, at_third, gave_up = stays
    hotel.is_paid(at_once)
    clock.advance(minutes=20)  # July at the hotel, June in UTC
    session = hotel.opens_session(in_one_session)
    stripe.pay(session, NO_MONEY)
    stripe.pay(session)
    hotel.hears()
    for card in (DECLINED, NO_MONEY):
        stripe.pay(hotel.opens_session(at_third), card)
        hotel.hears()
    hotel.is_paid(at_third)
    stripe.pay(hotel.opens_session(gave_up), NO_MONEY)
    hotel.hears()
    hotel.cancels(at_once)
    hotel.hears()

    july = date(year, 7, 1)
    months = reports.months_until(july, 12)
    assert (months[0], months[-2], months[-1]) == (date(year - 1, 8, 1), july, date(year, 8, 1))
    found = {month.start: month for month in reports.read_attempts(months, zone)}
    june = found[date(year, 6, 1)]
    assert (june.first, june.second, june.later, june.paid) == (1, 0, 0, 1)
    assert (found[july].first, found[july].second, found[july].later, found[july].paid) == (0, 1, 1, 2)
    assert reports.read_declines(months, zone) == [("insufficient_funds", 3), ("generic_decline", 1)]
    assert reports.read_declines(months[:-1], zone) == []

    assert reception.person is not None
    reception.takes_cookie({"token": staff_sessions.start(deps, reception.person)})  # the old sign-in has ended
    page = reception.goes_to("/staff/reports")
    assert "33% of card payments went through at the first attempt (1 of 3)." in page.text
    assert "4 cards were declined." in page.text
    for words in (f"Jul {year}", f"Aug {year - 1}", "€3,375.00", "€2,250.00", "insufficient_funds 3 75%"):
        assert words in page.text, words
    charts = [svg for svg in page.main.iter(f"{SVG}svg") if svg.get("role") == "img"]
    assert len(charts) == 3
    for chart in charts:
        named_by = [page.root.find(f".//*[@id='{name}']") for name in chart.get("aria-labelledby", "").split()]
        assert [element is not None and bool(element.text) for element in named_by] == [True, True]
        assert list(chart.iter(f"{SVG}rect"))
    assert len(list(page.main.iter("table"))) == 3

    shown = reception.goes_to(f"/staff/reports?year={year}")
    assert f"Jan {year} to Dec {year}" in shown.text
    assert "€3,375.00" in shown.text
    Payment.update(created_at=datetime(year - 1, 2, 1, tzinfo=UTC)).where(Payment.id == 1).execute()
    assert "33%" not in reception.goes_to(f"/staff/reports?year={year - 1}").text
    assert reception.page.title == "Reports"
