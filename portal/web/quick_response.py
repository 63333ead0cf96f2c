"""Answers with less ado than the library's about headers that are known to be right."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from flask import Response
from werkzeug.datastructures import Headers


class QuickResponse(Response):
    """`fixed`: headers that are the same on every page. They join the others at the very end; among them each would be
    looked at as if it came from a visitor."""

    fixed: Sequence[tuple[str, str]] = ()

    @classmethod
    def of(cls, response: Response) -> "QuickResponse":
        """The same answer as one of these, also where another one took its place at the last moment."""
        return cast(QuickResponse, cls.force_type(response))

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Without a look at each header of a page: those that the library would mend (where else to go, what an answer
        without a body may not say) belong to other statuses."""
        is_whole = self.status_code == 200 and "Content-Length" in self.headers
        return self.headers if is_whole else super().get_wsgi_headers(environ)

    def get_wsgi_response(self, environ: Any) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        body, status, headers = super().get_wsgi_response(environ)
        return body, status, [*headers, *self.fixed]
