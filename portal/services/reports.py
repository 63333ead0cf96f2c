"""Sums over days and months at the hotel: what came in, what went back, at which attempt, and why cards were declined.

Sums are minor units and kept apart by currency. The database adds them up; only declines are read one by one. Days:
money that came, when it came; a refund by card, when it was sent, if Stripe took it; cash, when it was handed back; a
lost dispute, when we heard that it was lost. A refund that fails later disappears from its day: nothing went back."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from peewee import SQL, Case, Value, fn

from portal.models import Dispute, Payment, Refund, unindexed
from portal.models.payment import WENT_AT
from portal.services.guest_pages import CREDITED
from portal.services.money_lists import start_of

MOST_DAYS = 366
LOOK_BACK = timedelta(days=400)
"""A payment has its last decline within this time after another, so that an index keeps a report from reading all that
came later. The longest that Stripe lets anything wait is a few months."""


@dataclass
class Sums:
    """Minor units of one currency."""

    received: int = 0
    """All that came in, kept or not."""
    refunded: int = 0
    """Of money that was kept."""
    returned: int = 0
    """Of money that could not be kept: paid too late, twice, or the wrong sum."""
    lost: int = 0
    """What banks took back in disputes that were lost."""

    @property
    def net(self) -> int:
        return self.received - self.refunded - self.returned - self.lost

    @property
    def moved(self) -> bool:
        return bool(self.received or self.refunded or self.returned or self.lost)

    def add(self, other: "Sums") -> None:
        self.received += other.received
        self.refunded += other.refunded
        self.returned += other.returned
        self.lost += other.lost


@dataclass
class Line:
    """A day or a month, named by its first day: money by card, and cash and transfers."""

    start: date
    card: Sums = field(default_factory=Sums)
    cash: Sums = field(default_factory=Sums)

    @property
    def moved(self) -> bool:
        return self.card.moved or self.cash.moved

    @property
    def both(self) -> Sums:
        both = Sums()
        both.add(self.card)
        both.add(self.cash)
        return both

    def add(self, other: "Line") -> None:
        self.card.add(other.card)
        self.cash.add(other.cash)


@dataclass(frozen=True)
class Totals:
    """One currency over a period: a line for each of its parts, empty ones among them."""

    currency: str
    lines: list[Line]

    @property
    def all(self) -> Line:
        return _together(self.lines)

    @property
    def by_month(self) -> list[Line]:
        """The lines of days, put together by the month."""
        months = groupby(self.lines, lambda line: line.start.replace(day=1))
        return [_together(lines, start) for start, lines in months]


@dataclass(frozen=True)
class Attempts:
    """Of the card payments of one month that came in: at which attempt."""

    start: date
    first: int
    second: int
    later: int

    @property
    def paid(self) -> int:
        return self.first + self.second + self.later


def days_of(first: date, last: date) -> list[date]:
    """The days from first to last, and the one after them: where the last one ends."""
    return [first + timedelta(days=n) for n in range((last - first).days + 2)]


def months_until(last: date, count: int) -> list[date]:
    """The first days of `count` months, `last`'s being the latest, and of the one after them."""
    number = last.year * 12 + last.month - count
    return [date(n // 12, n % 12 + 1, 1) for n in range(number, number + count + 1)]


def read_totals(starts: Sequence[date], zone: str, currency: str) -> list[Totals]:
    """The sums of each part of a period, by currency: the hotel's first, then those that there are. `starts` are the
    parts' first days at the hotel, in order, and the day after the last part. Three statements, whatever there is."""
    bounds = [start_of(day, zone) for day in starts]
    found: dict[str, list[Line]] = {currency: _empty(starts)}
    for column, rows in (("received", _received(bounds)), ("back", _refunded(bounds)), ("lost", _lost(bounds))):
        for part, in_currency, provider, disposition, amount in rows:
            line = found.setdefault(in_currency, _empty(starts))[int(part)]
            sums = line.card if provider == "stripe" else line.cash
            name = {"back": "returned" if disposition == "returned" else "refunded"}.get(column, column)
            setattr(sums, name, getattr(sums, name) + int(amount))
    others = sorted(found.keys() - {currency})
    return [Totals(name, found[name]) for name in (currency, *others)]


def read_attempts(starts: Sequence[date], zone: str) -> list[Attempts]:
    """By the month (as in `read_totals`): how many card payments came in, and at which attempt. A payment in which a
    card was declined before another was taken counts as one attempt more, like one that was given up."""
    bounds = [start_of(day, zone) for day in starts]
    attempt = Payment.attempt_number + Case(None, [(Payment.declined_at.is_null(), 0)], 1)
    rows: Any = (
        Payment.select(_part(Payment.completed_at, bounds).alias("part"), attempt.alias("nth"), fn.COUNT(Payment.id))
        .where((Payment.provider == "stripe") & _within(bounds))
        .group_by(SQL("part"), SQL("nth"))
        .tuples()
    )
    counted: list[Counter[int]] = [Counter() for _ in starts[:-1]]
    for part, nth, count in rows:
        counted[int(part)][min(int(nth), 3)] += int(count)
    return [Attempts(start, c[1], c[2], c[3]) for start, c in zip(starts, counted, strict=False)]


def read_declines(starts: Sequence[date], zone: str) -> list[tuple[str, int]]:
    """Stripe's reasons for the declined cards of the period, each card once, the most frequent reason first."""
    begin, end = start_of(starts[0], zone), start_of(starts[-1], zone)
    # `declined_at` is the latest of a payment's.
    rows = Payment.select(Payment.declines).where(
        (Payment.declined_at >= begin) & (Payment.declined_at < end + LOOK_BACK)
    )
    reasons: Counter[str] = Counter()
    for (declines,) in rows.tuples().iterator():
        for code, at in declines.values():
            if begin <= datetime.fromisoformat(at) < end:
                reasons[code] += 1
    return sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0]))


def first_year(today: date) -> int:
    """The year of the oldest payment, or this one."""
    oldest: Payment | None = Payment.select(Payment.created_at).order_by(Payment.created_at).first()
    return min(oldest.created_at.year, today.year) if oldest else today.year


# Inside ---------------------------------------------------------------------------------------------------------------


def _empty(starts: Sequence[date]) -> list[Line]:
    return [Line(start) for start in starts[:-1]]


def _together(lines: Iterable[Line], start: date = date.min) -> Line:
    total = Line(start)
    for line in lines:
        total.add(line)
    return total


def _received(bounds: Sequence[datetime]) -> Any:
    columns = (Payment.received_currency, Payment.provider, Payment.disposition)
    rows = Payment.select(
        _part(Payment.completed_at, bounds).alias("part"), *columns, fn.SUM(Payment.received_amount)
    ).where(_within(bounds))
    return rows.group_by(SQL("part"), *columns).tuples()


def _within(bounds: Sequence[datetime]) -> Any:
    """Payments that came in between the first and the last bound."""
    succeeded = unindexed(Payment.status) == "succeeded"
    return succeeded & (Payment.completed_at >= bounds[0]) & (Payment.completed_at < bounds[-1])


def _refunded(bounds: Sequence[datetime]) -> Any:
    """What waits to be sent, and what Stripe has not answered yet, has not left."""
    sent = (
        (Refund.provider == "stripe")
        & (unindexed(Refund.status) << CREDITED)
        & unindexed(Refund.stripe_id).is_null(False)
    )
    handed_back = (Refund.provider == "offline") & (unindexed(Refund.status) == "succeeded")
    columns, went = (Refund.currency, Refund.provider, Payment.disposition), WENT_AT
    rows = (
        Refund.select(_part(went, bounds).alias("part"), *columns, fn.SUM(Refund.amount))
        .join(Payment)
        .where((went >= _plain(bounds[0])) & (went < _plain(bounds[-1])) & (sent | handed_back))
    )
    return rows.group_by(SQL("part"), *columns).tuples()


def _lost(bounds: Sequence[datetime]) -> Any:
    rows = (
        Dispute.select(
            _part(Dispute.updated_at, bounds).alias("part"),
            Dispute.currency,
            Payment.provider,
            Payment.disposition,
            fn.SUM(Dispute.amount),
        )
        .join(Payment)
        .where((Dispute.status == "lost") & (Dispute.updated_at >= bounds[0]) & (Dispute.updated_at < bounds[-1]))
    )
    return rows.group_by(SQL("part"), Dispute.currency, Payment.provider, Payment.disposition).tuples()


def _part(at: Any, bounds: Sequence[datetime]) -> Any:
    """The number of the part that an instant within the bounds falls into."""
    return Case(None, [(at < _plain(bound), number) for number, bound in enumerate(bounds[1:])])


def _plain(instant: datetime) -> Any:
    """For comparing with an expression, which knows no column's type."""
    return Value(Payment.created_at.db_value(instant), converter=False)
