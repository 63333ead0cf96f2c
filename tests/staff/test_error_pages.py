"""What people read when something is refused: staff in the words of the front desk, guests in theirs."""

from collections.abc import Callable

import pytest

from portal.models import Reservation
from portal.services import today
from tests.actors import Guest, everything_stored
from tests.pages import Page
from tests.staff.desk import PASSWORD, Desk

FOR_GUESTS = ("charge", "Find my reservation", "private link")


def speaks_to_staff(page: Page, status: int, title: str) -> None:
    assert (page.status, page.title) == (status, title), page.text
    assert "Nothing was changed, and no money moved." in page.text
    for words in FOR_GUESTS:
        assert words not in page.html, words


def test_somebody_signed_in_reads_what_happened_and_finds_the_way_back(reception: Desk) -> None:
    for path in (
        "/staff/nowhere",
        "/staff/reservations/AAAABBBBCCCC",
        "/staff/attention/99999",
        "/staff/%00",
        "/staff/a/b/c",
    ):
        speaks_to_staff(reception.goes_to(path), 404, "Page not found")
        assert reception.page.link("Reservations").endswith("/staff/reservations"), "with the way to all pages"
        assert reception.page.link("Go to Today") == "/staff/"
    speaks_to_staff(reception.goes_to("/staff/settings/people"), 403, "This page is for managers")
    speaks_to_staff(reception.goes_to("/staff/sign-out"), 405, "That does not work here")
    assert reception.answer.headers["Allow"]
    before = everything_stored()
    reception.goes_to("/staff/calendar")
    speaks_to_staff(reception.submits("/calendar/block", csrf_token=""), 400, "This page is out of date")
    reception.goes_to("/staff/calendar")
    speaks_to_staff(reception.submits("/calendar/block", room="x" * 70_000), 413, "That is too much at once")
    assert everything_stored() == before


def test_somebody_signed_out_learns_nothing(stranger: Desk, make_reservation: Callable[..., Reservation]) -> None:
    reservation = make_reservation()
    speaks_to_staff(stranger.goes_to("/staff/nowhere"), 404, "Page not found")
    assert stranger.page.link("Go to the sign-in") == "/staff/sign-in"
    assert "/staff/reservations" not in stranger.page.html
    for path in (f"/staff/reservations/{reservation.code}", "/staff/reservations/AAAABBBBCCCC"):
        assert stranger.goes_to(path).title == "Sign in"
    stranger.goes_to("/staff/sign-in")
    speaks_to_staff(stranger.submits("/sign-in", csrf_token="x"), 400, "This page is out of date")
    assert reservation.guest_name not in stranger.page.html


def test_too_many_tries_are_told_in_the_same_way(stranger: Desk, reception: Desk) -> None:
    for _ in range(12):
        stranger.goes_to("/staff/sign-in")
        page = stranger.submits("/sign-in", email="rita@limoeiro.example", password=f"not {PASSWORD}")
        if page.status == 429:
            break
    speaks_to_staff(page, 429, "Too many tries")
    assert stranger.answer.headers["Retry-After"] == "900"


def test_a_fault_does_not_speak_of_paying(reception: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(today, "read_today", break_down)
    page = reception.goes_to("/staff/")
    assert (page.status, page.title) == (500, "Sorry, something went wrong on our side")
    assert "Look whether it was done" in page.text
    assert page.link("Go to Today") == "/staff/"


def test_a_guest_reads_as_before_that_nothing_was_charged(guest: Guest) -> None:
    for path in ("/nowhere", "/staffroom", "/reservations/AAAABBBBCCCC/nowhere"):
        page = guest.goes_to(path)
        assert (page.status, page.title) == (404, "Page not found")
        assert "This page did not charge you." in page.text
        assert "/staff" not in page.html.replace("/staffroom", "")
