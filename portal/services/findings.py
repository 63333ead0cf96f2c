"""What an audit finds."""

from dataclasses import dataclass
from datetime import timedelta

WORKER_TIME = timedelta(minutes=15)
"""What is younger may still be on its way; a row that has waited longer than this is stuck."""


@dataclass(frozen=True)
class Finding:
    """Which rule is broken, by which row, and how."""

    rule: str
    row: str
    what: str
