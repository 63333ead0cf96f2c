"""A guest in front of a real browser, and everything the browser complained about meanwhile."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

from portal.deps import Deps
from portal.models import Reservation
from portal.services import links

PAID = "4242424242424242"
DECLINED = "4000000000000002"
ASKS_3D_SECURE = "4000000000003220"


class Visitor:
    """Opens pages, fills in Stripe's form, and presses buttons by their words."""

    def __init__(self, context: BrowserContext, deps: Deps, origins: tuple[str, ...]) -> None:
        self.context, self.deps, self.origins = context, deps, origins
        self._expected: set[int] = set()
        self._may_give_up = False
        self._seen: list[str] = []
        self._console: list[tuple[str, str]] = []
        context.on("console", self._hears)
        context.on("weberror", lambda error: self._seen.append(f"script error: {error.error}"))
        context.on("request", self._asks)
        context.on("requestfailed", self._gets_nothing)
        context.on("response", self._gets)
        context.set_default_timeout(15_000)
        self.page: Page = context.new_page()

    # Where to go

    def opens_link(self, reservation: Reservation) -> None:
        link = links.make_link(self.deps, Reservation.get_by_id(reservation.id))
        self.goes_to(urlsplit(link).path)

    def goes_to(self, path: str, status: int = 200) -> None:
        """Open an address of the portal; any status but 200 has to be said."""
        self.expects(status)
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"

    def opens_tab(self) -> Page:
        """Another tab of the same browser, and look at it from now on; the one before is answered."""
        return self.turns_to(self.context.new_page())

    def turns_to(self, tab: Page) -> Page:
        """Look at another tab; the one before is answered."""
        before, self.page = self.page, tab
        return before

    def goes_back(self) -> None:
        """The browser's own Back. A page that is restored as it was never loads, so the address is all to wait for."""
        self.page.go_back(wait_until="commit")

    def goes_forward(self) -> None:
        self.page.go_forward(wait_until="commit")

    # What to press

    def presses_pay(self) -> None:
        """Pay or Try again, until Stripe's page is there."""
        self.pay_button.click()
        expect(self.page.locator("#card_number")).to_be_visible()

    def pays_with(self, card: str) -> None:
        """Fill in Stripe's page and press its Pay."""
        self.fills_in(card)
        self.page.locator("#pay").click()

    def fills_in(self, card: str) -> None:
        self.page.locator("#card_number").fill(card)
        self.page.locator("#expiry").fill("12 / 34")
        self.page.locator("#cvc").fill("123")

    def goes_back_to_the_hotel(self) -> None:
        """The link on Stripe's page."""
        self.page.locator("#back").click()
        expect(self.main).to_have_attribute("data-reservation-status", "pending")

    def presses(self, words: str) -> None:
        self.page.get_by_role("button", name=words).click()

    def follows(self, words: str) -> None:
        self.page.get_by_role("link", name=words, exact=True).first.click()

    # What to see

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def pay_button(self) -> Locator:
        return self.page.locator("form[action$='/pay'] button")

    def reads(self, *words: str) -> None:
        for some in words:
            expect(self.main).to_contain_text(some)

    def stands_at(self, reservation_status: str, payment_status: str, amount_due: int) -> None:
        """Wait for the page that says so to programs."""
        expect(self.main).to_have_attribute("data-reservation-status", reservation_status)
        expect(self.main).to_have_attribute("data-payment-status", payment_status)
        expect(self.main).to_have_attribute("data-amount-due", str(amount_due))

    def is_confirmed(self) -> None:
        self.stands_at("confirmed", "paid", 0)

    # What went wrong

    def expects(self, *statuses: int) -> None:
        """Pages with these statuses are asked for on purpose."""
        self._expected.update(status for status in statuses if status >= 400)

    def may_give_up_requests(self) -> None:
        """The browser drops an answer on purpose, as it does with the first of two clicks."""
        self._may_give_up = True

    def troubles(self) -> list[str]:
        """Complaints of the browser, calls to strangers and failures that nobody asked for."""
        wanted = {f"status of {status} " for status in self._expected}
        loud = [f"console: {text} ({url})" for text, url in self._console if not any(w in text for w in wanted)]
        return self._seen + loud

    def _hears(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self._console.append((message.text, message.location.get("url", "")))

    def _asks(self, request: Request) -> None:
        if not request.url.startswith(self.origins):
            self._seen.append(f"asks a stranger: {request.url}")

    def _gets_nothing(self, request: Request) -> None:
        is_static = urlsplit(request.url).path.startswith("/static/")
        given_up = request.failure == "net::ERR_ABORTED"
        if not (given_up and (is_static or self._may_give_up)):  # the guest was quicker than the last font
            self._seen.append(f"failed: {request.url} {request.failure}")

    def _gets(self, response: Response) -> None:
        is_page = response.request.is_navigation_request()
        if response.status >= 400 and not (is_page and response.status in self._expected):
            self._seen.append(f"{response.status} {response.url}")
