"""What a guest gets back on cancelling: tiers of (at least N days before check-in → percent)."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Tier:
    """From `days` days before check-in and more, `percent` of what was paid comes back."""

    days: int
    percent: int


@dataclass(frozen=True)
class Policy:
    """Tiers, the most days first. Below the last tier nothing comes back."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        days = [tier.days for tier in self.tiers]
        percents = [tier.percent for tier in self.tiers]
        if days != sorted(set(days), reverse=True) or any(n < 0 for n in days):
            raise ValueError("the days of the tiers must fall and not be negative")
        if percents != sorted(set(percents), reverse=True) or not all(0 < p <= 100 for p in percents):
            raise ValueError("the percents of the tiers must fall and lie between 1 and 100")

    def as_pairs(self) -> list[list[int]]:
        """For storage: [[14, 100], [7, 50]]."""
        return [[tier.days, tier.percent] for tier in self.tiers]

    @classmethod
    def from_pairs(cls, pairs: list[list[int]]) -> "Policy":
        """The opposite of `as_pairs`; ValueError when the tiers make no sense."""
        return cls(tuple(Tier(days, percent) for days, percent in pairs))


DEFAULT_POLICY = Policy((Tier(14, 100), Tier(7, 50)))


def tier_on(policy: Policy, check_in: date, today: date) -> Tier | None:
    """The tier that holds when the stay is cancelled today (dates in the hotel's zone). None: nothing comes back."""
    days = (check_in - today).days
    return next((tier for tier in policy.tiers if days >= tier.days), None)


def percent_on(policy: Policy, check_in: date, today: date) -> int:
    """The percent that comes back when the stay is cancelled today."""
    tier = tier_on(policy, check_in, today)
    return tier.percent if tier else 0


def refund_target(policy: Policy, check_in: date, today: date, paid: int) -> int:
    """What is to have gone back in the end, in minor units: the tier's share of what was paid, rounded down."""
    return paid * percent_on(policy, check_in, today) // 100


def refund_due(target: int, returned: int) -> int:
    """What of it has still to go back, when so much already has; never below 0."""
    return max(0, target - returned)


@dataclass(frozen=True)
class PolicyStep:
    """One line of the time line that a guest reads: a percent, its sum and the last date (hotel's zone) it holds."""

    percent: int
    amount: int
    last_date: date | None  # None: from `first_date` on, for good
    first_date: date | None
    is_today: bool
    is_past: bool


def time_line(policy: Policy, check_in: date, today: date, paid: int) -> list[PolicyStep]:
    """The whole policy as dates and sums, first the best. `paid` is in minor units."""
    steps: list[PolicyStep] = []
    first: date | None = None
    for tier in policy.tiers:
        last = check_in - timedelta(days=tier.days)
        steps.append(_step(tier.percent, paid, first, last, today))
        first = last + timedelta(days=1)
    return [*steps, _step(0, paid, first, None, today)]


def _step(percent: int, paid: int, first: date | None, last: date | None, today: date) -> PolicyStep:
    is_past = last is not None and today > last
    is_today = not is_past and (first is None or today >= first)
    return PolicyStep(percent, paid * percent // 100, last, first, is_today, is_past)
