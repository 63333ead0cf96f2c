"""How sums, dates and cards are written for people: the filters and globals of every template."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_percent
from flask import Flask, url_for

from portal.domain import money as currencies
from portal.domain.guest_match import show_code
from portal.domain.hotel_time import hotel_date, zone_city
from portal.domain.vat import vat_by_rate
from portal.errors import N_
from portal.web.decline_words import words_for
from portal.web.languages import language_name, language_of_page, plain_plural, plain_text

_NO_BREAK_SPACE = "\u00a0"
_MINUS = "\u2212"

_CARD_BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}

_NUMBER_WORDS = (
    N_("One"),
    N_("Two"),
    N_("Three"),
    N_("Four"),
    N_("Five"),
    N_("Six"),
    N_("Seven"),
    N_("Eight"),
    N_("Nine"),
    N_("Ten"),
    N_("Eleven"),
    N_("Twelve"),
)


_remembered = lru_cache(maxsize=4096)
"""The same day or sum in the same language is written the same way, and to work that out takes longer than all else
that a template does with it."""


def register(app: Flask) -> None:
    """Give the templates of this app every filter and global below."""
    app.jinja_env.globals["url_for"] = address_of
    for function in _FILTERS:
        app.add_template_filter(function)
    for function in _GLOBALS:
        app.add_template_global(function)


def money(amount: int, currency: str) -> str:
    """Minor units as people write them, in one piece that no line break splits: "€1,125.00", "1.125,00 €"."""
    return _money(amount, currency, language_of_page().name)


@_remembered
def _money(amount: int, currency: str, locale: str) -> str:
    decimals = currencies.exponent(currency)
    text = format_currency(Decimal(amount).scaleb(-decimals), currency, locale=locale)
    return text.replace("-", _MINUS).replace(" ", _NO_BREAK_SPACE)


def percent(value: Decimal | int | str) -> str:
    """ "6" → "6%", "5.5" → "5.5%"."""
    return _percent(str(value), language_of_page().name)


@_remembered
def _percent(value: str, locale: str) -> str:
    return format_percent(Decimal(value) / 100, locale=locale, decimal_quantization=False)


def day(value: date) -> str:
    """Fri 4 Dec 2026."""
    return _date(value, "EEE d MMM yyyy", "yMMMEd")


def short_day(value: date) -> str:
    """Fri 4 Dec."""
    return _date(value, "EEE d MMM", "MMMEd")


def long_day(value: date) -> str:
    """Friday 4 December 2026."""
    locale = language_of_page().name
    return _format_date(value, "EEEE d MMMM yyyy" if _is_english(locale) else "full", locale)


def weekday_and_month(value: date) -> str:
    """Fri, Dec 2026: what stands under the day of the month."""
    return f"{_format_date(value, 'EEE', language_of_page().name)}, {_date(value, 'MMM yyyy', 'yMMM')}"


def month_and_year(value: date) -> str:
    """December 2026."""
    return _date(value, "MMMM yyyy", "yMMMM")


def short_weekday(value: date) -> str:
    """Fri."""
    return _format_date(value, "EEE", language_of_page().name)


def stay_dates(check_in: date, check_out: date) -> str:
    """Friday 18 to Monday 21 December 2026; what both dates share is said once, where the language allows it."""
    start, locale = long_day(check_in), language_of_page().name
    if _is_english(locale) and check_in.year == check_out.year:
        pattern = "EEEE d" if check_in.month == check_out.month else "EEEE d MMMM"
        start = _format_date(check_in, pattern, locale)
    return plain_text("%(start)s to %(end)s", start=start, end=long_day(check_out))


def moment(instant: datetime, zone: str) -> str:
    """Mon 23 Nov 2026, 18:24, by the hotel's clock."""
    return _moment(instant, zone, language_of_page().name)


@_remembered
def _moment(instant: datetime, zone: str, locale: str) -> str:
    local = instant.astimezone(ZoneInfo(zone))
    return f"{_date_in(local.date(), 'EEE d MMM yyyy', 'yMMMEd', locale)}, {_format_time(local.time(), locale)}"


def clock_time(value: datetime | time, zone: str = "UTC") -> str:
    """18:42. An instant is read by the clock of `zone`; a time of day is already the hotel's."""
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(zone)).time()
    return _format_time(value, language_of_page().name)


def city_time(zone: str) -> str:
    """Lisbon time."""
    return plain_text("%(city)s time", city=zone_city(zone))


def utc(instant: datetime) -> str:
    """For the datetime attribute of <time>."""
    return instant.isoformat(timespec="seconds")


def hold_words(until: datetime, now: datetime, zone: str) -> str:
    """18:42 today, 18:42 tomorrow, 18:42 on Fri 4 Dec 2026."""
    at = clock_time(until, zone)
    last, today = hotel_date(until, zone), hotel_date(now, zone)
    if last == today:
        return plain_text("%(time)s today", time=at)
    if last == today + timedelta(days=1):
        return plain_text("%(time)s tomorrow", time=at)
    return plain_text("%(time)s on %(day)s", time=at, day=day(last))


def minutes_left(until: datetime, now: datetime) -> str:
    """27 minutes left. Nothing when there is an hour or more, or when the time has passed."""
    minutes = ceil((until - now).total_seconds() / 60)
    if not 0 < minutes < 60:
        return ""
    if minutes == 1:
        return plain_text("Less than a minute left.")
    return plain_plural("%(num)s minute left.", "%(num)s minutes left.", minutes)


def nights_in(nights: int, city: str) -> str:
    """Three nights in Lisbon."""
    number = in_words(nights)
    if not city:
        return plain_plural("%(number)s night", "%(number)s nights", nights, number=number)
    return plain_plural(
        "%(number)s night in %(city)s", "%(number)s nights in %(city)s", nights, number=number, city=city
    )


def in_words(number: int) -> str:
    """Three, as a sentence begins with it; digits from 13 on."""
    return plain_text(_NUMBER_WORDS[number - 1]) if 0 < number <= len(_NUMBER_WORDS) else str(number)


def card_words(last4: str | None, brand: str | None = None) -> str:
    """Visa ending 4242, as much of it as is known."""
    name = _CARD_BRANDS.get(brand or "", "") or plain_text("Card")
    return plain_text("%(card)s ending %(last4)s", card=name, last4=last4) if last4 else name


def address_of(endpoint: str, **values: Any) -> str:
    """What templates know as `url_for`. An address is the same whoever asks, and a list asks for a hundred."""
    return _address(endpoint, tuple(values.items()))


@lru_cache(maxsize=8192)
def _address(endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
    return url_for(endpoint, **dict(values))


def phone_digits(phone: str) -> str:
    """For a tel: link: the digits, and the + of an international number."""
    return ("+" if phone.strip().startswith("+") else "") + re.sub(r"\D", "", phone)


def page_language() -> str:
    """For the lang attribute: "en-GB"."""
    return language_of_page().tag


def page_direction() -> str:
    """For the dir attribute: "ltr" or "rtl"."""
    return language_of_page().direction


def _is_english(locale: str) -> bool:
    return locale.partition("_")[0] == "en"


def _date(value: date, english: str, skeleton: str) -> str:
    """English pages all write the day first; other languages keep their own order."""
    return _date_in(value, english, skeleton, language_of_page().name)


@_remembered
def _date_in(value: date, english: str, skeleton: str, locale: str) -> str:
    return _format_date(value, english, locale) if _is_english(locale) else _format_skeleton(value, skeleton, locale)


@_remembered
def _format_date(value: date, pattern: str, locale: str) -> str:
    return format_date(value, pattern, locale=locale)


@_remembered
def _format_skeleton(value: date, skeleton: str, locale: str) -> str:
    return format_skeleton(skeleton, datetime.combine(value, time()), locale=locale)


@_remembered
def _format_time(value: time, locale: str) -> str:
    return format_time(value, "HH:mm", locale=locale)


_FILTERS: tuple[Callable[..., Any], ...] = (
    card_words,
    city_time,
    clock_time,
    day,
    hold_words,
    in_words,
    language_name,
    long_day,
    minutes_left,
    moment,
    money,
    month_and_year,
    nights_in,
    percent,
    phone_digits,
    short_day,
    show_code,
    short_weekday,
    stay_dates,
    utc,
    weekday_and_month,
)

_GLOBALS: tuple[Callable[..., Any], ...] = (
    page_direction,
    page_language,
    vat_by_rate,
    words_for,
)
