"""Parts of pages that are made once for what they say: lines of a list are the same from page to page as long as
nothing happens to them. What is shown is what it is looked up by, so it cannot be out of date."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from flask import Flask
from markupsafe import Markup

from portal.web.languages import Language, language_of_page


def register(app: Flask) -> None:
    """Both are known to the templates of this app."""
    app.add_template_global(remembered)
    app.add_template_global(remembered_lines)


def remembered(macro: Callable[..., Markup], *values: Any) -> Markup:
    """`macro(*values)`, made once for these values in each language. Only for a macro that comes from a file of its own
    and uses nothing of the page but the values, which are compared by what they say (numbers, texts, dates, named
    tuples)."""
    return _made(macro, language_of_page(), *values)


def remembered_lines(macro: Callable[..., Markup], lines: Iterable[tuple[Any, ...]], *same: Any) -> Markup:
    """The same for many, one below the other: the values of each, and those that are the same for all."""
    language = language_of_page()
    made = [_made(macro, language, *values, *same) for values in lines]
    return Markup("\n".join(made))  # noqa: S704  # each is a macro's own, and escaped


@lru_cache(maxsize=1024, typed=True)  # a text that is markup and one that reads the same are not made into the same
def _made(macro: Callable[..., Markup], _language: Language, *values: Any) -> Markup:
    return macro(*values)
