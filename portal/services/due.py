"""When a row has its next turn."""

from datetime import datetime, timedelta
from typing import Any

import peewee


def is_due(next_time: peewee.Field, now: datetime, longest_pause: timedelta) -> Any:
    """Whether the time has come. A time further ahead than any pause lasts was written while the clock was wrong, and
    nobody waits for that."""
    return (next_time <= now) | (next_time > now + longest_pause)
