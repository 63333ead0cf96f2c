"""Staff find a stay among many: by words, by how it stands, by days, in an order; and read the truth about its money."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from portal import migrations
from portal.db import transaction
from portal.deps import Deps
from portal.domain.search_words import typed_words, words_of
from portal.models import Reservation, ReservationWord
from portal.services import (
    anonymise,
    offline_payments,
    reservation_lists,
    reservation_words,
    reservations,
    state,
)
from stripe_simulator import Control
from tests.actors import Clock
from tests.pages import Page
from tests.refunds.hotel import FAILS_LATER, SUCCEEDS_LATER, Hotelier
from tests.staff.desk import Desk

Make = Callable[..., Reservation]
Count = Callable[[Callable[[], object]], int]
LIST = "/staff/reservations"


def names_on(desk: Desk, query: str) -> list[str]:
    """The guests of the list, from top to bottom."""
    page = desk.goes_to(f"{LIST}?{query}")
    assert page.status == 200, page.text
    return ["".join(link.itertext()) for link in page.root.findall(".//a[@class='key']")]


def sorted_by(page: Page) -> list[str]:
    return [head.get("aria-sort", "") for head in page.root.findall(".//th[@aria-sort]")]


def finds(desk: Desk, typed: str, **more: str) -> list[str]:
    return names_on(desk, "&".join(f"{k}={quote(v)}" for k, v in {"q": typed, **more}.items()))


def test_a_stay_is_found_by_what_somebody_remembers_of_it(reception: Desk, make_reservation: Make) -> None:
    stay = make_reservation(
        guest_name="Inês Łukasz-Müller", email="Ines.Carvalho@Mail.example", phone="+351 912 345 678", in_days=3
    )
    make_reservation(guest_name="Bob Ines", email="bob@other.example", in_days=9)
    both = ["Bob Ines", stay.guest_name]  # the later arrival first
    assert finds(reception, "ines") == finds(reception, " INÊS ") == both
    for typed in (
        "luk", "mÜLL ine", "ine mul", "carval", "ines.carvalho@mail.ex", "carvalho mail", "@mail.example",
        "912 345 678", "00351 912345678", "+351912345678", "Müller, Inês", "müller\xa0inês",
        stay.code[:6], f"{stay.code[:4]}-{stay.code[4:7]}".lower(),
    ):  # fmt: skip
        assert finds(reception, typed) == [stay.guest_name], typed
    dashes = f"{stay.code[:4]}-{stay.code[4:8]}-{stay.code[8:]}"
    for code in (dashes, dashes.lower(), stay.code):
        assert reception.goes_to(f"{LIST}?q={code}").title == stay.guest_name
    for typed in ("inesx", "ines nobody", "arvalho"):
        assert finds(reception, typed) == []
        assert "No reservation matches" in reception.page.text
    assert reception.page.link("Clear the search") == f"{LIST}?view=all"
    assert finds(reception, "ines", view="cancelled") == []
    assert names_on(reception, reception.page.link("Search all reservations").split("?")[1]) == both


def test_whatever_is_typed_the_page_answers(reception: Desk, make_reservation: Make) -> None:
    make_reservation(guest_name="Inês Carvalho")
    for typed in ("%", "_", "%nes", "😀", "😀😀 x", "a" * 5_000, "é" * 900, "'; --", "\\", "@", "@@ .", "ﬁ", "１２"):  # fmt: skip
        assert finds(reception, typed) == [], typed
    assert finds(reception, "\0\ud7ff\u202e\U0010ffff") == finds(reception, "i\0nes") == ["Inês Carvalho"]
    assert "at least two letters" in reception.goes_to(f"{LIST}?q=i").text
    assert reception.goes_to(f"{LIST}?q=%ff%fe").status == 200
    for days in ("from=yesterday", "from=2026-13-40&to=%00", "to=99999-01-01", "from=-1"):
        page = reception.goes_to(f"{LIST}?{days}")
        assert page.status == 200
        assert "This is no date" in page.text
        assert "Inês" in page.text
    assert "before the first day" in reception.goes_to(f"{LIST}?from=2027-02-01&to=2027-01-01").text
    assert names_on(reception, "from=0001-01-01&to=9999-12-31&view=x&sort=x&after=x") == ["Inês Carvalho"]


def test_words_have_bounds() -> None:
    """Of a guest with an endless name, and of somebody who types one."""
    words = words_of("ABCDEFGH2345", "é" * 1_000 + " " + " ".join(map(str, range(1_000))), "a@b", "")
    assert len(words) <= 40
    assert max(map(len, words)) <= 60
    assert typed_words("é" * 400)[0] in words
    assert len(typed_words("aa bb cc dd ee ff gg hh")) == 6
    assert typed_words("straße Ærø") == [b"strasse", b"aero"]


@pytest.fixture
def forget_statements() -> Iterator[Callable[[], None]]:
    """For a test that changes a limit: statements that are kept have it in them."""

    def forget() -> None:
        for kept in (reservation_lists._list, reservation_lists._search, reservation_lists._beyond_walk):
            kept.cache_clear()
        reservation_words._counting.cache_clear()

    yield forget
    forget()


@pytest.fixture
def four(deps: Deps, make_reservation: Make, clock: Clock) -> dict[str, Reservation]:
    """Made a minute apart: one of each state, all called Ana, arriving in 20, 10, 30 and 15 days."""
    made = {}
    for name, days in (("pending", 20), ("confirmed", 10), ("cancelled", 30), ("expired", 15)):
        clock.advance(minutes=1)
        made[name] = make_reservation(guest_name=f"Ana {name}", in_days=days)
        if name != "pending":
            with transaction():
                state.move(made[name], name, actor="test", cause="test", now=deps.now())
    return made


def test_views_days_orders_and_words_together(reception: Desk, four: dict[str, Reservation], deps: Deps) -> None:
    shown = lambda query: [name.removeprefix("Ana ") for name in names_on(reception, query)]  # noqa: E731
    day = lambda days: reservations.today_at_hotel(deps) + timedelta(days=days)  # noqa: E731
    assert shown("") == ["expired", "cancelled", "confirmed", "pending"]  # the last change first
    assert shown("view=coming") == ["confirmed", "pending"]
    assert [shown(f"view={view}") for view in ("unpaid", "confirmed", "cancelled", "expired")] == [
        ["pending"], ["confirmed"], ["cancelled"], ["expired"],
    ]  # fmt: skip
    arrivals = ["confirmed", "expired", "pending", "cancelled"]
    changes = ["pending", "confirmed", "cancelled", "expired"]
    assert shown("sort=arrival") == shown("q=ana&sort=arrival") == arrivals
    assert shown("sort=-arrival") == shown("q=ana") == arrivals[::-1]
    assert shown("sort=changed") == shown("q=ana&sort=changed") == changes
    assert shown("sort=-changed") == shown("q=ana&sort=-changed") == changes[::-1]
    assert shown(f"from={day(15)}&to={day(20)}") == ["expired", "pending"]
    assert shown(f"from={day(15)}&q=an&sort=-arrival") == ["cancelled", "pending", "expired"]
    assert shown(f"from={day(15)}&q=an&view=unpaid") == ["pending"]
    assert shown(f"to={day(14)}&view=coming&sort=changed") == ["confirmed"]
    assert "Changed ↓" not in reception.page.text  # there is no such order with days
    page = reception.goes_to(f"{LIST}?q=ana&view=all&sort=arrival")
    assert sorted_by(page) == ["ascending"]
    (again,) = [link.get("href", "") for link in page.root.findall(".//th[@aria-sort]//a")]
    assert shown(again.split("?")[1]) == arrivals[::-1]
    assert sorted_by(reception.page) == ["descending"]
    assert shown(reception.page.link("Cancelled").split("?")[1]) == ["cancelled"]
    assert "q=ana" in reception.page.url


def test_pages_keep_what_was_chosen_and_cost_the_same(
    reception: Desk,
    deps: Deps,
    make_reservation: Make,
    count_statements: Count,
    monkeypatch: pytest.MonkeyPatch,
    forget_statements: Callable[[], None],
) -> None:
    first = reservations.today_at_hotel(deps) + timedelta(days=6)
    ask = f"{LIST}?view=unpaid&from={first}&sort=-arrival"
    words = f"{LIST}?q=gue"
    for number in range(4):
        make_reservation(guest_name=f"Guest {number}", in_days=3 + 4 * number)
    counts = [count_statements(lambda path=path: reception.goes_to(path)) for path in (ask, words)]
    many = 12
    for number in range(4, many):
        make_reservation(guest_name=f"Guest {number}", in_days=3 + 4 * number)
    assert counts == [count_statements(lambda path=path: reception.goes_to(path)) for path in (ask, words)]
    monkeypatch.setattr(reservation_lists, "PAGE", 5)
    monkeypatch.setattr(reservation_lists, "MOST_FOUND", 7)
    forget_statements()
    seen, path = [], ask
    while path:
        seen += names_on(reception, path.split("?")[1])
        path = reception.page.link("Next page") if "Next page" in reception.page.text else ""
    assert seen == [f"Guest {number}" for number in range(many - 1, 0, -1)]
    assert names_on(reception, "q=gue") == [f"Guest {number}" for number in range(many - 1, many - 8, -1)]
    assert "There are more" in reception.page.text
    make_reservation(guest_name="Guest Loulou", in_days=3 + 4 * many)  # no code has an L, an O or a U in it
    assert names_on(reception, "q=gue+loul") == ["Guest Loulou"]
    assert "1 reservation found" in reception.page.text


@pytest.mark.parametrize("meet", [3, 1_000])
def test_words_that_nearly_everybody_has_lead_to_the_same_stays(
    reception: Desk,
    four: dict[str, Reservation],
    monkeypatch: pytest.MonkeyPatch,
    forget_statements: Callable[[], None],
    meet: int,
) -> None:
    for limit, most in (("PROBE", 2), ("ALONE", 2), ("MEET", meet)):
        monkeypatch.setattr(reservation_words, limit, most)
    monkeypatch.setattr(reservation_lists, "WALK", 3)
    forget_statements()
    assert names_on(reception, "q=ana") == ["Ana cancelled", "Ana pending", "Ana expired"]
    assert "There are more" in reception.page.text
    seen = 3 if meet == 3 else 4  # the stays that two words share are all found, unless there are very many of them
    in_order = ["Ana confirmed", "Ana expired", "Ana pending", "Ana cancelled"]
    assert names_on(reception, "q=ana+an&sort=arrival") == in_order[:seen]
    assert ("There are more" in reception.page.text) == (seen == 3)
    assert names_on(reception, "q=ana&view=coming&sort=arrival") == ["Ana confirmed", "Ana pending"]
    assert "There are more" not in reception.page.text
    assert names_on(reception, "q=ana+exp") == ["Ana expired"]
    assert names_on(reception, "q=ana+exp+an") == names_on(reception, "q=ana+exp+an+exam") == ["Ana expired"]
    assert names_on(reception, "q=ana+exp+confirmed") == []


def test_a_stay_is_found_by_what_it_is_called_now(
    reception: Desk, manager: Desk, deps: Deps, make_reservation: Make, clock: Clock
) -> None:
    stay = make_reservation(guest_name="Old Name", email="old@mail.example", phone="912345678", in_days=3)
    manager.goes_to(f"{LIST}/{stay.code}/edit")
    manager.submits("/edit", guest_name="Zoë Changed")
    assert finds(reception, "zoe") == ["Zoë Changed"]
    assert finds(reception, "name") == []
    assert finds(reception, "old@mail") == ["Zoë Changed"]
    with transaction():
        state.move(Reservation.get_by_id(stay.id), "cancelled", actor="test", cause="test", now=deps.now())
    clock.advance(days=60)
    anonymise.anonymise(deps, stay.id, actor="test")
    left = Reservation.get_by_id(stay.id)
    words = [bytes(row.word).decode() for row in ReservationWord.select()]
    assert sorted(words) == sorted([left.code.lower(), left.code[4:8].lower(), left.code[8:].lower()])
    with transaction():
        reservation_words.store(left)  # again, and nothing changes
    assert ReservationWord.select().count() == 3


def test_stays_of_before_get_their_words(deps: Deps, make_reservation: Make) -> None:
    for number in range(3):
        make_reservation(guest_name=f"Inês {number}", in_days=3 + 4 * number)
    read = lambda: sorted((row.reservation_id, bytes(row.word)) for row in ReservationWord.select())  # noqa: E731
    before = read()
    assert len(before) > 20
    migrations.roll_back("0007_searching")
    assert read() == []
    migrations.migrate()
    assert read() == before


def money(desk: Desk, stay: Reservation) -> str:
    """What the list says about the money; the page of the stay has to say the same."""
    listed = desk.goes_to(f"{LIST}?q={quote(stay.guest_name)}")
    (word,) = ["".join(cell.itertext()).strip() for cell in listed.root.findall(".//td[@class='b1']")]
    page = desk.goes_to(f"{LIST}/{stay.code}")
    assert word in [badge.text for badge in page.root.findall(".//p[@class='eyebrow']/span")], page.text
    return word


def test_the_badge_tells_where_the_money_is(
    reception: Desk, deps: Deps, make_reservation: Make, hotel: Hotelier, stripe: Control
) -> None:
    def paid(name: str, days: int, **card: str) -> Reservation:
        stay = make_reservation(guest_name=name, in_days=days)
        hotel.is_paid(stay, **card)
        return stay

    stay = make_reservation(guest_name="Awaits", in_days=100)
    assert money(reception, stay) == "Awaiting payment"
    cash = make_reservation(guest_name="Cash", in_days=110)
    offline_payments.record_offline(deps, cash.id, 10_000, "staff 1", seen_due=cash.total, how="in cash")
    assert money(reception, cash) == "Partly paid"
    offline_payments.record_offline(deps, cash.id, 102_500, "staff 1", seen_due=102_500, how="in cash")
    assert money(reception, cash) == "Paid"
    full, half, zero = paid("Full", 40), paid("Half", 10), paid("Zero", 1)
    assert money(reception, full) == "Paid"
    for stay in (full, half, zero):
        hotel.cancels(stay)
    slow = paid("Slow", 70, card=SUCCEEDS_LATER)
    hotel.cancels(slow)
    assert money(reception, slow) == "Refund on its way"
    hotel.works()
    hotel.hears()
    assert [money(reception, stay) for stay in (full, half, zero)] == ["Refunded", "Partly refunded", "Paid, no refund"]
    failing = paid("Failing", 50, card=FAILS_LATER)
    hotel.cancels(failing)
    hotel.works(minutes=15)
    hotel.hears()
    assert money(reception, failing) == "Refund failed"
    dashboard = paid("Dashboard", 60)
    stripe.refund(hotel.intent(dashboard), amount=1_000)
    hotel.hears()
    assert money(reception, dashboard) == "Partly refunded"
