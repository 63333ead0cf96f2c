"""How mails are worded: one text for each kind, in the guest's language, shown as plain text and as HTML."""

import re
from functools import cache
from typing import Any

from flask import Flask
from flask_babel import Babel, force_locale
from jinja2 import StrictUndefined

from portal.services.mail_facts import Facts
from portal.services.mail_sending import Wording
from portal.web import languages, template_helpers

_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def write(kind: str, locales: tuple[str, ...], facts: Facts) -> Wording:
    """The mail of this kind in the first of these languages that there are texts in, otherwise in English."""
    locale = next(filter(None, map(languages.usable, locales)), languages.FALLBACK)
    app = _app(str(languages.TRANSLATIONS))
    with app.app_context(), force_locale(locale):
        (subject,), *paragraphs = _paragraphs(app.jinja_env.get_template(f"mail/{kind}.txt").render(**facts))
        shown = [_shown(lines, facts.get("link", "")) for lines in paragraphs]
        html = app.jinja_env.get_template("mail/layout.html").render(
            subject=subject, paragraphs=shown, hotel=facts["hotel"]
        )
    text = "\n\n".join("\n".join(lines) for lines in paragraphs)
    return Wording(subject, f"{text}\n", html, locale.replace("_", "-"))


@cache
def _app(translations: str) -> Flask:
    """Knows the templates, the languages and how sums and dates are written, and has no page."""
    app = Flask(__name__, template_folder="../templates")
    app.jinja_options = {
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
        "undefined": StrictUndefined,
        "finalize": _one_line,
    }
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = translations
    Babel(app, default_locale=languages.FALLBACK)
    template_helpers.register(app)
    return app


def _one_line(value: Any) -> Any:
    """No value, whoever typed it, begins a line or a paragraph of its own."""
    return type(value)(_LINE_BREAKS.sub(" ", value)) if isinstance(value, str) else value


def _paragraphs(text: str) -> list[list[str]]:
    """Its lines, in the paragraphs that blank lines make."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return [[" ".join(line.split(" ")).strip() for line in block.splitlines() if line.strip()] for block in blocks]


def _shown(lines: list[str], link: str) -> dict[str, Any]:
    """A line that ends in a colon, above the guest's link, becomes a button."""
    if len(lines) == 2 and link and lines[1] == link:
        return {"button": lines[0].rstrip(": "), "link": link, "lines": []}
    return {"button": "", "link": "", "lines": lines}
