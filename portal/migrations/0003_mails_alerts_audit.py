"""Mails to send, the list that needs attention, and the audit log that is only ever added to."""

from typing import Any

from portal.migrations import drop_tables, is_postgres, run_sql

UP = """
CREATE TABLE outgoing_mail (
    id {pk},
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    reservation_id INTEGER,
    recipient TEXT NOT NULL,
    locale TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ,
    given_up_at TIMESTAMPTZ,
    tries INTEGER NOT NULL,
    next_try_at TIMESTAMPTZ,
    error_message TEXT,
    FOREIGN KEY (reservation_id) REFERENCES reservation (id)
);
CREATE INDEX outgoing_mail_reservation_id ON outgoing_mail (reservation_id);
CREATE UNIQUE INDEX outgoing_mail_once ON outgoing_mail (kind, cause);
CREATE INDEX outgoing_mail_waiting ON outgoing_mail (next_try_at) WHERE (sent_at IS NULL);

CREATE TABLE alert (
    id {pk},
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    reservation_id INTEGER,
    payment_id INTEGER,
    details TEXT NOT NULL,
    due_by TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    mailed_at TIMESTAMPTZ,
    closed_at TIMESTAMPTZ,
    closed_by TEXT,
    why_closed TEXT,
    FOREIGN KEY (reservation_id) REFERENCES reservation (id),
    FOREIGN KEY (payment_id) REFERENCES payment (id),
    CONSTRAINT alert_closed_by_a_person CHECK (closed_at IS NULL OR (closed_by IS NOT NULL AND why_closed IS NOT NULL))
);
CREATE INDEX alert_reservation_id ON alert (reservation_id);
CREATE INDEX alert_payment_id ON alert (payment_id);
CREATE UNIQUE INDEX alert_one_open ON alert (kind, cause) WHERE (closed_at IS NULL);

CREATE TABLE audit_log (
    id {pk},
    entity TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    actor TEXT NOT NULL,
    cause TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL
);
CREATE INDEX audit_log_of_entity ON audit_log (entity, entity_id, id);
"""

SQLITE_TRIGGERS = """
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is only added to'); END
---
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is only added to'); END
"""

POSTGRES_TRIGGERS = """
CREATE FUNCTION audit_log_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit_log is only added to' USING ERRCODE = 'integrity_constraint_violation'; END $$
---
CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_only_added_to()
"""


def up(migrator: Any, db: Any) -> None:
    run_sql(db, UP)
    run_sql(db, POSTGRES_TRIGGERS if is_postgres(db) else SQLITE_TRIGGERS, separator="---")


def down(migrator: Any, db: Any) -> None:
    drop_tables(db, "audit_log", "alert", "outgoing_mail")
    if is_postgres(db):
        db.execute_sql("DROP FUNCTION audit_log_is_only_added_to()")
