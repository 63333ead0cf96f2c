"""When a row has its next turn."""

from datetime import datetime, timedelta
from typing import Any

import peewee


def is_due(next_time: peewee.Field, now: datetime, longest_pause: timedelta) -> Any:
    """Whether the time has come. A time further ahead than any pause lasts was written while the clock was wrong, and
    nobody waits for that."""
    return has_come(next_time, now, now + longest_pause)


def has_come(next_time: peewee.Field, now: Any, too_far: Any) -> Any:
    """The same, of a statement that is written once and has blanks for both."""
    return (next_time <= now) | (next_time > too_far)
