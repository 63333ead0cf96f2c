"""The hosted page, as a browser without scripts sees it."""

import re

import html5lib
import pytest
import requests

from tests.simulator import shop

TYPED = {"email": "guest@example.com", "expiry": "12 / 34", "cvc": "123", "name": "Maria Silva"}


class Page:
    """An answer whose HTML is valid and says what the simulator is."""

    def __init__(self, answer):
        self.status, self.location = answer.status_code, answer.headers.get("Location")
        self.policy = answer.headers["Content-Security-Policy"]
        self.html = answer.text
        if self.status == 303:
            return
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(self.html)
        self.tree = tree
        assert "Not Stripe: no money moves." in "".join(tree.find("body/header").itertext())
        assert tree.attrib["lang"] == "en"
        assert len(tree.findall(".//h1")) == 1
        assert "<script" not in self.html
        assert "style=" not in self.html
        labelled = {label.attrib["for"] for label in tree.iterfind(".//label")}
        assert {one.attrib["id"] for one in tree.iterfind(".//input")} <= labelled

    @property
    def alert(self):
        found = self.tree.find(".//*[@role='alert']")
        return None if found is None else found.text

    def value(self, field):
        return self.tree.find(f".//input[@id='{field}']").attrib["value"]

    def text(self, element_id):
        return " ".join("".join(self.tree.find(f".//*[@id='{element_id}']").itertext()).split())


def visit(url):
    return Page(requests.get(url, timeout=5, allow_redirects=False))


def submit(url, **typed):
    return Page(requests.post(url, data=TYPED | typed, timeout=5, allow_redirects=False))


def test_the_page_shows_what_is_paid_and_how(session):
    page = visit(session.url)
    assert page.status == 200
    assert page.text("pay") == "Pay €1,125.00"
    assert page.value("email") == "guest@example.com"
    assert page.tree.find(".//a[@id='back']").attrib["href"] == session.cancel_url
    for words in ("Three nights", "Double room", "4242 4242 4242 4242", "asks for 3-D Secure"):
        assert words in page.html
    assert {"email", "card_number", "expiry", "cvc", "name"} == {
        one.attrib["name"] for one in page.tree.iterfind(".//input")
    }


def test_the_policy_lets_the_form_lead_back_to_the_shop(api):
    params = shop.order(cancel_url="http://localhost:5000/back")
    page = visit(api.v1.checkout.sessions.create(params=params).url)
    assert "form-action 'self' http://127.0.0.1:9 http://localhost:5000" in page.policy
    assert "default-src 'none'" in page.policy


def test_paying_leads_back_to_the_shop(api, session, receiver):
    page = submit(session.url, card_number="4242 4242 4242 4242", email="new@example.com")
    assert (page.status, page.location) == (303, f"http://127.0.0.1:9/paid?session={session.id}")
    seen = api.v1.checkout.sessions.retrieve(session.id)
    assert (seen.customer_details.email, seen.customer_details.name) == ("new@example.com", "Maria Silva")
    receiver.wait_for("checkout.session.completed")
    assert submit(session.url, card_number=shop.OK).location == page.location
    again = visit(session.url)
    assert (again.status, again.text("complete").startswith("This is already paid")) == (200, True)
    assert again.tree.find(".//a[@id='back']").attrib["href"] == page.location


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (shop.DECLINED, "Your card was declined."),
        ("4000 0000 0000 9995", "Your card has insufficient funds."),
        ("4000 0000 0000 0069", "Your card has expired."),
        ("4000 0000 0000 0127", "Your card's security code is incorrect."),
        ("4111 1111 1111 1111", "Your card number is incorrect."),
    ],
)
def test_a_decline_says_why_and_leaves_the_page_open(api, session, card, words):
    page = submit(session.url, card_number=card)
    assert (page.status, page.alert) == (200, words)
    assert card not in page.html.replace("<code>" + card, "")
    assert page.value("card_number") == page.value("cvc") == ""
    assert page.value("name") == "Maria Silva"
    assert api.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert submit(session.url, card_number=shop.OK).status == 303


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"card_number": "4242"}, "card_number"),
        ({"expiry": "13 / 34"}, "expiry"),
        ({"expiry": "soon"}, "expiry"),
        ({"expiry": "01 / 20"}, "expiry"),
        ({"cvc": "12"}, "cvc"),
    ],
)
def test_mistakes_are_shown_at_their_field(control, session, typed, field):
    page = submit(session.url, **({"card_number": shop.OK} | typed))
    assert page.status == 422
    assert page.alert
    assert page.text(f"{field}-problem")
    assert page.tree.find(f".//input[@id='{field}']").attrib["aria-describedby"] == f"{field}-problem"
    assert control.truth()["payment_intents"] == []


@pytest.mark.parametrize("expiry", ["12/34", "12 / 34", "1234", "12/2034"])
def test_expiry_may_be_typed_in_several_ways(session, expiry):
    assert submit(session.url, card_number=shop.OK, expiry=expiry).status == 303


def test_three_d_secure_can_be_passed(api, session):
    challenge = submit(session.url, card_number=shop.SECURE)
    assert (challenge.status, "/c/3ds/" in challenge.location) == (303, True)
    question = visit(session_url(session, challenge.location))
    assert question.text("pass") == "Complete authentication"
    assert question.text("fail") == "Fail authentication"
    done = Page(answer(session, challenge.location, "pass"))
    assert (done.status, session.id in done.location) == (303, True)
    assert api.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_three_d_secure_can_be_failed(api, session):
    challenge = submit(session.url, card_number=shop.SECURE)
    page = Page(answer(session, challenge.location, "fail"))
    assert (page.status, page.alert.startswith("We are unable to authenticate")) == (200, True)
    assert page.value("email") == "guest@example.com"
    assert api.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert visit(session_url(session, challenge.location)).status == 303


def session_url(session, path):
    return re.sub(r"/c/pay/.*", path, session.url)


def answer(session, path, outcome):
    return requests.post(session_url(session, path), data={"outcome": outcome}, timeout=5, allow_redirects=False)


def test_a_page_that_was_open_when_the_session_expired_ends_on_the_expired_page(api, session):
    visit(session.url)
    api.v1.checkout.sessions.expire(session.id)
    for page in (submit(session.url, card_number=shop.OK), visit(session.url)):
        assert page.status == 410
        assert page.text("expired").startswith("This page has expired")
        assert page.tree.find(".//a[@id='back']").attrib["href"] == session.cancel_url
    assert api.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_a_slow_payment_has_its_own_words(control, session):
    control.complete_unpaid(session.id)
    assert visit(session.url).text("complete").startswith("Payment on its way")


def test_unknown_pages_and_the_overview(simulator, api, control, session, paid):
    assert visit(simulator.url + "/c/pay/cs_test_nobody").status == 404
    assert visit(simulator.url + "/c/3ds/cs_test_nobody").status == 404
    control.refund(paid().id, 100)
    control.dispute(paid().id)
    overview = visit(simulator.url + "/")
    assert overview.status == 200
    for words in ("€1,125.00", session.url, "needs response", "€1.00"):
        assert words in overview.html


def test_a_yen_is_not_divided(api):
    assert visit(api.v1.checkout.sessions.create(params=shop.order(5_000, "jpy")).url).text("pay") == "Pay ¥5,000"


def test_names_from_the_shop_are_text(api):
    item = shop.order()["line_items"][0]
    item["price_data"]["product_data"]["name"] = "<b>Suite</b>"
    page = visit(api.v1.checkout.sessions.create(params=shop.order(line_items=[item])).url)
    assert "&lt;b&gt;Suite&lt;/b&gt;" in page.html
