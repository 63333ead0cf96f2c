"""An index for the refunds that the bank has yet to show: the list of them reads the last two weeks and not all years."""

from typing import Any

from portal.migrations import run_sql

UP = """
CREATE INDEX refund_sent_at ON refund ((COALESCE(first_sent_at, updated_at)));
"""

DOWN = """
DROP INDEX refund_sent_at;
"""


def up(migrator: Any, db: Any) -> None:
    run_sql(db, UP)


def down(migrator: Any, db: Any) -> None:
    run_sql(db, DOWN)
