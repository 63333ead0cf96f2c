"""The floor under a guest's page: a page of the same bytes, and around it the least that such a page cannot do without.
The signed session is read, the form's token is signed, the very statements that the portal runs for the page are run by
the bare driver, six headers are set and one line is logged. No models, no rules, no languages, no figures.

`FLOOR_STATEMENTS` names a file as for the floor under the webhook; `FLOOR_PAGE` says which of its entries are run."""

import json
import os
import secrets
import sqlite3
import sys
import threading
import time
from pathlib import Path

from flask import Flask, Response, abort, g, render_template, request, session
from flask_wtf.csrf import generate_csrf

from bench.reference.page import rows_for

app = Flask(__name__)
app.config.update(SECRET_KEY=os.environ["SECRET_KEY"], SESSION_COOKIE_NAME="guest")

RECORDED = json.loads(Path(os.environ["FLOOR_STATEMENTS"]).read_text(encoding="utf-8"))
STATEMENTS = [(RECORDED["sql"][number], values) for number, values in RECORDED["messages"][os.environ["FLOOR_PAGE"]]]
FILE = os.environ["DATABASE_URL"].removeprefix("sqlite:///")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
own = threading.local()


@app.before_request
def begin() -> None:
    g.request_id, g.started = secrets.token_hex(8), time.perf_counter()


@app.get("/<int:size>")
def page(size: int) -> str:
    if not session.get("stays"):
        abort(404)
    if not hasattr(own, "connection"):
        own.connection = sqlite3.connect(FILE, isolation_level=None)
    for sql, values in STATEMENTS:
        own.connection.execute(sql, values).fetchall()
    return render_template("page.html", title=generate_csrf(), rows=rows_for(size))


@app.after_request
def end(response: Response) -> Response:
    response.headers.update(HEADERS)
    milliseconds = round((time.perf_counter() - g.started) * 1000)
    line = {"method": request.method, "status": response.status_code, "ms": milliseconds, "request": g.request_id}
    print(json.dumps(line), file=sys.stderr, flush=True)
    return response
