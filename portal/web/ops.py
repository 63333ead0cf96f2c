"""For whoever runs it: is the process up, and can it work?"""

from flask import Blueprint, current_app, jsonify, redirect
from werkzeug.wrappers import Response

from portal import migrations
from portal.services import leases
from portal.web.context import get_deps

ops = Blueprint("ops", __name__)


@ops.get("/healthz")
def healthz() -> Response:
    return jsonify(status="up")


@ops.get("/readyz")
def readyz() -> tuple[Response, int]:
    """503 until the schema fits. Whether a worker is alive is shown, but pages work without one."""
    waiting = migrations.pending()
    answer = {"status": "not ready" if waiting else "ready", "migrations_waiting": waiting}
    return jsonify(**answer, worker_alive=leases.worker_is_alive(get_deps())), 503 if waiting else 200


@ops.get("/favicon.ico")
def favicon() -> Response:
    return redirect(f"{current_app.static_url_path}/img/logo.svg", 301)
