"""The theme: whatever colour a hotel has, its pages can be read."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.domain.brand_colour import contrast, normal, theme_of

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
PAPER, SUNK, DARK_SUNK = "#f5f6f4", "#eef0ed", "#20282a"


@settings(max_examples=150, deadline=None)
@given(COLOURS)
@example("#000000")
@example("#ffffff")
@example("#ffff00")
@example("#0000ff")
@example("#00ff00")
@example("#ff0000")
@example("#808080")
def test_every_text_in_any_theme_can_be_read(colour: str) -> None:
    light, dark = theme_of(colour).light, theme_of(colour).dark
    for ground in (light.base, light.hover):
        assert contrast(light.ink, ground) >= 4.5
        assert contrast(dark.ink, dark.base) >= 4.5
    for ground in ("#ffffff", PAPER, SUNK, light.wash):
        assert contrast(light.text, ground) >= 4.5
    for ground in ("#101517", "#181f21", DARK_SUNK, dark.wash):
        assert contrast(dark.text, ground) >= 4.5
        assert contrast(dark.base, ground) >= 4.5
    assert contrast(dark.ink, dark.hover) >= 4.5
    assert light.hover != light.base
    assert dark.hover != dark.base
    # The words of the page on the washes.
    assert contrast("#1a2320", light.wash) >= 7
    assert contrast("#e9edea", dark.wash) >= 7
    for accent in (light, dark):
        for value in (accent.base, accent.hover, accent.ink, accent.text, accent.wash):
            assert normal(value) == value


@pytest.mark.parametrize("colour", ["#1f4f82", "#7a1f3d", "#0b5d3b", "#000000"])
def test_a_colour_that_can_be_read_is_left_alone(colour: str) -> None:
    assert theme_of(colour).light.base == colour


def test_a_bright_colour_keeps_its_hue() -> None:
    """A lemon's yellow becomes a dark yellow, red and green light far above blue."""
    base = theme_of("#ffd400").light.base
    red, green, blue = (int(base[place : place + 2], 16) for place in (1, 3, 5))
    assert red > green > blue


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#1f4f82", "#1f4f82") == 1


@pytest.mark.parametrize(("typed", "colour"), [("#1F4F82", "#1f4f82"), (" abcdef ", "#abcdef")])
def test_how_a_colour_may_be_typed(typed: str, colour: str) -> None:
    assert normal(typed) == colour


@pytest.mark.parametrize("typed", ["", "#fff", "red", "#1f4f8g", "#1f4f82;", "#1f4f82\x00", "#1f4f8２", "##1f4f82"])
def test_what_is_no_colour(typed: str) -> None:
    with pytest.raises(ValueError, match="not a colour"):
        normal(typed)
