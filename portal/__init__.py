"""A guest portal for a small hotel: review a stay, pay it with Stripe Checkout, read the truth about the money."""

import json
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from portal import api, db, logs, migrations, turns
from portal.deps import Deps
from portal.gateways.stripe_gateway import FOR_A_REQUEST
from portal.services import hotels
from portal.settings import Settings
from portal.web import (
    bodies,
    error_pages,
    languages,
    look,
    ops,
    remembered,
    request_log,
    security,
    static_files,
    template_helpers,
    webhooks,
)
from portal.web.context import set_deps
from portal.web.guest import guest
from portal.web.quick_response import QuickResponse
from portal.web.quick_templates import QuickEnvironment
from portal.web.staff import staff


class NotReady(Exception):
    """The database does not fit this code or these settings; the text says what to do."""


class QuickJson(DefaultJSONProvider):
    """The library's JSON, by an encoder that is made once and not for every answer."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self._encode = json.JSONEncoder(
            default=self.default, ensure_ascii=self.ensure_ascii, sort_keys=self.sort_keys, separators=(",", ":")
        ).encode

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return self._encode(obj) if kwargs == {"separators": (",", ":")} else super().dumps(obj, **kwargs)


class Portal(Flask):
    """Flask, told what it would otherwise find out anew for each request."""

    jinja_environment = QuickEnvironment
    json_provider_class = QuickJson
    response_class = QuickResponse

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Nothing here is asynchronous."""
        return func

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Any:
        """The portal lies at the root of its host. Some servers take a header of that name for the folder it lies in,
        and then any visitor could move the links of a page that others are shown too."""
        environ["SCRIPT_NAME"] = ""
        environ["wsgi.input"] = bodies.received(environ)
        turns.begin()
        try:
            return super().wsgi_app(environ, start_response)
        finally:
            turns.end()


def create_app(settings: Settings, deps: Deps | None = None) -> Flask:
    """The web application, with its parts wired together. NotReady when the schema is not up to date."""
    logs.configure(settings.log_format)
    db.initialise(settings.database_url)
    check_database(settings)
    turns.of_this_process.is_kept = db.is_near()
    app = Portal(__name__, template_folder="../templates", static_folder="../static")
    deps = deps or Deps.build(settings, FOR_A_REQUEST)
    set_deps(app, deps)
    request_log.register(app)  # first, so that a refused request is logged too
    security.register(app, settings)
    languages.register(app)
    template_helpers.register(app)
    remembered.register(app)
    static_files.register(app)
    error_pages.register(app)
    api.register(app)
    security.csrf.exempt(api.api)  # it looks at no cookie
    for blueprint in (guest, staff, look.look, webhooks.webhooks, ops.ops):
        app.register_blueprint(blueprint)
    return app


def check_database(settings: Settings) -> None:
    """NotReady unless the schema is this code's and the database belongs to the key's mode."""
    if migrations.pending():
        raise NotReady("The database is not up to date. Run: python -m portal migrate")
    if newer := migrations.unknown():
        raise NotReady(f"The database was used by a newer version ({newer[-1]}). Install that version.")
    with db.connection():
        used_with = hotels.get_hotel().stripe_livemode
    if used_with is not None and used_with != settings.livemode:
        mode = "live" if used_with else "test"
        raise NotReady(f"This database holds {mode} payments, but STRIPE_SECRET_KEY is of the other mode.")
