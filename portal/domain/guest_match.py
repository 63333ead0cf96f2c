"""Reading what a guest types: reservation codes and e-mail addresses."""

import unicodedata

CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"
"""Crockford's base 32: no I, L, O or U, which people take for something else."""

CODE_LENGTH = 12
_LETTERS = frozenset(CODE_LETTERS)
_LOOK_ALIKES = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})
_SEPARATORS = str.maketrans(dict.fromkeys("- \t\u2010\u2011\u2012\u2013\u2014\u2015\u2212"))


def normalise_code(text: str) -> str | None:
    """The 12 characters of a code however it was typed (case, dashes, spaces, look-alikes), or None."""
    code = unicodedata.normalize("NFKC", text).translate(_SEPARATORS).strip().upper().translate(_LOOK_ALIKES)
    if len(code) != CODE_LENGTH or not _LETTERS.issuperset(code):
        return None
    return code


def show_code(code: str) -> str:
    """As guests read it: XXXX-XXXX-XXXX."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def normalise_email(text: str) -> str:
    """One form for comparing: spaces around, case and Unicode variants do not matter."""
    # Folding the case can take a character apart, so it is put together again.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()
