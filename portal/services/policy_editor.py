"""The cancellation policy as staff type it: lines of "at least N days before check-in" and a percent."""

from collections.abc import Sequence

from portal.domain.cancellation_policy import Policy, Tier

MOST_LINES = 6
MOST_DAYS = 730


class BadPolicy(Exception):
    """What is wrong with each line, the first is 0: {line: sentence}."""

    def __init__(self, problems: dict[int, str]) -> None:
        super().__init__("; ".join(f"line {line + 1}: {problem}" for line, problem in problems.items()))
        self.problems = problems


def read(lines: Sequence[tuple[str, str]]) -> Policy:
    """The policy of those lines (days, percent), in any order; empty ones are left out. BadPolicy names each line that
    cannot be so. A line that adds nothing (0 %, or no more than with fewer days) is not in the policy."""
    tiers, problems = _tiers(lines)
    if not tiers and not problems:
        problems[0] = "Give at least one line. If nothing ever comes back, write 0 days and 0 percent."
    problems = problems or _problems_together(tiers)
    if problems:
        raise BadPolicy(problems)
    kept: list[Tier] = []
    for tier in sorted(tiers.values(), key=lambda tier: tier.days):
        if tier.percent > (kept[-1].percent if kept else 0):
            kept.append(tier)
    return Policy(tuple(reversed(kept)))


def lines_of(policy: Policy) -> list[tuple[str, str]]:
    """The lines that show a policy, with empty ones to add to it."""
    lines = [(str(tier.days), str(tier.percent)) for tier in policy.tiers] or [("0", "0")]
    return [*lines, *[("", "")] * (MOST_LINES - len(lines))]


def _tiers(lines: Sequence[tuple[str, str]]) -> tuple[dict[int, Tier], dict[int, str]]:
    tiers: dict[int, Tier] = {}
    problems: dict[int, str] = {}
    for line, (days_text, percent_text) in enumerate(lines):
        if not days_text and not percent_text:
            continue
        days, percent = _whole(days_text, MOST_DAYS), _whole(percent_text, 100)
        if days is None:
            problems[line] = f"The days must be a whole number from 0 to {MOST_DAYS}."
        elif percent is None:
            problems[line] = "The percent must be a whole number from 0 to 100."
        else:
            tiers[line] = Tier(days, percent)
    return tiers, problems


def _whole(text: str, most: int) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    return int(text) if int(text) <= most else None


def _problems_together(tiers: dict[int, Tier]) -> dict[int, str]:
    """Of two lines, the one further down is named."""
    problems: dict[int, str] = {}
    for line, tier in tiers.items():
        others = [other for place, other in tiers.items() if place < line]
        if any(other.days == tier.days for other in others):
            problems[line] = "Another line has the same days."
        elif any((other.days - tier.days) * (other.percent - tier.percent) < 0 for other in others):
            problems[line] = "Who cancels earlier must not get back less than who cancels later."
    return problems
