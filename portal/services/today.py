"""The day at the front desk: who comes and goes, which holds end, what money came and goes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import peewee

from portal.deps import Deps
from portal.domain.hotel_time import hotel_date, hotel_instant
from portal.models import Alert, Hotel, Payment, Refund, Reservation, Room, unindexed
from portal.services.alert_lines import AlertLine, to_lines, with_stays

MOST = 50
"""Rows of one list; the page links to the full one."""


@dataclass(frozen=True)
class Some:
    """The first rows of a list, and whether there are more."""

    rows: Sequence[Any]
    more: bool


@dataclass(frozen=True)
class Today:
    """`received`: (currency, sum in minor units) of the payments since yesterday's first minute at the hotel."""

    day: date
    attention: list[AlertLine]
    more_attention: bool
    arrivals: Some
    arrivals_tomorrow: Some
    departures: Some
    stays_in_house: int
    guests_in_house: int
    holds_ending: Some
    payments: Some
    received: list[tuple[str, int]]
    refunds: Some


def read_today(deps: Deps, hotel: Hotel) -> Today:
    """One statement a list, whatever the number of rows."""
    now = deps.now()
    day = hotel_date(now, hotel.timezone)
    since = hotel_instant(day - timedelta(days=1), time(0), hotel.timezone)
    alerts = _some(_open_alerts())
    stays, guests = _in_house(day)
    return Today(
        day=day,
        attention=to_lines(alerts.rows),
        more_attention=alerts.more,
        arrivals=_some(_arrivals(day)),
        arrivals_tomorrow=_some(_arrivals(day + timedelta(days=1))),
        departures=_some(_departures(day)),
        stays_in_house=stays,
        guests_in_house=guests,
        holds_ending=_some(_holds_ending(now)),
        payments=_some(_received_since(since)),
        received=_sums(since),
        refunds=_some(_refunds_on_their_way()),
    )


def _some(query: Any) -> Some:
    rows = list(query.limit(MOST + 1))
    return Some(rows[:MOST], len(rows) > MOST)


def _open_alerts() -> Any:
    """Those with a date first, the nearest on top; then the newest."""
    last = peewee.Case(None, [(Alert.due_by.is_null(), 1)], 0)
    return with_stays().where(Alert.closed_at.is_null()).order_by(last, Alert.due_by, Alert.id.desc())


def _stays() -> Any:
    return Reservation.select(Reservation, Room).join(Room)


def _arrivals(day: date) -> Any:
    coming = Reservation.status << ("confirmed", "pending")
    return _stays().where(coming & (Reservation.check_in == day)).order_by(Reservation.id)


def _departures(day: date) -> Any:
    here = (unindexed(Reservation.status) == "confirmed") & (Reservation.check_out == day)
    return _stays().where(here).order_by(Reservation.id)


def _in_house(day: date) -> tuple[int, int]:
    """Stays and guests that sleep here tonight: found among those who leave later, and not among all who ever came."""
    here = (Reservation.check_out > day) & (unindexed(Reservation.check_in) <= day)
    here &= unindexed(Reservation.status) == "confirmed"
    guests = peewee.fn.COALESCE(peewee.fn.SUM(Reservation.adults + Reservation.children), 0)
    found: Any = Reservation.select(peewee.fn.COUNT(Reservation.id), guests).where(here).tuples().get()
    stays, people = found
    return int(stays), int(people)


def _holds_ending(now: datetime) -> Any:
    soon = Reservation.hold_until <= now + timedelta(hours=24)
    return _stays().where((Reservation.status == "pending") & soon).order_by(Reservation.hold_until)


def _lately(since: datetime) -> Any:
    return (unindexed(Payment.status) == "succeeded") & (Payment.completed_at >= since)


def _received_since(since: datetime) -> Any:
    query = Payment.select(Payment, Reservation).join(Reservation)
    return query.where(_lately(since)).order_by(Payment.completed_at.desc(), Payment.id.desc())


def _sums(since: datetime) -> list[tuple[str, int]]:
    """What came in, also what goes back again: the refunds stand below."""
    came = peewee.fn.COALESCE(Payment.received_amount, Payment.amount)
    currency = peewee.fn.COALESCE(Payment.received_currency, Payment.currency)
    query: Any = Payment.select(currency, peewee.fn.SUM(came)).where(_lately(since)).group_by(currency)
    return sorted((str(name), int(total)) for name, total in query.tuples())


def _refunds_on_their_way() -> Any:
    waiting = Refund.status << ("todo", "sent", "pending", "requires_action")
    query = Refund.select(Refund, Payment, Reservation).join(Payment).join(Reservation)
    return query.where(waiting).order_by(Refund.id)
