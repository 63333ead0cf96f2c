"""Indexes for what is asked of the last days or of a few rows, and must not read the years before: who leaves, what
was paid or declined, money that went back, refunds by state, mails whose address is still known."""

from typing import Any

from portal.migrations import run_sql

UP = """
CREATE INDEX reservation_check_out ON reservation (check_out, email);
CREATE INDEX payment_completed_at ON payment (completed_at, status, provider, disposition, received_currency, received_amount, attempt_number, declined_at);
CREATE INDEX payment_declined_at ON payment (declined_at) WHERE (declined_at IS NOT NULL);
CREATE INDEX payment_disposition_created_at ON payment (disposition, created_at, id);
CREATE INDEX refund_status_created_at ON refund (status, created_at, id);
CREATE INDEX refund_went_at ON refund ((CASE WHEN provider = 'offline' THEN updated_at ELSE COALESCE(first_sent_at, created_at) END));
CREATE INDEX outgoing_mail_with_address ON outgoing_mail (created_at) WHERE (recipient != '');
"""

DOWN = """
DROP INDEX outgoing_mail_with_address;
DROP INDEX refund_went_at;
DROP INDEX refund_status_created_at;
DROP INDEX payment_disposition_created_at;
DROP INDEX payment_declined_at;
DROP INDEX payment_completed_at;
DROP INDEX reservation_check_out;
"""


def up(migrator: Any, db: Any) -> None:
    run_sql(db, UP)


def down(migrator: Any, db: Any) -> None:
    run_sql(db, DOWN)
