"""The pages of the hotel's staff."""

from portal.web.staff import sign_in, today
from portal.web.staff.blueprint import staff

__all__ = ["sign_in", "staff", "today"]
