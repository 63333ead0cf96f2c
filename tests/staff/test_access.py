"""Who gets in."""

from portal.models import StaffSession
from tests.actors import Clock
from tests.staff.desk import Desk


def test_signed_out_is_sent_to_the_sign_in_and_comes_back(stranger: Desk) -> None:
    page = stranger.goes_to("/staff/")
    assert page.status == 200
    assert "/staff/sign-in?next=" in page.url


def test_a_receptionist_sees_the_first_page(reception: Desk) -> None:
    assert reception.goes_to("/staff/").title == "Today"


def test_a_sign_in_ends_after_an_hour_without_a_click(reception: Desk, clock: Clock) -> None:
    clock.advance(minutes=50)
    assert reception.goes_to("/staff/").title == "Today"
    clock.advance(minutes=50)
    assert reception.goes_to("/staff/").title == "Today"
    clock.advance(minutes=61)
    assert reception.goes_to("/staff/").title == "Sign in"


def test_a_sign_in_ends_after_twelve_hours_however_busy(reception: Desk, clock: Clock) -> None:
    for _ in range(14):
        clock.advance(minutes=50)
        reception.goes_to("/staff/")
    clock.advance(minutes=30)
    assert reception.goes_to("/staff/").title == "Sign in"


def test_signing_out_ends_the_sign_in_for_good(reception: Desk) -> None:
    reception.goes_to("/staff/")
    kept = dict(reception.browser.cookies)
    reception.submits("/sign-out")
    reception.browser.cookies.update(kept)
    assert reception.goes_to("/staff/").title == "Sign in"
    assert StaffSession.select().where(StaffSession.ended_at.is_null()).count() == 0
