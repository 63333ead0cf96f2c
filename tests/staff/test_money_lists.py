"""Payments and refunds as staff look through them, as files, and their totals, which are Stripe's."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from portal.deps import Deps
from portal.domain.guest_match import show_code
from portal.domain.hotel_time import hotel_date
from portal.models import Payment, Refund, Reservation
from portal.services import (
    csv_export,
    money_files,
    money_lists,
    offline_payments,
    reports,
    staff_refunds,
    staff_sessions,
)
from portal.services.money_lists import Filters, House
from stripe_simulator import Control
from tests.actors import Clock, everything_stored, names_of, rows
from tests.refunds.hotel import FAILS_LATER, SUCCEEDS_LATER, Hotelier
from tests.staff.desk import Desk

Make = Callable[..., Reservation]
LISBON = "Europe/Lisbon"
DECLINED, NO_MONEY = "4000000000000002", "4000000000009995"


@pytest.fixture
def hotel(deps: Deps, stripe: Control, clock: Clock) -> Hotelier:
    return Hotelier(deps, stripe, clock)


def house(clock: Clock) -> House:
    return House(LISBON, hotel_date(clock.now(), LISBON))


def signs_in_again(desk: Desk) -> None:
    """After so long that the sign-in has ended."""
    assert desk.person is not None
    desk.takes_cookie({"token": staff_sessions.start(desk.deps, desk.person)})


def read_csv(desk: Desk, path: str) -> list[dict[str, str]]:
    """As a spreadsheet would."""
    answer = desk.browser.get(desk.portal_url + path)
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Cache-Control"] == "private, no-store"
    text = answer.content.decode("utf-8-sig")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def back_at_stripe(stripe: Control, intents: set[str]) -> Counter[date]:
    truth = stripe.truth()
    back: Counter[date] = Counter()
    for refund in truth["refunds"]:
        if refund["payment_intent"] in intents and refund["status"] not in ("failed", "canceled"):
            back[day_of(refund["created"])] += refund["amount"]
    return back


def came_at_stripe(stripe: Control) -> Counter[date]:
    came: Counter[date] = Counter()
    for charge in stripe.truth()["charges"]:
        if charge["status"] == "succeeded":
            came[day_of(charge["created"])] += charge["amount"]
    return came


def day_of(stripe_time: int) -> date:
    return hotel_date(datetime.fromtimestamp(stripe_time, UTC), LISBON)


def test_totals_are_stripes_to_the_cent_on_the_same_days(
    manager: Desk, hotel: Hotelier, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    """Around midnight in a summer night: by the hotel's clock it is tomorrow while in UTC it is still today."""
    evening = datetime(clock.now().year + 1, 7, 9, 22, 40, tzinfo=UTC)
    clock.move_to(evening)
    stays = [make_reservation(in_days=40 + 5 * n, total=10_001 + 1_111 * n) for n in range(8)]
    paid, partly, dashboard, fails, lost, twice, late, cash = stays
    hotel.is_paid(paid)
    hotel.is_paid(partly)
    hotel.is_paid(fails, FAILS_LATER)
    hotel.is_paid(dashboard)
    stripe.refund(hotel.intent(dashboard), 333)
    hotel.hears()
    clock.advance(minutes=30)  # 00:10 at the hotel, 23:10 in UTC
    hotel.is_paid(lost, SUCCEEDS_LATER)
    hotel.is_paid(twice)
    stripe.charge_elsewhere(twice.total, metadata=names_of(twice, "PAY-OFALOSTSESSION"))  # paid once more
    stripe.pay(hotel.opens_session(late), DECLINED)
    hotel.hears()
    staff_refunds.refund_by_staff(
        hotel.deps, rows(Payment, reservation=partly.id)[0].id, 999, reason="noise", actor="staff 1"
    )
    hotel.cancels(fails)
    hotel.works()
    hotel.hears()
    by_hand = offline_payments.record_offline(hotel.deps, cash.id, cash.total, "staff 1")
    clock.advance(days=2)
    hotel.works()  # the failed refund has failed by now
    hotel.hears()
    assert [refund.status for refund in rows(Refund, payment=rows(Payment, reservation=fails.id)[0].id)] == ["failed"]
    stripe.refund(hotel.intent(paid))
    stripe.dispute(hotel.intent(lost))
    stripe.move_dispute(stripe.truth()["disputes"][0]["id"], "lost")
    hotel.hears()
    handed = staff_refunds.refund_by_staff(hotel.deps, by_hand.id, 500, reason="noise", actor="staff 1")
    clock.advance(days=1)
    waiting = staff_refunds.refund_by_staff(
        hotel.deps, rows(Payment, reservation=twice.id, disposition="kept")[0].id, 7, reason="x", actor="staff 1"
    )
    staff_refunds.mark_handed_back(hotel.deps, handed.id, actor="staff 1")

    first, last = date(evening.year, 7, 1), date(evening.year, 7, 31)
    (totals,) = reports.read_totals(reports.days_of(first, last), LISBON, "EUR")
    lines = {line.start: line for line in totals.lines}
    assert {day: line.card.received for day, line in lines.items() if line.card.received} == came_at_stripe(stripe)
    kept = {p.payment_intent_id for p in rows(Payment, disposition="kept")}
    returned = {p.payment_intent_id for p in rows(Payment, disposition="returned")}
    assert {d: line.card.refunded for d, line in lines.items() if line.card.refunded} == back_at_stripe(stripe, kept)
    assert {d: line.card.returned for d, line in lines.items() if line.card.returned} == back_at_stripe(
        stripe, returned
    )
    assert returned
    assert {d.day: line.card.lost for d, line in lines.items() if line.card.lost} == {12: lost.total}
    assert {d.day: line.cash.received for d, line in lines.items() if line.cash.received} == {10: cash.total}
    assert {d.day: line.cash.refunded for d, line in lines.items() if line.cash.refunded} == {13: 500}
    assert waiting.status == "todo"  # and in no sum
    assert {line.start.day for line in totals.lines if line.moved} == {9, 10, 12, 13}

    net = totals.all.both.net
    months = reports.months_until(last, 3)
    (by_month,) = reports.read_totals(months, LISBON, "EUR")
    assert [line.both.net for line in by_month.lines] == [0, 0, net]
    assert [(line.start, line.both.net) for line in totals.by_month if line.moved] == [(months[2], net)]
    signs_in_again(manager)
    page = manager.goes_to(f"/staff/payments?from={first}&to={last}")
    assert f"Net €{Decimal(net).scaleb(-2):,}" in page.text
    assert "By month" in page.text
    assert "Lost in disputes" in page.text


def test_payments_are_filtered_by_the_words_of_the_house_and_exported(
    manager: Desk, hotel: Hotelier, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    assert "No payments yet" in manager.goes_to("/staff/payments").text
    assert "No refunds to review." in manager.goes_to("/staff/refunds").text
    stays = [make_reservation(in_days=40 + 5 * n, guest_name=f"Guest {n}") for n in range(6)]
    paid, cash, declined, walks_away, late, open_ = stays
    Reservation.update(guest_name='=HYPERLINK("http://x.example","Guest 0")').where(Reservation.id == paid.id).execute()
    payment = hotel.is_paid(paid)
    offline_payments.record_offline(hotel.deps, cash.id, cash.total, "staff 1")
    stripe.pay(hotel.opens_session(declined), NO_MONEY)
    hotel.opens_session(walks_away)
    hotel.opens_session(late)
    hotel.works(hours=1)
    hotel.hears()
    stripe.charge_elsewhere(100, metadata=names_of(late, rows(Payment, reservation=late.id)[0].public_id))
    hotel.hears()
    hotel.works()
    clock.advance(minutes=1)
    hotel.opens_session(open_)
    signs_in_again(manager)

    words = {"paid": 2, "returned": 1, "declined": 1, "expired": 1, "open": 1, "failed": 0}
    for word, count in words.items():
        found = read_csv(manager, f"/staff/payments.csv?status={word}")
        assert [row["Status"] for row in found] == [word] * count, word
    for word, condition in money_lists.PAYMENT_WORDS.items():
        assert {money_lists.payment_word(p) for p in Payment.select().where(condition)} <= {word}
    page = manager.goes_to("/staff/payments?status=paid&provider=stripe")
    assert f"{show_code(paid.code)}" in page.text
    assert "Visa ending 4242" in page.text
    assert payment.payment_intent_id in page.html
    assert payment.receipt_number in page.text
    assert show_code(cash.code) not in page.text
    assert "insufficient_funds" in manager.goes_to("/staff/payments?status=declined").text
    assert "Cash or transfer" in manager.goes_to(f"/staff/payments?code={show_code(cash.code).lower()}").text
    assert "Nothing matches." in manager.goes_to("/staff/payments?code=nobody").text
    today = hotel_date(clock.now(), LISBON)
    assert "Guest 5" in manager.goes_to(f"/staff/payments?from={today}").text
    assert "Nothing matches." in manager.goes_to(f"/staff/payments?to={today - timedelta(days=2)}").text
    assert "366 days" in manager.goes_to(f"/staff/payments?from=2001-01-01&to={today}").text

    found = read_csv(manager, f"/staff/payments.csv?code={paid.code}&from={today - timedelta(days=1)}&to={today}")
    (row,) = found
    assert row["Guest"] == '\'=HYPERLINK("http://x.example","Guest 0")'
    assert (row["Amount"], row["Amount (minor units)"], row["Currency"]) == ("1125.00", "112500", "EUR")
    assert (row["Payment"], row["Card ending"], row["Receipt"]) == (payment.public_id, "4242", payment.receipt_number)
    assert [row["Received"] for row in read_csv(manager, "/staff/payments.csv?status=returned")] == ["1.00"]
    assert len(read_csv(manager, "/staff/payments.csv")) == 6


def test_refunds_are_listed_by_where_they_stand_until_every_bank_has_shown_them(
    reception: Desk, hotel: Hotelier, stripe: Control, clock: Clock, make_reservation: Make
) -> None:
    clock.move_to(datetime(clock.now().year + 1, 7, 9, 22, 40, tzinfo=UTC))
    fails, arrives, waits = (make_reservation(in_days=40 + 5 * n) for n in range(3))
    hotel.is_paid(fails, FAILS_LATER)
    for stay in (arrives, waits):
        hotel.is_paid(stay)
    hotel.cancels(fails)
    hotel.cancels(arrives)
    stripe.fault("500", path="/v1/refunds", times=50)
    hotel.cancels(waits)
    stripe.clear_faults()
    clock.advance(days=1)
    hotel.hears()
    signs_in_again(reception)
    refunds_at = {
        word: [row["Reservation"] for row in read_csv(reception, f"/staff/refunds.csv?status={word}")]
        for word in money_lists.REFUND_WORDS
    }
    codes = [show_code(stay.code) for stay in (fails, arrives, waits)]
    assert refunds_at == {
        "failed": codes[:1],
        "on_its_way": [],
        "at_the_bank": codes[1:2],
        "waiting": codes[2:],
        "refunded": [],
        "not_sent": [],
    }
    page = reception.goes_to("/staff/refunds")
    for words in ("Refund failed", "At the bank", "Waiting", "Cancellation", "€1,125.00"):
        assert words in page.text
    assert rows(Refund, status="succeeded")[0].stripe_id in page.html
    for stay, words in ((fails, "Refund failed"), (arrives, "At the bank"), (waits, "Waiting")):
        assert f"Refund {words}" in reception.goes_to(f"/staff/reservations/{stay.code}").text
    newest = money_lists.read_page(Refund, Filters(), house(clock), None, size=1)
    behind = money_lists.read_refunds(Filters(status="at_the_bank"), house(clock), newest.after)
    assert [row.payment.reservation.code for row in behind.rows] == [arrives.code], "also from a place in the list"
    for days in range(20):
        clock.advance(days=1)
        for word in ("at_the_bank", "refunded"):
            listing = money_lists.read_refunds(Filters(status=word), house(clock), None)
            assert {money_lists.refund_word(row, house(clock)) for row in listing.rows} <= {word}, days
    assert [row.payment.reservation.code for row in listing.rows] == [arrives.code]
    signs_in_again(reception)
    (row,) = read_csv(reception, f"/staff/refunds.csv?code={arrives.code}")
    assert (row["Amount"], row["Currency"], row["Amount (minor units)"]) == ("1125.00", "EUR", "112500")
    assert (row["Date"], row["Time"]) == (f"{clock.now().year}-07-09", "23:40:00")
    assert row["Time (UTC)"].endswith("-07-09T22:40:00+00:00")


def test_long_lists_and_odd_addresses(
    reception: Desk,
    stranger: Desk,
    clock: Clock,
    make_reservation: Make,
    count_statements: Callable[[Callable[[], object]], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stay = make_reservation()

    def add(first: int, count: int) -> None:
        for number in range(first, first + count):
            paid = Payment.create(
                public_id=f"PAY-{number:04}",
                reservation=stay,
                amount=1_000,
                currency="EUR",
                status="succeeded",
                disposition="kept",
                received_amount=1_000,
                received_currency="JPY" if number % 2 else "EUR",
                completed_at=clock.now(),
                session_number=number,
                attempt_number=1,
                created_at=clock.now() + timedelta(seconds=number // 3),
            )
            Refund.create(
                public_id=f"REF-{number:04}",
                payment=paid,
                kind="staff",
                amount=100,
                currency=paid.received_currency,
                status="succeeded",
                stripe_id=f"re_{number:04}",
                idempotency_key=f"ref:{number}",
                requested_by="staff 1",
                first_sent_at=clock.now(),
                created_at=paid.created_at,
                updated_at=clock.now(),
            )

    paths = ("/staff/payments", "/staff/refunds", "/staff/reports")
    add(1, 2)
    for path in paths:
        reception.goes_to(path)
    few = [count_statements(lambda path=path: reception.goes_to(path)) for path in paths]  # type: ignore[misc]
    add(3, 118)
    assert [count_statements(lambda path=path: reception.goes_to(path)) for path in paths] == few  # type: ignore[misc]
    for name, key in (("payments", "PAY-"), ("refunds", "REF-")):
        seen = [len(list(reception.goes_to(f"/staff/{name}").root.iter("tr")))]
        while any("Next page" in "".join(a.itertext()) for a in reception.page.root.iter("a")):
            reception.goes_to(reception.page.link("Next page"))
            seen.append(len(list(reception.page.root.iter("tr"))))
        assert len(seen) == 3
        monkeypatch.setattr(money_files, "_BATCH", 7)
        numbers = [row[name.title()[:-1]] for row in read_csv(reception, f"/staff/{name}.csv")]
        assert numbers == [f"{key}{number:04}" for number in range(120, 0, -1)]
    text = reception.goes_to("/staff/payments").text  # two currencies, each by itself
    assert "EUR Received €600.00 Refunded €60.00 Returned €0.00 Net €540.00" in text
    assert "JPY Received ¥60,000 Refunded ¥6,000 Returned ¥0 Net ¥54,000" in text.replace("JP¥", "¥")
    monkeypatch.setattr(money_files, "MOST_ROWS", 10)
    assert len(read_csv(reception, "/staff/payments.csv")) == 10
    answer = reception.browser.get(f"{reception.portal_url}/staff/payments.csv")
    assert "newest-10.csv" in answer.headers["Content-Disposition"]

    before = everything_stored()
    odd = ("%00", "9" * 300, "９９９９-01-01", "9999-12-31", "0001-01-01", "%F0%9F%92%B6", "2026-02-30", "eyJ", "'")
    for value in odd:
        query = "&".join(f"{name}={value}" for name in ("from", "to", "status", "provider", "code", "after", "year"))
        for path in (*paths, "/staff/payments.csv", "/staff/refunds.csv"):
            assert reception.browser.get(f"{reception.portal_url}{path}?{query}").status_code == 200, (path, value)
    assert everything_stored() == before
    assert "/staff/sign-in" in stranger.browser.get(f"{stranger.portal_url}/staff/payments.csv").url


def test_a_file_is_safe_in_a_spreadsheet_and_numbers_stay_numbers() -> None:
    file = io.BytesIO()
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠x", "a=b", "Zoë, 中文", ""]
    csv_export.write(file, ("Text", "Number", "Sum"), [(text, -5, Decimal("-1.50")) for text in texts])
    found = list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline="")))[1:]
    assert [row[0] for row in found] == [f"'{text}" for text in texts[:10]] + texts[10:]
    assert {(row[1], row[2]) for row in found} == {("-5", "-1.50")}
    assert csv_export.decimal_sum(5, "EUR") == Decimal("0.05")
    assert str(csv_export.decimal_sum(500, "JPY")) == "500"


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Europe/Lisbon", date(2027, 3, 28), datetime(2027, 3, 28, tzinfo=UTC), 23),
        ("Europe/Lisbon", date(2027, 10, 31), datetime(2027, 10, 30, 23, tzinfo=UTC), 25),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC), 23),  # there is no midnight
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC), 25),  # there are two
    ],
)
def test_days_begin_where_the_hotels_clocks_say(zone: str, day: date, begins: datetime, hours: int) -> None:
    begin, end = money_lists.start_of(day, zone), money_lists.start_of(day + timedelta(days=1), zone)
    assert begin == begins
    assert end - begin == timedelta(hours=hours)
