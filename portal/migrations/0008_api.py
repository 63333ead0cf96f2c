"""The JSON API: what a request with an idempotency key has done, before its answer is known."""

from typing import Any

from portal.migrations import run_sql


def up(migrator: Any, db: Any) -> None:
    run_sql(
        db,
        "ALTER TABLE api_answer ADD COLUMN effect TEXT; CREATE INDEX api_answer_created_at ON api_answer (created_at);",
    )


def down(migrator: Any, db: Any) -> None:
    run_sql(db, "DROP INDEX api_answer_created_at; ALTER TABLE api_answer DROP COLUMN effect;")
