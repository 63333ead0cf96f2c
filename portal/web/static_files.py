"""Style sheet, script, fonts and pictures. Their addresses carry a hash of all of them, `/static/v/HASH/portal.css`, so
browsers keep them for good; what the style sheet itself names lies under the same hash."""

import hashlib
from functools import partial
from pathlib import Path

from flask import Flask, Response, current_app, send_from_directory

from portal.web.context import this_app

_VERSION = "portal.static_version"
_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_AN_HOUR = "public, max-age=3600"


def register(app: Flask) -> None:
    """The addresses with a hash, beside the plain ones that Flask has and that nothing but a last resort uses."""
    app.extensions[_VERSION] = _hash_of_all(Path(str(app.static_folder)))
    app.add_url_rule("/static/v/<version>/<path:filename>", endpoint="static_version", view_func=_send)
    app.add_template_global(partial(_address, app.extensions[_VERSION]), "asset")


def asset(path: str) -> str:
    """The address of a file in static/; templates know it too."""
    return _address(this_app().extensions[_VERSION], path)


def _address(version: str, path: str) -> str:
    return f"/static/v/{version}/{path}"


def is_static(endpoint: str | None) -> bool:
    return endpoint in ("static", "static_version")


def _send(version: str, filename: str) -> Response:
    """A page that another version of the portal made, a moment before or after this one, still gets its style."""
    answer = send_from_directory(str(current_app.static_folder), filename)
    answer.headers["Cache-Control"] = _FOR_GOOD if version == current_app.extensions[_VERSION] else _FOR_AN_HOUR
    return answer


def _hash_of_all(folder: Path) -> str:
    """Of names and contents, so that a file that was added, changed or renamed gives new addresses to all."""
    found = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        found.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return found.hexdigest()[:12]
