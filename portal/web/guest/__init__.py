"""The pages of a guest."""

from portal.web.guest import access, cancellation, documents, find, history, payment, review
from portal.web.guest.blueprint import guest

__all__ = ["access", "cancellation", "documents", "find", "guest", "history", "payment", "review"]
