"""What guests type: codes and addresses in every shape."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.guest_match import CODE_LETTERS, normalise_code, normalise_email, show_code

CODE = "7H4K2M0X1Z9Q"


@pytest.mark.parametrize(
    "typed",
    ["7H4K-2M0X-1Z9Q", "7h4k-2m0x-1z9q", " 7H4K 2M0X 1Z9Q ", "7H4K2M0X1Z9Q", "7H4K–2M0X—1Z9Q", "7H4K-2MOX-IZ9Q",
     "7h4k-2mox-lz9q", "７Ｈ４Ｋ－２Ｍ０Ｘ－１Ｚ９Ｑ", "7H4K\t2M0X\t1Z9Q", "-7H4K2M0X1Z9Q-"],
)  # fmt: skip
def test_a_code_is_understood_however_it_is_written(typed: str) -> None:
    assert normalise_code(typed) == CODE


@pytest.mark.parametrize(
    "dash",
    "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\ufe63\ufe58 \xa0\t",
    ids=lambda dash: f"U+{ord(dash):04X}",
)
def test_any_dash_or_space_may_stand_in_a_code(dash: str) -> None:
    assert normalise_code(dash.join(("7H4K", "2M0X", "1Z9Q"))) == CODE


@pytest.mark.parametrize(
    ("typed", "meant"), [("I", "1"), ("i", "1"), ("L", "1"), ("l", "1"), ("O", "0"), ("o", "0"), ("U", "V"), ("u", "V")]
)
def test_letters_that_look_alike_are_read_as_the_one_that_is_used(typed: str, meant: str) -> None:
    assert typed.upper() not in CODE_LETTERS
    assert normalise_code(typed * 12) == meant * 12


@pytest.mark.parametrize(
    "typed",
    ["", " ", "7H4K", CODE + "Q", "7H4K-2M0X-1Z9!", "7H4K-2M0X-1Z9\0", "七H4K2M0X1Z9Q", "../../etc/pw", "%2f%2f%2f%2f"],
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert normalise_code(typed) is None


@given(st.text(alphabet=CODE_LETTERS, min_size=12, max_size=12))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_a_code_as_it_is_shown_is_the_code(code: str) -> None:
    assert normalise_code(show_code(code)) == code
    assert normalise_code(show_code(code).lower()) == code


@given(st.text(max_size=60))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_no_text_breaks_the_reading(text: str) -> None:
    code = normalise_code(text)
    assert code is None or set(code) <= set(CODE_LETTERS)
    assert normalise_email(text) == normalise_email(f" {text} ")


@pytest.mark.parametrize(
    "typed", ["ines@carvalho.example", " Ines@Carvalho.Example ", "INES@CARVALHO.EXAMPLE", "ｉｎｅｓ@carvalho.example"]
)
def test_an_address_is_the_same_in_any_case_and_width(typed: str) -> None:
    assert normalise_email(typed) == "ines@carvalho.example"


@given(st.text(max_size=40))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_an_address_is_the_same_composed_or_taken_apart_and_once_normal_stays_so(text: str) -> None:
    once = normalise_email(text)
    assert normalise_email(once) == once
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert normalise_email(unicodedata.normalize(form, text)) == once


def test_case_and_accents_together_do_not_matter() -> None:
    assert normalise_email("\u0390@x.example") == normalise_email("\u03aa\u0301@x.example")


def test_accents_in_one_character_or_two_are_the_same() -> None:
    assert normalise_email("ine\u0301s@x.example") == normalise_email("in\u00e9s@x.example")
