"""The list of reservations and the page of one, as the front desk reads them."""

import base64
from collections.abc import Callable

from portal.deps import Deps
from portal.domain.guest_match import show_code
from portal.models import Hotel, Reservation
from portal.services import api_tokens, cancellations, listing, offline_payments, staff_refunds
from tests.refunds.hotel import Hotelier
from tests.staff.desk import Desk

Make = Callable[..., Reservation]
Count = Callable[[Callable[[], object]], int]


def test_the_list_shows_who_comes_and_a_code_leads_to_its_page(reception: Desk, make_reservation: Make) -> None:
    first = make_reservation(guest_name="Inês Carvalho", in_days=3)
    make_reservation(guest_name="<b>Bold</b> & co", room="River room", in_days=9)
    page = reception.goes_to("/staff/reservations?view=coming")
    assert page.text.index("Inês Carvalho") < page.text.index("<b>Bold</b> & co")
    assert "Awaiting payment" in page.text
    typed = f"{first.code[:4]}-{first.code[4:8]}-{first.code[8:]}".lower()
    assert reception.goes_to(f"/staff/reservations?q={typed}").title == "Inês Carvalho"
    assert "No reservation matches" in reception.goes_to("/staff/reservations?q=%00zzzz").text
    assert reception.goes_to("/staff/reservations?view=nonsense&after=%ff").status == 200
    assert reception.goes_to("/staff/reservations/AAAABBBBCCCC").status == 404


def test_a_line_that_was_read_before_shows_what_happened_since(
    reception: Desk, make_reservation: Make, hotel: Hotelier
) -> None:
    stay = make_reservation(guest_name="Inês Carvalho", in_days=10)
    other = make_reservation(guest_name="Somebody Else", room="River room", in_days=10)
    before = [line_of(stay, reception), line_of(other, reception)]
    hotel.is_paid(stay)
    paid = line_of(stay, reception)
    assert "Awaiting payment" in before[0]
    assert "Paid" in paid
    assert "Confirmed" in paid
    hotel.cancels(stay)
    assert "Cancelled" in line_of(stay, reception)
    assert line_of(other, reception) == before[1]
    Reservation.update(guest_name="Inês Sousa").where(Reservation.id == stay.id).execute()
    assert "Inês Sousa" in line_of(stay, reception)


def test_a_line_tells_the_time_by_the_clock_that_the_hotel_has_now(reception: Desk, make_reservation: Make) -> None:
    stay = make_reservation(in_days=10)
    in_lisbon = line_of(stay, reception)
    Hotel.update(timezone="Asia/Tokyo").execute()
    assert line_of(stay, reception) != in_lisbon
    Hotel.update(timezone="Europe/Lisbon").execute()
    assert line_of(stay, reception) == in_lisbon


def line_of(stay: Reservation, reception: Desk) -> str:
    """What the list says about the stay, in one line."""
    page = reception.goes_to("/staff/reservations")
    (line,) = [row for row in page.root.iter("tr") if show_code(stay.code) in "".join(row.itertext())]
    return " ".join("".join(line.itertext()).split())


def test_one_page_follows_another_without_a_gap(
    reception: Desk, make_reservation: Make, monkeypatch: object, count_statements: Count
) -> None:
    for number in range(5):
        make_reservation(guest_name=f"Guest {number}", in_days=3 + 4 * number)
    few = count_statements(lambda: reception.goes_to("/staff/reservations?view=coming"))
    for number in range(5, listing.PAGE + 5):
        make_reservation(guest_name=f"Guest {number}", in_days=3 + 4 * number)
    many = count_statements(lambda: reception.goes_to("/staff/reservations?view=coming"))
    assert many == few
    first = reception.page
    second = reception.goes_to(first.link("Next page"))
    seen = [number for number in range(listing.PAGE + 5) for page in (first, second) if f"Guest {number} " in page.text]
    assert seen == list(range(listing.PAGE + 5))


def test_one_reservation_with_all_that_happened_to_its_money(
    reception: Desk, make_reservation: Make, hotel: Hotelier
) -> None:
    reservation = make_reservation(in_days=10)
    hotel.is_paid(reservation)
    address = f"/staff/reservations/{reservation.code}"
    page = reception.goes_to(address)
    assert "€1,125.00" in page.text
    assert "Paid" in page.text
    assert page.link("Cancel the reservation") == f"{address}/actions/cancel"
    hotel.cancels(reservation)
    hotel.works()
    page = reception.goes_to(address)
    assert "−€562.50" in page.text
    assert "Cancelled" in page.text
    assert reservation.email in page.text
    assert "re_" in page.text


def test_a_long_story_about_money_costs_no_more_statements(
    reception: Desk, make_reservation: Make, deps: Deps, count_statements: Count
) -> None:
    stay = make_reservation()
    address = f"/staff/reservations/{stay.code}"

    def one_more() -> None:
        due = Reservation.get_by_id(stay.id).amount_due
        payment = offline_payments.record_offline(deps, stay.id, 10_000, "staff 1", seen_due=due, how="in cash")
        staff_refunds.refund_by_staff(deps, payment.id, 100, reason="goodwill", actor="staff 1")

    one_more()
    short = count_statements(lambda: reception.goes_to(address))
    for _ in range(4):
        one_more()
    long = count_statements(lambda: reception.goes_to(address))
    assert reception.page.text.count("€100.00") >= 5
    assert long == short


def test_a_place_in_another_list_or_none_at_all_is_the_beginning(reception: Desk, make_reservation: Make) -> None:
    make_reservation(guest_name="Inês Carvalho", in_days=3)
    for place in (
        '["v",1,1]',
        '["t","2026-01-01T00:00:00+00:00",1]',
        '["t","0001-01-01T00:00:00+23:59",1]',
        '["t","9999-12-31T23:59:59-23:59",1]',
        '["d","2026-01-01","x"]',
        '["d",7,1]',
        "[]",
        '["d","2026-01-01",99999999999]',
    ):
        after = base64.urlsafe_b64encode(place.encode()).decode()
        for view in ("coming", "all"):
            page = reception.goes_to(f"/staff/reservations?view={view}&after={after}")
            assert page.status == 200, (place, view)


def test_the_log_names_the_program_that_did_it(reception: Desk, deps: Deps, make_reservation: Make) -> None:
    stay = make_reservation()
    api_tokens.add_token(deps, "Corner booking site")
    (token,) = api_tokens.list_tokens()
    actor = api_tokens.actor_of(token)
    cancellations.cancel(deps, stay.id, percent=100, due=0, actor=actor, staff=True)
    page = reception.goes_to(f"/staff/reservations/{stay.code}")
    assert "Corner booking site" in page.text
