"""Which language and formats a page has: the guest's if there are translations for it, otherwise the hotel's, otherwise
English. A new language is a folder in `portal/translations`."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from flask import Flask, g
from flask_babel import Babel, get_locale, get_translations
from markupsafe import Markup

from portal.db import DatabaseBusy
from portal.web.context import get_hotel
from portal.web.whole_texts import WholeTexts

FALLBACK = "en_GB"
TRANSLATIONS = Path(__file__).parent.parent / "translations"


def register(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, default_locale=FALLBACK, locale_selector=select_locale)
    app.jinja_env.globals.update(_=page_text, gettext=page_text, ngettext=page_plural)
    if not any(TRANSLATIONS.glob("*/LC_MESSAGES")):
        app.jinja_env.add_extension(WholeTexts)
    for name, _ in offered():  # before the server forks: its processes share what is read by then
        format_currency(0, "EUR", locale=name)


def page_text(text: str, /, **values: Any) -> Markup:
    """A text of a page in its language, with values put in, which are escaped. What templates know as `_`.

    A page has dozens of texts, and to look each up in the catalogue anew took a tenth of the time to make it."""
    texts = _texts()
    return texts.pattern(text) % values if values else texts.whole(text)


def plain_text(text: str, /, **values: Any) -> str:
    """The same with nothing escaped: for filters, whose result is, and for mails."""
    found = str(_texts().pattern(text))
    return found % values if values else found


def page_plural(one: str, many: str, number: int, /, **values: Any) -> Markup:
    """The same for a text that depends on a number, which is `num` in it. What templates know as `ngettext`."""
    pattern = Markup(get_translations().ungettext(one, many, number))  # noqa: S704  # as below
    return pattern % {"num": number, **values}


def page_locale() -> Locale:
    """The language and formats of this page or mail: always the same object for the same language, so that what was
    written in it is found again by it alone."""
    here = _of_this_page()
    chosen = getattr(here.get("_flask_babel"), "babel_locale", None) or get_locale() or FALLBACK
    known = here.get("page_locale")
    if known is None or known[0] is not chosen:
        known = here["page_locale"] = chosen, _same(str(chosen))
    locale: Locale = known[1]
    return locale


@lru_cache(maxsize=64)
def _same(name: str) -> Locale:
    return Locale.parse(name)


def _texts() -> "_Texts":
    here = _of_this_page()
    known = here.get("texts")
    locale = page_locale()
    if known is None or known[0] is not locale:
        known = here["texts"] = locale, _texts_in(str(locale), str(TRANSLATIONS))
    texts: _Texts = known[1]
    return texts


def _of_this_page() -> dict[str, Any]:
    """What is kept until the page or mail is made, past the proxy: it is asked a hundred times a page."""
    kept: dict[str, Any] = g._get_current_object().__dict__
    return kept


class _Texts:
    """The texts of one language that pages have asked for: no more than the templates hold."""

    def __init__(self) -> None:
        self._patterns: dict[str, Markup] = {}
        self._whole: dict[str, Markup] = {}

    def pattern(self, text: str) -> Markup:
        found = self._patterns.get(text)
        if found is None:
            found = self._patterns[text] = Markup(  # noqa: S704  # texts of templates, and their translations
                get_translations().ugettext(text)
            )
        return found

    def whole(self, text: str) -> Markup:
        found = self._whole.get(text)
        if found is None:
            found = self._whole[text] = self.pattern(text) % {}  # a percent sign is written twice, as in all patterns
        return found


@lru_cache(maxsize=64)
def _texts_in(locale: str, folder: str) -> _Texts:  # noqa: ARG001  # the arguments are the key
    return _Texts()


def set_language(locale: str) -> None:
    """For the rest of this request: the language that the stay was booked in."""
    g.wanted_locale = locale


def select_locale() -> str:
    for wanted in (g.get("wanted_locale"), _hotel_locale()):
        if wanted and (locale := usable(wanted)):
            return locale
    return FALLBACK


def offered(*more: str) -> list[tuple[str, str]]:
    """Every language that there are texts in, and `more`, with its name in the language of the page."""
    folders = sorted(path.parent.name for path in TRANSLATIONS.glob("*/LC_MESSAGES"))
    return [(name, language_name(name)) for name in dict.fromkeys([*filter(None, more), FALLBACK, *folders])]


def language_name(name: str) -> str:
    """English (United Kingdom), in the language of the page; the code itself where nobody knows it."""
    try:
        words = Locale.parse(name.replace("-", "_")).get_display_name(get_locale() or FALLBACK)
    except (UnknownLocaleError, ValueError):
        return name
    return (words or name)[:1].upper() + (words or name)[1:]


def usable(name: str) -> str | None:
    """The locale if Babel knows it and there are texts in its language; None otherwise."""
    return _usable(name, str(TRANSLATIONS))


@lru_cache(maxsize=256)
def _usable(name: str, folder: str) -> str | None:
    try:
        locale = Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None
    known = {"en", *(path.parent.name.split("_")[0] for path in Path(folder).glob("*/LC_MESSAGES"))}
    return str(locale) if locale.language in known else None


def _hotel_locale() -> str | None:
    try:
        return get_hotel().locale
    except DatabaseBusy:
        return None
