"""The hotel's own look: the style sheet made from its brand colour, and its logo. Public, as static files are."""

import hashlib
from functools import lru_cache

from flask import Blueprint, Response, abort, make_response, request

from portal.domain.brand_colour import Accent, normal, theme_of
from portal.models import Hotel
from portal.services import pictures
from portal.web.context import get_hotel
from portal.web.static_files import asset
from portal.web.template_helpers import address_of

look = Blueprint("look", __name__, url_prefix="/look")

_KEPT = "public, max-age=31536000, immutable"
_NOT_KEPT = "private, no-store"

_LIGHT = "--bg: #f5f6f4; --surface: #ffffff; --sunk: #eef0ed; --ink: #1a2320; --soft: #56615d; --line: #dde1dd;"
_DARK = "--bg: #101517; --surface: #181f21; --sunk: #20282a; --ink: #e9edea; --soft: #a9b4b0; --line: #2c3538;"
"""The grounds of portal.css, so that both can be shown on one page, whatever the visitor's own screen prefers."""


@look.get("/theme.css")
def theme() -> Response:
    """The five accent colours, in light and in dark; nothing here while the hotel has no colour of its own."""
    colour = get_hotel().brand_colour
    if not colour:
        abort(404)
    return _style_sheet(_theme_css(colour), kept=request.args.get("v") == _version(colour))


@look.get("/preview.css")
def preview() -> Response:
    """The accents of `?colour=rrggbb` inside .look-light and .look-dark, for the page where one is chosen."""
    try:
        colour = normal(request.args.get("colour", ""))
    except ValueError:
        abort(404)
    made = theme_of(colour)
    css = f".look-light {{ color-scheme: light; {_LIGHT} {_variables(made.light)} }}\n"
    css += f".look-dark {{ color-scheme: dark; {_DARK} {_variables(made.dark)} }}\n"
    return _style_sheet(css, kept=False)


@look.get("/logo")
def logo() -> Response:
    """What the hotel uploaded. Opened as a page of its own it may run, load and send nothing."""
    picture = pictures.find_logo()
    if picture is None:
        abort(404)
    answer = make_response(bytes(picture.content))
    answer.content_type = picture.media_type
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    answer.headers["Content-Disposition"] = "inline"
    return _keep(answer, kept=request.args.get("v") == picture.content_hash)


@look.app_template_global()
def theme_address(hotel: Hotel) -> str | None:
    """Where the hotel's colours are, with a hash; None while it uses those that the portal comes with."""
    return address_of("look.theme", v=_version(hotel.brand_colour)) if hotel.brand_colour else None


@look.app_template_global()
def logo_address(hotel: Hotel) -> str:
    """The hotel's own logo, or the one that the portal comes with."""
    return address_of("look.logo", v=hotel.logo) if hotel.logo else asset("img/logo.svg")


@lru_cache(maxsize=64)
def _theme_css(colour: str) -> str:
    made = theme_of(colour)
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(made.dark)} }} }}"
    return f":root {{ {_variables(made.light)} }}\n{dark}\n"


def _version(colour: str) -> str:
    """Of the style sheet, so that other rules for colours have another address too."""
    return hashlib.sha256(_theme_css(colour).encode()).hexdigest()[:12]


def _variables(accent: Accent) -> str:
    return (
        f"--accent: {accent.base}; --accent-hover: {accent.hover}; --accent-ink: {accent.ink}; "
        f"--accent-text: {accent.text}; --accent-wash: {accent.wash};"
    )


def _style_sheet(css: str, *, kept: bool) -> Response:
    answer = make_response(css)
    answer.content_type = "text/css; charset=utf-8"
    return _keep(answer, kept=kept)


def _keep(answer: Response, *, kept: bool) -> Response:
    """For good only under the address that carries the hash of this very content."""
    answer.headers["Cache-Control"] = _KEPT if kept else _NOT_KEPT
    return answer
