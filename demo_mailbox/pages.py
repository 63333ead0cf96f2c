"""The page: a list of mails, and each with its text, its HTML in a box that can do nothing, and its files."""

from functools import partial
from urllib.parse import quote

from flask import Blueprint, Flask, Response, abort, render_template

from demo_mailbox.mailbox import Mail, Mailbox

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""A mail may colour itself and have links that open elsewhere: no script, no picture from afar, no form."""


def make_app(mailbox: Mailbox) -> Flask:
    """The pages of one mailbox."""
    app = Flask(__name__)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    pages = Blueprint("pages", __name__)
    pages.add_url_rule("/", "home", partial(_home, mailbox))
    pages.add_url_rule("/mails/<int:number>", "mail", partial(_mail, mailbox))
    pages.add_url_rule("/mails/<int:number>/html", "html", partial(_html, mailbox))
    pages.add_url_rule("/mails/<int:number>/source", "source", partial(_source, mailbox))
    pages.add_url_rule("/mails/<int:number>/files/<int:place>", "file", partial(_file, mailbox))
    app.register_blueprint(pages)
    app.after_request(_add_headers)
    return app


def _home(mailbox: Mailbox) -> str:
    return render_template("home.html", mails=mailbox.all())


def _mail(mailbox: Mailbox, number: int) -> str:
    return render_template("mail.html", mail=_find(mailbox, number))


def _html(mailbox: Mailbox, number: int) -> Response:
    html = _find(mailbox, number).html
    if html is None:
        abort(404)
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def _source(mailbox: Mailbox, number: int) -> Response:
    return Response(_find(mailbox, number).message.as_bytes(), mimetype="text/plain")


def _file(mailbox: Mailbox, number: int, place: int) -> Response:
    files = _find(mailbox, number).files
    if place >= len(files):
        abort(404)
    response = Response(files[place].content, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(files[place].name, safe='')}"
    return response


def _find(mailbox: Mailbox, number: int) -> Mail:
    mail = mailbox.find(number)
    if mail is None:
        abort(404)
    return mail


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
