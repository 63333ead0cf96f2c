"""The words that staff find a stay by: in small letters, without accents, each found by how it begins."""

import re
import unicodedata

NO_GUEST = "@anonymised.invalid"
"""The end of every address that took the place of a guest's own."""

LONGEST = 60
"""Bytes of a word that are kept; what comes after them is not searched."""
MOST = 40
"""Words of one stay."""
MOST_TYPED = 6
SHORTEST_TYPED = 2
"""Letters that a typed word needs: one letter alone begins a good part of all words."""

_NOT_TAKEN_APART = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_ONLY_A_NUMBER = re.compile(r"[\s+()./-]*\d[\d\s+()./-]{5,}")
"""Six digits or more, however they are grouped."""


def fold(text: str) -> str:
    """Small letters without accents: Ínês → ines, Müller → muller, Łukasz → lukasz."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).translate(_NOT_TAKEN_APART)


def words_of(code: str, name: str, email: str, phone: str) -> list[bytes]:
    """Of one stay, each once. The guest's own are left out when the guest was taken out of the stay."""
    code = code.lower()
    words = [code, code[4:8], code[8:]]
    if not email.endswith(NO_GUEST):
        address = fold(email).strip()
        local, _, domain = address.rpartition("@")
        words += [*_parts(name), address, *_parts(local), domain, *_parts(domain), *_numbers(phone)]
    return list(dict.fromkeys(_cut(word) for word in words if word))[:MOST]


def typed_words(text: str) -> list[bytes]:
    """What is looked for, each once; words of one letter are left out, and so are those after the sixth."""
    if _ONLY_A_NUMBER.fullmatch(text.strip()):
        return [_cut(_digits(text))] if _digits(text) else []
    words: list[str] = []
    for piece in fold(text[:400]).split():
        words += [piece] if "@" in piece.strip("@") else _parts(piece)
    whole = [_cut(word) for word in words if len(word) >= SHORTEST_TYPED]
    return list(dict.fromkeys(whole))[:MOST_TYPED]


def after_all_that_begin(word: bytes) -> bytes:
    """The end of the range of words that begin with this one. UTF-8 has no byte 255, so there is always one."""
    return word[:-1] + bytes([word[-1] + 1])


def _parts(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(text))


def _numbers(phone: str) -> list[str]:
    """The whole number, and its end without what stands for the country, which is often not typed."""
    digits = _digits(phone)
    return [digits, digits[-9:]]


def _digits(text: str) -> str:
    """Without the zeros before a number, which depend on where one calls from."""
    return "".join(letter for letter in text if letter in "0123456789").lstrip("0")


def _cut(word: str) -> bytes:
    return word.encode("utf-8", "ignore")[:LONGEST]
