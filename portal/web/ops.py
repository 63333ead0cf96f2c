"""For whoever runs it: is the process up, and can it work?"""

from flask import Blueprint, current_app, jsonify, redirect
from werkzeug.wrappers import Response

from portal.services import readiness
from portal.web.context import get_deps

ops = Blueprint("ops", __name__)


@ops.get("/healthz")
def healthz() -> Response:
    return jsonify(status="up")


@ops.get("/readyz")
def readyz() -> tuple[Response, int]:
    """503 with what to do until guests can be served. Whether a worker is alive is told; pages work without one."""
    found = readiness.check(get_deps())
    answer = {
        "status": "not ready" if found.wrong else "ready",
        "wrong": [{"reason": one.reason, "do": one.do} for one in found.wrong],
        "worker_alive": found.worker_alive,
    }
    return jsonify(answer), 503 if found.wrong else 200


@ops.get("/favicon.ico")
def favicon() -> Response:
    return redirect(f"{current_app.static_url_path}/img/logo.svg", 301)
