"""What the machinery keeps for a while and then must not have any more: addresses of mails, answers given to programs.
What is known about guests themselves is forgotten in `anonymise`."""

from datetime import timedelta

import peewee

from portal.db import transaction
from portal.deps import Deps
from portal.models import ApiAnswer, OutgoingMail

ADDRESSES_KEPT = timedelta(days=30)
"""For questions like "did the mail reach me?"; the row stays after that, so that no mail is ever doubled."""

_HAS_ADDRESS = peewee.SQL("recipient != ''")
"""Spelled out as in the index, which holds only the mails of these days."""

ANSWERS_KEPT = timedelta(days=7)
"""Longer than any program repeats a call. An answer may name a guest."""


def forget_addresses_of_mails(deps: Deps) -> int:
    """Take the address out of mails that were sent or given up 30 days ago; how many. One that waited so long because
    mails are off is given up first: nobody wants it any more."""
    now, before = deps.now(), deps.now() - ADDRESSES_KEPT
    waits = OutgoingMail.sent_at.is_null() & OutgoingMail.given_up_at.is_null()
    ended = (OutgoingMail.sent_at < before) | (OutgoingMail.given_up_at < before)
    with transaction():
        OutgoingMail.update(given_up_at=now, error_message="too old").where(
            waits & (OutgoingMail.created_at < before)
        ).execute()
        # Those that were given up just now were written long ago, so their age counts as well.
        old = ended | (OutgoingMail.given_up_at.is_null(False) & (OutgoingMail.created_at < before))
        return int(OutgoingMail.update(recipient="").where(_HAS_ADDRESS & old).execute())


def forget_old_answers(deps: Deps) -> int:
    """Delete answers that were kept to be given again; how many."""
    with transaction():
        return int(ApiAnswer.delete().where(ApiAnswer.created_at < deps.now() - ANSWERS_KEPT).execute())
