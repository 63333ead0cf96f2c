"""Twelve months at a glance: what was paid and went back, at which attempt guests paid, and why cards were declined."""

from dataclasses import dataclass
from datetime import date, datetime, time

from babel.dates import format_skeleton
from flask import render_template, request
from flask_babel import get_locale

from portal.services import reports
from portal.services.reports import Totals
from portal.web.context import get_hotel
from portal.web.staff import access
from portal.web.staff.blueprint import staff
from portal.web.staff.payments import find_house

MONTHS = 12
MOST_REASONS = 12


@dataclass(frozen=True)
class Scale:
    """The axis of a chart: its highest value, and those that have a line. In what the chart counts."""

    top: int
    ticks: list[int]


@staff.get("/reports", endpoint="reports")
@access.needs(access.RECEPTION)
def show_reports() -> str:
    house = find_house()
    first_year = reports.first_year(house.today)
    year = _year(first_year, house.today.year)
    starts = reports.months_until(date(year, 12, 1) if year else house.today, MONTHS)
    totals = reports.read_totals(starts, house.zone, get_hotel().currency)
    return render_template(
        "staff/reports.html",
        year=year,
        years=range(house.today.year, first_year - 1, -1),
        period=(starts[0], starts[-2]),
        totals=[total for total in totals if total.all.moved],
        attempts=reports.read_attempts(starts, house.zone),
        declines=reports.read_declines(starts, house.zone),
        most_reasons=MOST_REASONS,
        scale_of=_scale_of,
    )


@staff.app_template_filter()
def month_words(day: date) -> str:
    """Nov 2026."""
    return format_skeleton("yMMM", datetime.combine(day, time()), locale=get_locale())


@staff.app_template_filter()
def month_word(day: date) -> str:
    """Nov."""
    return format_skeleton("MMM", datetime.combine(day, time()), locale=get_locale())


def _scale_of(totals: Totals) -> Scale:
    """Up to the highest column, in four round steps: 1, 2, 2.5 or 5 and as many noughts as it takes."""
    sums = [line.both for line in totals.lines]
    highest = max([1, *(amount for s in sums for amount in (s.received, s.refunded, s.returned))])
    ten = 100
    while 10 * ten < highest:
        ten *= 10
    step = next(s for s in (ten // 4, ten // 2, ten, ten * 2, ten * 5 // 2) if 4 * s >= highest)
    return Scale(4 * step, [n * step for n in range(5)])


def _year(first: int, last: int) -> int | None:
    """The calendar year that was asked for, if there can be anything in it."""
    text = request.args.get("year", "")
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        return None
    return int(text) if first <= int(text) <= last else None
