"""The portal itself, but nothing that pages showed is remembered: each line of a list is made as for the first time."""

from portal.services import reservation_lists
from portal.web import template_helpers

reservation_lists._REMEMBERED = 0
template_helpers._made = template_helpers._made.__wrapped__  # type: ignore[assignment]

from wsgi import app

__all__ = ["app"]
