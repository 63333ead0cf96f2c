"""The log of a stay in words that the front desk reads: what happened, and who did it."""

from flask_babel import gettext

from portal.errors import N_
from portal.web.staff.blueprint import staff

_CAUSES = {
    "anonymised": N_("The guest's data was removed"),
    "asked about refunds": N_("Stripe was asked about it"),
    "asked for an event": N_("Stripe was asked, because of a message"),
    "attempt granted": N_("One more attempt was allowed"),
    "before cancelling": N_("Stripe was asked before the cancellation"),
    "card for the receipt": N_("Stripe told which card it was"),
    "checked by staff": N_("Stripe was asked by hand"),
    "checked with Stripe": N_("Stripe was asked by hand"),
    "dispute lost": N_("The dispute was lost"),
    "guest came back": N_("The guest came back, and Stripe was asked"),
    "held again": N_("The room was held again"),
    "hold is over": N_("The hold ended"),
    "listed before sending": N_("Stripe was asked before sending"),
    "never made": N_("Stripe never made it"),
    "looked up": N_("Stripe was asked after an interruption"),
    "looked up, never made": N_("Stripe never made it"),
    "pay pressed": N_("The guest pressed Pay"),
    "rebuilt from Stripe": N_("Rebuilt from what Stripe knows"),
    "reconciled": N_("The books were compared with Stripe's"),
    "session closed": N_("The payment page was closed"),
    "sweep": N_("Stripe was asked"),
    "too old": N_("It waited too long"),
}
"""Those whose words in the log are too short for a reader; all others are sentences already."""

_REASONS = {
    "plans": N_("plans changed"),
    "health": N_("health"),
    "mistake": N_("booked by mistake"),
}
"""What a guest can choose on the cancel page; the reasons of staff are words already."""

_DISPUTES = {
    "warning_needs_response": N_("the bank asks, and waits for an answer"),
    "warning_under_review": N_("the bank asks, and has the answer"),
    "warning_closed": N_("the bank's question is closed"),
    "needs_response": N_("waits for an answer in Stripe's dashboard"),
    "under_review": N_("the bank has the answer"),
    "prevented": N_("prevented"),
    "won": N_("won"),
    "lost": N_("lost"),
}

_ACTORS = {"guest": N_("The guest"), "portal": N_("The portal"), "stripe": N_("Stripe")}


@staff.app_template_filter()
def cause_words(cause: str) -> str:
    return gettext(_CAUSES[cause]) if cause in _CAUSES else sentence(cause)


@staff.app_template_filter()
def actor_words(actor: str, people: dict[str, str]) -> str:
    """Who did it: somebody's name, the guest, Stripe, or the portal by itself."""
    return people.get(actor) or (gettext(_ACTORS[actor]) if actor in _ACTORS else sentence(actor))


@staff.app_template_filter()
def reason_words(reason: str) -> str:
    return gettext(_REASONS[reason]) if reason in _REASONS else reason


@staff.app_template_filter()
def dispute_words(status: str) -> str:
    return gettext(_DISPUTES[status]) if status in _DISPUTES else status


@staff.app_template_filter()
def sentence(text: str) -> str:
    """The same with a capital letter in front; what follows may be a public id and stays as it is."""
    return text[:1].upper() + text[1:]
