"""The blueprint that all staff pages hang on."""

from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint
from werkzeug.routing import IntegerConverter, Map

from portal.services import health
from portal.web.context import get_deps, this_request
from portal.web.staff import access
from portal.web.template_helpers import address_of

_Pairs = tuple[tuple[str, Any], ...]


class RowNumber(IntegerConverter):
    """`<row:…>` in an address: a number that a row can have. Larger ones are no page, and no database is asked."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=2**31 - 1)


staff = Blueprint("staff", __name__, url_prefix="/staff")
staff.record_once(lambda setup: setup.app.url_map.converters.update(row=RowNumber))
staff.before_request(access.let_in)


@staff.context_processor
def every_staff_page() -> dict[str, Any]:
    """Who is signed in, how much needs attention, and the moment that all times on the page are told by."""
    found, deps = access.find_session(), get_deps()
    return {
        "me": found.staff if found else None,
        "attention": health.count_attention(deps, found) if found else 0,
        "now": deps.now(),
        "needs_password": found is not None and not access.has_fresh_password(),
    }


@staff.app_template_global()
def same_page(**changes: str | None) -> str:
    """This page's address with some of its query changed; None takes one away."""
    here = this_request()
    of_page = here.endpoint or "staff.today", tuple((here.view_args or {}).items()), tuple(here.args.items())
    return _changed(*of_page, tuple(changes.items()))


@lru_cache(maxsize=1024)
def _changed(endpoint: str, values: _Pairs, asked: _Pairs, changes: _Pairs) -> str:
    """A list asks for a dozen such addresses, the same ones for everybody who looks at it."""
    query = {name: value for name, value in (dict(asked) | dict(changes)).items() if value is not None}
    address = address_of(endpoint, **dict(values))
    return f"{address}?{urlencode(query)}" if query else address
