"""What strangers type stays a word wherever it is shown; cards are nobody's business here; every bad input has its test."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from portal.db import transaction
from portal.deps import Deps
from portal.domain.card_numbers import has_card_number, hide_card_numbers
from portal.models import Hotel, Note, Reservation, ReservationLine, Room
from portal.services import mails
from portal.services.new_reservation import text_problem
from portal.services.notes import add_note
from tests.actors import Clock
from tests.mailbox import Mailbox, html_of, text_of
from tests.refunds.hotel import Hotelier
from tests.security.bad_inputs import ROWS
from tests.security.raw import guest_of, staff_of
from tests.security.test_who_may_what import address, kind_of
from tests.staff.desk import hire

Make = Callable[..., Reservation]

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
MARK = "<script>alert('{n}')</script>\"><img src=x onerror=alert(1)>{{{{7*7}}}}{{% raw %}}"


def test_words_of_strangers_stay_words(
    app: Flask, deps: Deps, hotel: Hotelier, mailbox: Mailbox, clock: Clock, make_reservation: Make
) -> None:
    stay, open_stay = make_reservation(), make_reservation(room="River room")
    Reservation.update(guest_name=MARK.format(n="guest"), phone=MARK.format(n="phone")).execute()
    ReservationLine.update(label=MARK.format(n="label"), detail=MARK.format(n="detail")).execute()
    Room.update(name=MARK.format(n="room") + Room.name, description=MARK.format(n="room text")).execute()
    texts = ("name", "tagline", "legal_name", "vat_number", "address", "city", "phone", "phone_hours")
    Hotel.update(**{name: MARK.format(n=name) for name in texts}).execute()
    person = hire(deps, "manager")
    type(person).update(name=MARK.format(n="staff")).execute()
    Note.create(reservation=stay, staff=person, text=MARK.format(n="note"), created_at=clock.now())
    payment = hotel.is_paid(stay)
    product = payment.params["line_items"][0]["price_data"]["product_data"]
    assert "{{7*7}}" in str(product), "sent to Stripe as it is, which escapes by itself"
    assert not any(ord(letter) < 32 for letter in str(product))
    hotel.cancels(stay)
    with transaction():
        mails.queue(deps, "private_link", "x", Reservation.get_by_id(open_stay.id))
    hotel.works()
    hotel.hears()
    refund = next(iter(payment.refunds))
    ids = {"code": stay.code, "payment_id": payment.public_id, "refund_id": refund.public_id, "name": "anonymise"}
    shown = 0
    for browser, kinds in (
        (guest_of(app, stay, open_stay), ("stay", "open")),
        (staff_of(app, deps, "manager"), ("staff",)),
    ):
        for rule in app.url_map.iter_rules():
            if kind_of(rule) in kinds and "GET" in (rule.methods or ()) and rule.endpoint != "static":
                for code in (stay.code, open_stay.code):
                    values = {**dict.fromkeys(rule.arguments, "1"), **ids, "code": code}
                    answer = browser.send("GET", address(rule, values))
                    if not answer.headers["Content-Type"].startswith("text/html"):
                        continue
                    assert "<script>alert(" not in answer.body, rule.rule
                    assert "<img src=x" not in answer.body, rule.rule
                    assert not re.search(r"alert\('[a-z ]+'\)&lt;/script&gt;\"", answer.body), rule.rule
                    shown += answer.body.count("{{7*7}}")
    assert shown > 20, "as it was typed, and worked out nowhere"
    assert len(mailbox.taken) >= 2
    for mail in mailbox.taken:
        assert "<script>" not in html_of(mail)
        assert "<img src=x" not in html_of(mail)
        assert "49" not in re.findall(r"raw.{0,8}|\}\}49", text_of(mail))


CARDS = (
    "4242424242424242",
    "4242 4242 4242 4242",
    "5555-5555-5555-4444",
    "378282246310005",
    "pay with 4000056655665556.",
)
NO_CARDS = (
    "+49 1512 3456789",
    "4242424242424241",
    "PT50 0002 0123 1234 5678 9015 4",
    "2026-12-18 2026-12-21",
    "00351912345678",
)


@pytest.mark.parametrize("text", CARDS)
def test_the_number_of_a_card_is_not_taken(text: str) -> None:
    assert has_card_number(text)
    assert "card" in str(text_problem(text))
    assert re.fullmatch(r"(pay with )?•••• \d{4}\.?", hide_card_numbers(text))


@pytest.mark.parametrize("text", NO_CARDS)
def test_other_numbers_are(text: str) -> None:
    assert not has_card_number(text)
    assert hide_card_numbers(text) == text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_note_keeps_no_card(deps: Deps, make_reservation: Make) -> None:
    note = add_note(deps, make_reservation().id, hire(deps, "reception"), "by phone: 4242 4242 4242 4242, 12/30")
    assert note.text == "by phone: •••• 4242, 12/30"


def test_no_template_loads_from_elsewhere_or_asks_for_a_card() -> None:
    """Also those that no test visits. A link that somebody may click is not loaded."""
    loads = re.compile(r"<(?:script|img|iframe|link|object|embed|source|video|audio|form)\b[^>]*?(?:src|href|data|action)\s*=\s*[\"'](?:https?:)?//", re.I)  # fmt: skip
    asks = re.compile(r"autocomplete=[\"']cc-|name=[\"'](?:card|cvc|cvv|pan|expiry)|js\.stripe\.com", re.I)
    templates = [file for file in (ROOT / "templates").rglob("*") if file.is_file()]
    assert len(templates) > 30
    for file in [*templates, *(ROOT / "static").glob("*.js"), *(ROOT / "static").glob("*.css")]:
        text = file.read_text(encoding="utf-8")
        assert not loads.search(text), file
        assert not asks.search(text), file
        assert not re.search(r"(?:url\(|@import|fetch\()\s*[\"']?(?:https?:)?//", text), file


def test_every_bad_input_has_tests_that_exist() -> None:
    assert [row[0] for row in ROWS] == list(range(1, 27))
    for number, _, _, tests in ROWS:
        assert tests
        for test in tests:
            file, _, name = test.partition("::")
            assert name in _functions(TESTS / file), (number, test)
            assert (TESTS / file).exists(), (number, test)


def test_the_table_of_controls_names_files_that_exist() -> None:
    text = (ROOT / "docs/security.md").read_text()
    named = set(re.findall(r"`((?:portal|tests|docs|templates)/[\w./]+\.\w+)`", text))
    assert len(named) > 30
    assert [file for file in sorted(named) if not (ROOT / file).exists()] == []


def _functions(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}
