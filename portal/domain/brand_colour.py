"""From one brand colour to the five accent colours of the pages, in light and in dark, so that every text can be read.

Colours are moved in OKLCH (Björn Ottosson, bottosson.github.io/posts/oklab): lightness changes there without the hue
seeming to. Whether a text can be read is WCAG's contrast ratio, of the very colours that are written down."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import atan2, cos, hypot, sin

READABLE = 4.5
"""WCAG 2.2, 1.4.3: the least contrast of text."""

WHITE = "#ffffff"
LIGHT_GROUNDS = ("#f5f6f4", "#eef0ed", WHITE)
DARK_GROUNDS = ("#20282a", "#101517", "#181f21")
"""What accent-coloured text stands on, beside its own wash: --bg, --sunk and --surface of portal.css."""

_STEP = 0.005


@dataclass(frozen=True)
class Accent:
    """The five colours (#rrggbb) that a theme sets; the names are those of the CSS variables, without `accent`."""

    base: str
    hover: str
    ink: str
    text: str
    wash: str


@dataclass(frozen=True)
class Theme:
    light: Accent
    dark: Accent


@dataclass(frozen=True)
class _Lch:
    """Lightness 0 to 1, chroma from 0, hue in radians."""

    lightness: float
    chroma: float
    hue: float


def normal(text: str) -> str:
    """The colour as #rrggbb in small letters; ValueError unless it is written like #1F4F82 or 1F4F82."""
    if not re.fullmatch(r"#?[0-9A-Fa-f]{6}", text.strip(), re.ASCII):
        raise ValueError("not a colour like #1f4f82")
    return "#" + text.strip().removeprefix("#").lower()


def theme_of(colour: str) -> Theme:
    """The accents made from a brand colour; the colour itself stays as it is wherever it can be read."""
    brand = _to_lch(normal(colour))
    return Theme(_light(brand), _dark(brand))


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two #rrggbb colours, 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _light(brand: _Lch) -> Accent:
    wash = _hex(_Lch(0.955, min(brand.chroma, 0.025), brand.hue))
    base = _first(_darker(brand), lambda colour: _reads_on(colour, (*LIGHT_GROUNDS, wash)))
    # Of a colour that is nearly black a darker one could not be told apart.
    dimmed = _to_lch(base).lightness
    hover = _shift(base, -0.08 if dimmed > 0.3 else 0.1)
    return Accent(base=base, hover=hover, ink=WHITE, text=base, wash=wash)


def _dark(brand: _Lch) -> Accent:
    wash = _hex(_Lch(0.27, min(brand.chroma, 0.035), brand.hue))
    ink = _hex(_Lch(0.2, min(brand.chroma, 0.04), brand.hue))
    start = _Lch(max(brand.lightness, 0.75), brand.chroma, brand.hue)
    base = _first(_brighter(start), lambda colour: _reads_on(colour, (*DARK_GROUNDS, wash, ink)))
    bright = _to_lch(base).lightness
    hover = _shift(base, 0.07 if bright < 0.9 else -0.07)
    return Accent(base=base, hover=hover, ink=ink, text=base, wash=wash)


def _reads_on(colour: str, grounds: tuple[str, ...]) -> bool:
    return all(contrast(colour, ground) >= READABLE for ground in grounds)


def _first(colours: Iterator[str], is_good: Callable[[str], bool]) -> str:
    """The first that will do; the last of them is black or white, which always does."""
    last = ""
    for colour in colours:
        last = colour
        if is_good(colour):
            break
    return last


def _darker(start: _Lch) -> Iterator[str]:
    yield _hex(start)
    lightness = start.lightness
    while lightness > 0:
        lightness = max(0.0, lightness - _STEP)
        yield _hex(_Lch(lightness, start.chroma, start.hue))


def _brighter(start: _Lch) -> Iterator[str]:
    yield _hex(start)
    lightness = start.lightness
    while lightness < 1:
        lightness = min(1.0, lightness + _STEP)
        yield _hex(_Lch(lightness, start.chroma, start.hue))


def _shift(colour: str, by: float) -> str:
    found = _to_lch(colour)
    return _hex(_Lch(min(1.0, max(0.0, found.lightness + by)), found.chroma, found.hue))


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> tuple[float, float, float]:
    """Red, green and blue as amounts of light, 0 to 1."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return _to_light(red), _to_light(green), _to_light(blue)


def _to_light(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _from_light(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else float(1.055 * value ** (1 / 2.4) - 0.055)


def _to_lch(colour: str) -> _Lch:
    red, green, blue = _linear(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return _Lch(min(lightness, 1.0), hypot(a, b), atan2(b, a))


def _hex(wanted: _Lch) -> str:
    """The colour on a screen; one that no screen has keeps its lightness and hue and gives up chroma."""
    channels = _channels(wanted, wanted.chroma)
    if not _is_on_screen(channels):
        least, most = 0.0, wanted.chroma
        for _ in range(16):
            middle = (least + most) / 2
            if _is_on_screen(_channels(wanted, middle)):
                least = middle
            else:
                most = middle
        channels = _channels(wanted, least)
    return "#" + "".join(f"{round(_from_light(min(1.0, max(0.0, value))) * 255):02x}" for value in channels)


def _is_on_screen(channels: tuple[float, float, float]) -> bool:
    return all(-0.0005 <= value <= 1.0005 for value in channels)


def _channels(wanted: _Lch, chroma: float) -> tuple[float, float, float]:
    """Red, green and blue as amounts of light; outside 0 to 1 when a screen cannot show them."""
    a, b = chroma * cos(wanted.hue), chroma * sin(wanted.hue)
    long = (wanted.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (wanted.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (wanted.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
