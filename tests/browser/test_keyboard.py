"""Without a mouse: every step is reached, seen and pressed with the keyboard."""

from collections.abc import Callable

from playwright.sync_api import expect

from portal.models import Reservation
from stripe_simulator import Control
from tests.browser.situations import ON_SQLITE
from tests.browser.visitor import Visitor

Make = Callable[..., Reservation]
pytestmark = ON_SQLITE

FOCUSED = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
  return {
    words: e.textContent.trim() || e.id,
    ring: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    inSight: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


def test_a_guest_pays_with_the_keyboard_alone(visitor: Visitor, stripe: Control, make_reservation: Make) -> None:
    stripe.webhooks("on")
    visitor.opens_link(make_reservation())
    stops = _tabs_until(visitor, "Pay €1,125.00")
    assert len(stops) <= 6, stops
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#card_number")).to_be_visible()
    for field, typed in (("card_number", "4242424242424242"), ("expiry", "1234"), ("cvc", "123")):
        _tabs_until(visitor, field)
        visitor.page.keyboard.type(typed)
    visitor.page.keyboard.press("Enter")
    visitor.is_confirmed()


def test_the_skip_link_leads_past_the_menu(visitor: Visitor, make_reservation: Make) -> None:
    visitor.opens_link(make_reservation())
    assert _tabs_until(visitor, "Skip to content") == ["Skip to content"]
    visitor.page.keyboard.press("Enter")
    expect(visitor.main).to_be_focused()
    assert _tabs_until(visitor, "Pay €1,125.00") == ["Pay €1,125.00"]


def test_a_refused_form_starts_at_the_summary_which_leads_to_the_field(visitor: Visitor) -> None:
    visitor.goes_to("/")
    visitor.expects(400)
    _tabs_until(visitor, "code")
    visitor.page.keyboard.press("Enter")
    summary = visitor.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(visitor.page).to_have_title("Error: Find your reservation, Casa do Limoeiro")
    _tabs_until(visitor, "Enter the e-mail address you booked with")
    visitor.page.keyboard.press("Enter")
    field = visitor.page.get_by_label("E-mail address")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(
        "The one you booked with Error: Enter the e-mail address you booked with"
    )


def test_the_hold_counts_down_and_is_spoken_only_now_and_then(visitor: Visitor, make_reservation: Make) -> None:
    reservation = make_reservation(hold_hours=1)
    visitor.page.clock.install(time=visitor.deps.now())
    visitor.opens_link(reservation)
    left, spoken = visitor.page.locator("[data-left]"), visitor.page.locator(".notice [role=status]")
    visitor.page.clock.fast_forward("33:00")
    expect(left).to_have_text("27 minutes left.")
    expect(spoken).to_have_text("")
    visitor.page.clock.fast_forward("17:00")
    expect(left).to_have_text("10 minutes left.")
    expect(spoken).to_have_text("10 minutes left.")
    visitor.page.clock.fast_forward("11:00")
    expect(left).to_contain_text("This time has passed.")


def _tabs_until(visitor: Visitor, words: str) -> list[str]:
    """Press Tab until the focus is there; what it passed. The ring has to be seen at every stop."""
    visitor.page.wait_for_load_state()  # a field can be there before the style sheet is, on a machine that is busy
    stops: list[str] = []
    for _ in range(25):
        visitor.page.keyboard.press("Tab")
        at = visitor.page.evaluate(FOCUSED)
        assert at["ring"] >= 2, f"no focus ring at {at['words']}"
        assert at["inSight"], f"the focus is out of sight at {at['words']}"
        stops.append(at["words"])
        if at["words"] == words:
            return stops
    raise AssertionError(f"{words} is not reached: {stops}")
