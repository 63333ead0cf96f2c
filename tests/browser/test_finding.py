"""The two ways to a stay: the private link, and the code with the e-mail address."""

from collections.abc import Callable

from playwright.sync_api import expect

from portal.domain.guest_match import show_code
from portal.models import Reservation
from tests.browser.conftest import NewVisitor
from tests.browser.situations import ON_SQLITE
from tests.browser.visitor import Visitor

Make = Callable[..., Reservation]
pytestmark = ON_SQLITE


def test_a_guest_finds_the_stay_leaves_and_comes_back_by_the_link(visitor: Visitor, make_reservation: Make) -> None:
    reservation = make_reservation()
    visitor.expects(404)
    visitor.goes_to("/")
    _looks_up(visitor, show_code(reservation.code).lower(), "someone@else.example")
    visitor.reads("We cannot find a reservation with that code and e-mail. Check both.")
    _looks_up(visitor, f" {show_code(reservation.code).lower()} ", "INES@carvalho.example")
    visitor.stands_at("pending", "unpaid", 112_500)
    visitor.reads("Inês Carvalho", show_code(reservation.code))

    visitor.presses("Leave this page")
    visitor.reads("Find your reservation")
    visitor.goes_to(f"/reservations/{reservation.code}", 404)
    expect(visitor.page.locator("body")).not_to_contain_text("Inês Carvalho")

    visitor.opens_link(reservation)
    visitor.stands_at("pending", "unpaid", 112_500)
    assert "/l/" not in visitor.page.url, "the secret stays in the address"


def test_the_link_is_no_use_to_the_next_browser_once_in(
    visitor: Visitor, new_visitor: NewVisitor, make_reservation: Make
) -> None:
    """What stands in the address bar may be shown around."""
    reservation = make_reservation()
    visitor.opens_link(reservation)
    new_visitor().goes_to(visitor.page.url, 404)


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_from_elsewhere(visitor: Visitor, make_reservation: Make) -> None:
    visitor.opens_link(make_reservation())
    (cookie,) = visitor.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert visitor.page.evaluate("document.cookie") == ""
    stored = visitor.page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length")
    assert stored == 0


def _looks_up(visitor: Visitor, code: str, email: str) -> None:
    visitor.page.get_by_label("Reservation code").fill(code)
    visitor.page.get_by_label("E-mail address").fill(email)
    visitor.presses("Find my reservation")
