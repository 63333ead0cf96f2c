"""Texts that are the same for everybody become part of the template when it is compiled. In a house with one language
that is nearly all of a page: to look them up one by one for each page took as long as the database does."""

from collections.abc import Iterator

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

_TEXT = ("variable_begin", "name", "lparen", "string", "rparen", "variable_end")
"""`{{ _("…") }}`, with nothing to put in."""


class WholeTexts(Extension):
    """For an environment whose pages all have the language that their texts are written in."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        held: list[Token] = []
        for token in stream:
            held.append(token)
            if not _may_become_text(held):
                yield from held
                held.clear()
            elif len(held) == len(_TEXT):
                # As in every text, a percent sign is written twice.
                yield Token(held[0].lineno, "data", str(held[3].value).replace("%%", "%"))
                held.clear()
        yield from held


def _may_become_text(tokens: list[Token]) -> bool:
    is_call = len(tokens) < 2 or tokens[1].value == "_"
    return is_call and all(token.type == kind for token, kind in zip(tokens, _TEXT, strict=False))
