"""How sums, dates and cards are written for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel, force_locale
from markupsafe import Markup, escape

from portal.domain.vat import VatSum
from portal.web import remembered
from portal.web import template_helpers as helpers

NOW = datetime(2026, 11, 23, 18, 15, tzinfo=UTC)
LISBON = "Europe/Lisbon"
MINUS, NO_BREAK = "\u2212", "\u00a0"


@dataclass
class Line:
    amount: int
    vat_percent: str | None


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    Babel(app, default_locale="en_GB")
    helpers.register(app)
    return app


@pytest.fixture(autouse=True)
def request_context(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (65700, "EUR", "€657.00"),
        (112500, "EUR", "€1,125.00"),
        (0, "EUR", "€0.00"),
        (5, "EUR", "€0.05"),
        (-2200, "EUR", f"{MINUS}€22.00"),
        (1500, "JPY", "JP¥1,500"),
        (99_999_999, "GBP", "£999,999.99"),
    ],
)
def test_money_in_english(amount: int, currency: str, text: str) -> None:
    assert helpers.money(amount, currency) == text


def test_money_follows_the_language_and_stays_in_one_piece() -> None:
    with force_locale("de"):
        assert helpers.money(-112500, "EUR") == f"{MINUS}1.125,00{NO_BREAK}€"
        assert helpers.money(1500, "JPY") == f"1.500{NO_BREAK}¥"


def test_money_that_came_by_mistake_in_another_currency_is_still_shown() -> None:
    assert "100" in helpers.money(10_050, "ISK")


@pytest.mark.parametrize(("value", "text"), [("6", "6%"), ("5.5", "5.5%"), (50, "50%"), (Decimal("13.0"), "13%")])
def test_percent(value: str | int | Decimal, text: str) -> None:
    assert helpers.percent(value) == text


def test_vat_is_summed_for_each_rate() -> None:
    lines = [Line(56700, "6"), Line(6600, "6.0"), Line(2260, "13"), Line(2400, None), Line(500, "0"), Line(500, "")]
    assert helpers.vat_by_rate(lines) == [VatSum(Decimal(13), 260), VatSum(Decimal(6), 3583)]


def test_vat_of_a_line_is_rounded_half_up() -> None:
    assert helpers.vat_by_rate([Line(3, "20")]) == [VatSum(Decimal(20), 1)]  # 0.5
    assert helpers.vat_by_rate([Line(-3, "20")]) == [VatSum(Decimal(20), -1)]
    assert helpers.vat_by_rate([Line(1055, "5.5")]) == [VatSum(Decimal("5.5"), 55)]
    assert helpers.vat_by_rate([]) == []


def test_dates() -> None:
    assert helpers.day(date(2026, 12, 4)) == "Fri 4 Dec 2026"
    assert helpers.short_day(date(2026, 12, 4)) == "Fri 4 Dec"
    assert helpers.long_day(date(2026, 12, 4)) == "Friday 4 December 2026"
    assert helpers.weekday_and_month(date(2026, 12, 4)) == "Fri, Dec 2026"


def test_american_pages_write_the_day_first_too() -> None:
    with force_locale("en_US"):
        assert helpers.day(date(2026, 12, 4)) == "Fri 4 Dec 2026"


def test_other_languages_keep_their_own_order() -> None:
    with force_locale("de"):
        assert helpers.day(date(2026, 12, 4)) == "Fr., 4. Dez. 2026"
        assert helpers.long_day(date(2026, 12, 4)) == "Freitag, 4. Dezember 2026"


@pytest.mark.parametrize(
    ("check_in", "check_out", "text"),
    [
        (date(2026, 12, 18), date(2026, 12, 21), "Friday 18 to Monday 21 December 2026"),
        (date(2026, 11, 30), date(2026, 12, 2), "Monday 30 November to Wednesday 2 December 2026"),
        (date(2026, 12, 30), date(2027, 1, 2), "Wednesday 30 December 2026 to Saturday 2 January 2027"),
    ],
)
def test_stay_dates_say_once_what_both_share(check_in: date, check_out: date, text: str) -> None:
    assert helpers.stay_dates(check_in, check_out) == text


def test_instants_are_read_by_the_hotels_clock() -> None:
    assert helpers.moment(NOW, LISBON) == "Mon 23 Nov 2026, 18:15"
    assert helpers.moment(NOW, "Asia/Tokyo") == "Tue 24 Nov 2026, 03:15"
    assert helpers.clock_time(NOW, "Asia/Kolkata") == "23:45"
    assert helpers.clock_time(time(15)) == "15:00"
    assert helpers.utc(NOW) == "2026-11-23T18:15:00+00:00"


@pytest.mark.parametrize(
    ("until", "text"),
    [
        (NOW + timedelta(minutes=27), "18:42 today"),
        (NOW + timedelta(hours=23), "17:15 tomorrow"),
        (NOW + timedelta(hours=72), "18:15 on Thu 26 Nov 2026"),
    ],
)
def test_hold_words(until: datetime, text: str) -> None:
    assert helpers.hold_words(until, NOW, LISBON) == text


def test_the_hotels_midnight_decides_what_is_today() -> None:
    assert helpers.hold_words(NOW + timedelta(hours=1), NOW, "Asia/Tokyo") == "04:15 today"
    assert helpers.hold_words(datetime(2026, 11, 24, 0, 30, tzinfo=UTC), NOW, LISBON) == "00:30 tomorrow"


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(minutes=60), ""),
        (timedelta(minutes=59), "59 minutes left."),
        (timedelta(minutes=26, seconds=1), "27 minutes left."),
        (timedelta(minutes=1, seconds=1), "2 minutes left."),
        (timedelta(seconds=1), "Less than a minute left."),
        (timedelta(0), ""),
        (-timedelta(minutes=5), ""),
    ],
)
def test_minutes_left(left: timedelta, text: str) -> None:
    assert helpers.minutes_left(NOW + left, NOW) == text


@pytest.mark.parametrize(
    ("nights", "city", "text"),
    [
        (1, "Lisbon", "One night in Lisbon"),
        (3, "Lisbon", "Three nights in Lisbon"),
        (12, "Porto", "Twelve nights in Porto"),
        (13, "Porto", "13 nights in Porto"),
        (2, "", "Two nights"),
    ],
)
def test_nights_in(nights: int, city: str, text: str) -> None:
    assert helpers.nights_in(nights, city) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (1, "One"), (12, "Twelve"), (13, "13")])
def test_in_words(number: int, text: str) -> None:
    assert helpers.in_words(number) == text


@pytest.mark.parametrize(
    ("last4", "brand", "text"),
    [
        ("4242", "visa", "Visa ending 4242"),
        ("0341", "amex", "American Express ending 0341"),
        ("4242", None, "Card ending 4242"),
        ("4242", "a brand of tomorrow", "Card ending 4242"),
        (None, "visa", "Visa"),
        (None, None, "Card"),
    ],
)
def test_card_words(last4: str | None, brand: str | None, text: str) -> None:
    assert helpers.card_words(last4, brand) == text


def test_city_time() -> None:
    assert helpers.city_time("America/Argentina/Buenos_Aires") == "Buenos Aires time"


@pytest.mark.parametrize(
    ("phone", "digits"), [("+351 21 000-0140", "+351210000140"), ("(021) 555 01", "02155501"), ("", "")]
)
def test_phone_digits(phone: str, digits: str) -> None:
    assert helpers.phone_digits(phone) == digits


def test_the_language_and_direction_of_a_page() -> None:
    assert (helpers.page_language(), helpers.page_direction()) == ("en-GB", "ltr")
    with force_locale("ar"):
        assert helpers.page_direction() == "rtl"


def test_templates_find_the_filters_and_globals() -> None:
    text = "{{ 65700 | money('EUR') }} {{ words_for(none).next_step }}"
    assert render_template_string(text).startswith("€657.00 ")


def test_what_is_remembered_tells_markup_from_the_same_text() -> None:
    made = [remembered.remembered(escape, value) for value in (Markup("<b>"), "<b>", Markup("<b>"))]
    assert made == ["<b>", "&lt;b&gt;", "<b>"]
    assert remembered.remembered_lines(escape, [("<i>",), (Markup("<i>"),)]) == "&lt;i&gt;\n<i>"
