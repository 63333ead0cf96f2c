"""Headers, cookies, CSRF, hosts, sizes and connections: what holds for every request."""

from datetime import timedelta
from functools import lru_cache

from flask import Blueprint, Flask, Response, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf
from itsdangerous import URLSafeTimedSerializer
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import db, errors
from portal.errors import Refusal
from portal.settings import LOOPBACK, Settings
from portal.web.context import kept, this_app, this_request, this_session
from portal.web.quick_response import QuickResponse
from portal.web.sessions import SessionsByPath
from portal.web.staff import access
from portal.web.static_files import is_static

LARGEST_FORM = 64 * 1024
LARGER_FORMS = {
    "staff.settings_upload_logo": 1024 * 1024,
    "staff.import_preview": 3 * 1024 * 1024,
    "staff.import_run": 3 * 1024 * 1024,
}
"""More than a logo or a file of reservations may have (which comes twice when it is pasted too), so that the form can
say what is wrong with one that is somewhat too large."""


class SignedForms(CSRFProtect):  # type: ignore[misc]  # the library has no types
    """The library's check that a form is ours, with less ado about pages that are only read and about what programs
    send."""

    def __init__(self) -> None:
        super().__init__()
        self._of_programs = set[str]()
        """Blueprints that look at no cookie."""

    def exempt(self, view: Blueprint) -> None:
        super().exempt(view)
        self._of_programs.add(view.name)

    def init_app(self, app: Flask) -> None:
        super().init_app(app)
        app.template_context_processors[None].pop()  # it gives each page once more what all templates know
        app.jinja_env.globals["csrf_token"] = form_token

    def protect(self, apply_exemptions: bool = False) -> None:
        here = this_request()
        if here.method not in ("GET", "HEAD") and here.blueprint not in self._of_programs:
            super().protect(apply_exemptions)


def form_token() -> str:
    """What each form carries: this session's secret, signed as `flask_wtf.csrf.validate_csrf` wants it. It is good as
    long as the session, so it is signed once and not for every page."""
    secret = this_session().get("csrf_token")
    if not isinstance(secret, str):
        new: str = generate_csrf()
        return new
    return _signed(str(this_app().secret_key), secret)


@lru_cache(maxsize=4096)
def _signed(key: str, secret: str) -> str:
    signed = URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(secret)
    return signed if isinstance(signed, str) else signed.decode()


csrf = SignedForms()


def register(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_keys[0],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[1:]),
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=24),
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=100,
        TRUSTED_HOSTS=[settings.public_host, *LOOPBACK],  # whoever watches it asks this machine
        PREFERRED_URL_SCHEME="https" if settings.https else "http",
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),  # of files asked for without a hash: see static_files
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    # __Host-: bound to this very host and to https (RFC 6265bis); browsers refuse the name over http.
    bound = "__Host-" if settings.https else ""
    app.session_interface = SessionsByPath(f"{bound}guest", f"{bound}staff")
    if settings.proxy_count:
        hops = settings.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.before_request(_refuse_odd_bytes)
    app.before_request(_refuse_json)
    app.before_request(_open_connection)
    app.teardown_request(_close_connection)
    app.before_request(_allow_uploads)  # before the CSRF check reads the form
    csrf.init_app(app)
    headers = _headers(settings)
    app.after_request(lambda response: _add_headers(response, headers))


def _refuse_odd_bytes() -> None:
    """Browsers escape what is behind the question mark. Raw bytes there that are no text cannot be read by anybody."""
    try:
        this_request().query_string.decode()
    except UnicodeDecodeError as error:
        raise Refusal(errors.BAD_REQUEST) from error


def _refuse_json() -> None:
    """Forms are no JSON: the library of forms would read it, as deep as it goes, and other things than texts."""
    here = this_request()
    if here.content_type and here.blueprint in ("guest", "staff") and here.is_json:
        raise Refusal(errors.BAD_REQUEST)


def _open_connection() -> None:
    endpoint = this_request().endpoint
    asks_itself = is_static(endpoint) or endpoint in ("ops.healthz", "ops.readyz", "ops.metrics")
    if not asks_itself:
        kept().opened = db.open_connection()


def _allow_uploads() -> None:
    """Files, from people who are signed in; nobody else may have us read that much."""
    most = LARGER_FORMS.get(this_request().endpoint or "")
    if most and access.find_staff() is not None:
        request.max_content_length = request.max_form_memory_size = most


def _close_connection(_: BaseException | None) -> None:
    if kept().pop("opened", False):
        db.close_connection()


def _headers(settings: Settings) -> list[tuple[str, str]]:
    # Chromium holds the redirect after a POST against form-action, so the payment page's origin has to be in it.
    pay_at = " ".join(settings.checkout_origins)
    headers = {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
            f"connect-src 'self'; form-action 'self' {pay_at}; base-uri 'none'; frame-ancestors 'none'"
        ),
        # Not no-referrer: the CSRF check over https needs to see our own pages' addresses. Others get nothing.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }
    if settings.https:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return list(headers.items())


def _add_headers(response: Response, headers: list[tuple[str, str]]) -> Response:
    ours, here = QuickResponse.of(response), this_request()
    # The hotel's theme and logo: how long they keep, and that a picture may do nothing at all, they say themselves.
    if here.blueprint == "look" and ours.status_code < 400:
        ours.fixed = [(name, value) for name, value in headers if name not in ours.headers]
        return ours
    ours.fixed = headers
    if not is_static(here.endpoint) or ours.status_code >= 400:
        ours.headers["Cache-Control"] = "private, no-store"
    return ours
