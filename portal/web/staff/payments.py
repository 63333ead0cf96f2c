"""Every payment: filtered, as a file, and what came in and went back on each day."""

import tempfile
import weakref
from collections.abc import Callable
from datetime import date, datetime
from typing import IO

from flask import Response, render_template, request
from flask_babel import lazy_gettext

from portal.domain import hotel_time
from portal.domain.guest_match import normalise_code
from portal.services import money_files, money_lists, reports
from portal.services.money_lists import Filters, House
from portal.web.context import get_deps, get_hotel
from portal.web.staff import access
from portal.web.staff.blueprint import staff

WORDS = {
    "paid": ("good", lazy_gettext("Paid")),
    "returned": ("quiet", lazy_gettext("Returned")),
    "declined": ("bad", lazy_gettext("Declined")),
    "open": ("warn", lazy_gettext("Open")),
    "checking": ("info", lazy_gettext("Checking payment")),
    "failed": ("bad", lazy_gettext("Failed")),
    "expired": ("quiet", lazy_gettext("Expired")),
    "not_opened": ("quiet", lazy_gettext("Not opened")),
}
"""Where a payment stands: the tone of its badge, and the word in it and in the filter."""

PAID_BY = {"stripe": lazy_gettext("Card"), "offline": lazy_gettext("Cash or transfer")}

IN_MEMORY = 4 * 1024 * 1024
_YEARS = range(2000, 2200)


@staff.get("/payments")
@access.needs(access.RECEPTION)
def payments() -> str:
    house, filters = find_house(), read_filters(tuple(WORDS))
    days = _days_of_totals(filters, house.today)
    fits = (days[1] - days[0]).days < reports.MOST_DAYS
    return render_template(
        "staff/payments.html",
        listing=money_lists.read_payments(filters, house, request.args.get("after")),
        chosen=chosen(filters),
        words=WORDS,
        paid_by=PAID_BY,
        word_of=money_lists.payment_word,
        period=days,
        totals=reports.read_totals(reports.days_of(*days), house.zone, get_hotel().currency) if fits else [],
    )


@staff.get("/payments.csv")
@access.needs(access.RECEPTION)
def payments_csv() -> Response:
    return send_csv("payments", tuple(WORDS), money_files.write_payments)


@staff.app_template_filter()
def hotel_day(instant: datetime, zone: str) -> date:
    """The date at the hotel, for the filters that write dates."""
    return hotel_time.hotel_date(instant, zone)


def find_house() -> House:
    zone = get_hotel().timezone
    return House(zone, hotel_time.hotel_date(get_deps().now(), zone))


def read_filters(words: tuple[str, ...]) -> Filters:
    """From the query; what cannot be read does not filter, but for a code: nothing has one that is none."""
    first, last = _day("from"), _day("to")
    if first and last and last < first:
        first, last = last, first
    code = request.args.get("code", "").strip()
    return Filters(
        first=first,
        last=last,
        status=_one_of("status", words),
        provider=_one_of("provider", money_lists.PROVIDERS),
        code=(normalise_code(code[:100]) or "") if code else None,
    )


def chosen(filters: Filters) -> dict[str, str | None]:
    """The filters as they stand in the form and in addresses."""
    return {
        "from": filters.first.isoformat() if filters.first else None,
        "to": filters.last.isoformat() if filters.last else None,
        "status": filters.status,
        "provider": filters.provider,
        "code": request.args.get("code", "").replace("\x00", "").strip()[:100] or None,
    }


def send_csv(name: str, words: tuple[str, ...], write: Callable[[IO[bytes], Filters, House], bool]) -> Response:
    """The whole filtered list as a file. It is written before the answer begins: the database's connection is given
    back by then, and whatever goes wrong is an error page and no half of a file. A long one goes through the disk."""
    house = find_house()
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed when the answer was sent
    try:
        whole = write(file, read_filters(words), house)
    except BaseException:
        file.close()
        raise
    length = file.tell()
    file.seek(0)
    answer = Response(iter(lambda: file.read(64 * 1024), b""), mimetype="text/csv")
    answer.call_on_close(file.close)
    weakref.finalize(answer, file.close)  # a server that never sends the answer never closes it either
    answer.content_length = length
    cut = "" if whole else f"-newest-{money_files.MOST_ROWS}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{house.today.isoformat()}{cut}.csv"'
    return answer


def _days_of_totals(filters: Filters, today: date) -> tuple[date, date]:
    """The period that was asked for; of half a period, as much as there is; else this month so far."""
    last = filters.last or max(filters.first or today, today)
    return filters.first or last.replace(day=1), last


def _one_of(name: str, words: tuple[str, ...]) -> str | None:
    value = request.args.get(name)
    return value if value in words else None


def _day(name: str) -> date | None:
    text = request.args.get(name, "")
    try:
        day = date.fromisoformat(text) if text.isascii() else None
    except ValueError:
        return None
    return day if day and day.year in _YEARS else None
