"""Which language and formats a page has: the guest's if there are translations for it, otherwise the hotel's, otherwise
English. A new language is a folder in `portal/translations`."""

from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from flask import Flask
from flask_babel import Babel, get_locale, get_translations
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]  # the second is written in C

from portal.db import DatabaseBusy
from portal.web.context import get_hotel, kept, this_app
from portal.web.quick_templates import QuickEnvironment
from portal.web.whole_texts import WholeTexts

FALLBACK = "en_GB"
_ESCAPED = {Markup, int}
TRANSLATIONS = Path(__file__).parent.parent / "translations"


def register(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, default_locale=FALLBACK, locale_selector=select_locale)
    app.jinja_env.globals.update(_=page_text, gettext=page_text, ngettext=page_plural)
    if not any(TRANSLATIONS.glob("*/LC_MESSAGES")):
        cast(QuickEnvironment, app.jinja_env).last_pass = WholeTexts()
    for name, _ in offered():  # before the server forks: its processes share what is read by then
        format_currency(0, "EUR", locale=name)


def page_text(text: str, /, **values: Any) -> Markup:
    """A text of a page in its language, with values put in, which are escaped. What templates know as `_`."""
    language = language_of_page()
    return filled(language.pattern(text), values) if values else language.whole(text)


def filled(pattern: Markup, values: dict[str, Any]) -> Markup:
    """`pattern % values`, in fewer steps: there is nothing in numbers to escape."""
    escaped = {
        name: value if type(value) in _ESCAPED else _escape_inner(value) if type(value) is str else escape(value)
        for name, value in values.items()
    }
    return str.__new__(Markup, str.__mod__(pattern, escaped))


def plain_text(text: str, /, **values: Any) -> str:
    """The same with nothing escaped: for filters, whose result is, and for mails."""
    found = str.__str__(language_of_page().pattern(text))
    return found % values if values else found


def page_plural(one: str, many: str, number: int, /, **values: Any) -> Markup:
    """`page_text` for a text that depends on a number, which is `num` in it. What templates know as `ngettext`."""
    return filled(language_of_page().plural(one, many, number), {"num": number, **values})


def plain_plural(one: str, many: str, number: int, /, **values: Any) -> str:
    """The same with nothing escaped."""
    return str.__str__(language_of_page().plural(one, many, number)) % {"num": number, **values}


class Language:
    """The language and formats of a page or mail, and the texts in it that pages have asked for, which are no more than
    the templates hold: to look each of dozens up in the catalogue anew took a tenth of the time to make a page."""

    def __init__(self, name: str) -> None:
        self.name, self.locale = name, Locale.parse(name)
        self.tag, self.direction = name.replace("_", "-"), self.locale.text_direction
        self._patterns: dict[str, Markup] = {}
        self._whole: dict[str, Markup] = {}
        self.plural = lru_cache(maxsize=1024)(self._plural)
        """Of a text for one and one for many, the one for that many."""

    def pattern(self, text: str) -> Markup:
        """With places for values: a percent sign is written twice."""
        found = self._patterns.get(text)
        if found is None:
            found = self._patterns[text] = Markup(  # noqa: S704  # texts of templates, and their translations
                get_translations().ugettext(text)
            )
        return found

    def whole(self, text: str) -> Markup:
        """With nothing to put in."""
        found = self._whole.get(text)
        if found is None:
            found = self._whole[text] = self.pattern(text) % {}
        return found

    def _plural(self, one: str, many: str, number: int) -> Markup:
        return Markup(get_translations().ungettext(one, many, number))  # noqa: S704  # as above


def language_of_page() -> Language:
    """Asked hundreds of times a page, so it is kept until the page or mail is made; another one as soon as somebody
    chooses another language for the rest of it (`force_locale`)."""
    here: dict[str, Any] = kept().__dict__
    language: Language
    try:
        chosen, language = here["language_of_page"]
        if here["_flask_babel"].babel_locale is chosen:
            return language
    except (KeyError, AttributeError):
        pass  # nobody has asked yet, or the choice was taken back
    chosen = getattr(here.get("_flask_babel"), "babel_locale", None) or _first_choice(here)
    language = here.get("language_selected") or _language(str(chosen or FALLBACK), str(TRANSLATIONS))
    if language.locale is not chosen:
        language = _language(str(chosen or FALLBACK), str(TRANSLATIONS))
    here["language_of_page"] = chosen, language
    return language


def _first_choice(here: dict[str, Any]) -> Any:
    """What the library does when it is first asked on a page, which takes as long as ten texts; where it does it. In an
    application that is not the portal's (mails are made in one) it chooses in its own way."""
    if this_app().extensions["babel"].locale_selector is not select_locale:
        return get_locale()
    chosen = select_locale()
    here.setdefault("_flask_babel", SimpleNamespace()).babel_locale = chosen
    return chosen


@lru_cache(maxsize=64)
def _language(name: str, folder: str) -> Language:  # noqa: ARG001  # texts of another folder are another language's
    return Language(name)


def set_language(locale: str) -> None:
    """For the rest of this request: the language that the stay was booked in."""
    kept().wanted_locale = locale


def select_locale() -> Locale:
    """For the library of translations, the first time that somebody asks on a page."""
    kept().language_selected = language = _language(_usable_locale(), str(TRANSLATIONS))
    return language.locale


def _usable_locale() -> str:
    for find in (_wanted_locale, _hotel_locale):
        wanted = find()
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


def _wanted_locale() -> str | None:
    wanted: str | None = kept().get("wanted_locale")
    return wanted


def _hotel_locale() -> str | None:
    try:
        return get_hotel().locale
    except DatabaseBusy:
        return None
