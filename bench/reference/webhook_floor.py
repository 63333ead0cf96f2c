"""The floor under the webhook: the signature is checked, the message read as JSON, and the very statements that the
portal ran for it are run again by the bare driver, in one durable transaction. No builder of queries, no rules, no log.

`FLOOR_STATEMENTS` names a file: {"sql": [...], "messages": {event id: [[number of the SQL, values], ...]}}."""

import json
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from flask import Flask, jsonify, request
from stripe import WebhookSignature

app = Flask(__name__)

SECRET = os.environ["STRIPE_WEBHOOK_SECRET"]
URL = os.environ["DATABASE_URL"]
RECORDED = json.loads(Path(os.environ["FLOOR_STATEMENTS"]).read_text(encoding="utf-8"))
own = threading.local()


@app.post("/webhooks/stripe")
def webhook() -> Any:
    body = request.get_data()
    WebhookSignature.verify_header(body.decode(), request.headers["Stripe-Signature"], SECRET, 300)
    event = json.loads(body)
    (_run_sqlite if URL.startswith("sqlite") else _run_postgres)(RECORDED["messages"][event["id"]])
    return jsonify(received=True)


def _run_sqlite(statements: list[Any]) -> None:
    if not hasattr(own, "connection"):
        own.connection = sqlite3.connect(URL.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
        for pragma in ("journal_mode = wal", "foreign_keys = 1", "synchronous = full"):
            own.connection.execute(f"PRAGMA {pragma}")
    own.connection.execute("BEGIN IMMEDIATE")
    for number, values in statements:
        own.connection.execute(RECORDED["sql"][number], values).fetchall()
    own.connection.execute("COMMIT")


def _run_postgres(statements: list[Any]) -> None:
    import psycopg  # noqa: PLC0415  # not for SQLite

    if not hasattr(own, "connection"):
        own.connection = psycopg.connect(URL)
    with own.connection.transaction():
        for number, values in statements:
            cursor = own.connection.execute(RECORDED["sql"][number], values)
            if cursor.description:
                cursor.fetchall()
