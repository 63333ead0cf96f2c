"""Every refusal that a person can be told: a code for programs, and for people what happened, whether money was taken,
and what to do next. The texts are message ids; pages translate them."""

from dataclasses import dataclass


def N_(text: str) -> str:  # noqa: N802  # the name that translators' tools look for
    """Marks a text for translation; the page that shows it translates it."""
    return text


@dataclass(frozen=True)
class RefusalText:
    """One kind of refusal. `retry_after` in seconds, for a refusal that time heals."""

    code: str
    status: int
    title: str
    what: str
    money: str
    next_step: str
    retry_after: int | None = None


class Refusal(Exception):
    """What was asked for is not done, and the person is told so in `text`."""

    def __init__(self, text: RefusalText) -> None:
        super().__init__(text.code)
        self.text = text


_NOT_CHARGED = N_("This page did not charge you.")

FORM_OUT_OF_DATE = RefusalText(
    "form_out_of_date",
    400,
    N_("This page is out of date"),
    N_("The form you sent was too old or came from another page."),
    _NOT_CHARGED,
    N_("Open the page again and send it once more."),
)
BAD_REQUEST = RefusalText(
    "bad_request",
    400,
    N_("We could not read that"),
    N_("Your browser sent something that we could not read."),
    _NOT_CHARGED,
    N_("Go back, check what you typed and send it again."),
)
NOT_FOUND = RefusalText(
    "not_found",
    404,
    N_("Page not found"),
    N_("There is nothing at this address."),
    _NOT_CHARGED,
    N_("Open your private link again, or find your reservation with its code."),
)
MANAGERS_ONLY = RefusalText(
    "managers_only",
    403,
    N_("This page is for managers"),
    N_("Your sign-in is for the reception, and this page changes how the house works."),
    N_("Nothing was changed, and no money moved."),
    N_("Ask a manager to do it, or to change your role."),
)
METHOD_NOT_ALLOWED = RefusalText(
    "method_not_allowed",
    405,
    N_("That does not work here"),
    N_("This address cannot be used in this way."),
    _NOT_CHARGED,
    N_("Go back to your reservation and use the buttons there."),
)
TOO_LARGE = RefusalText(
    "too_large",
    413,
    N_("That is too much at once"),
    N_("What your browser sent is larger than we accept."),
    _NOT_CHARGED,
    N_("Go back and send less."),
)
TOO_MANY_TRIES = RefusalText(
    "too_many_tries",
    429,
    N_("Too many tries"),
    N_("There were too many tries that did not match."),
    N_("Nothing was charged."),
    N_("Wait 15 minutes, use your private link, or call us."),
    retry_after=900,
)
TOO_MANY_SIGN_INS = RefusalText(
    "too_many_sign_ins",
    429,
    N_("Too many tries"),
    N_("There were too many passwords or codes that did not match."),
    N_("Nothing was changed, and no money moved."),
    N_("Wait 15 minutes, then try again, or ask a manager to reset your sign-in."),
    retry_after=900,
)
TOO_MANY_PAYS = RefusalText(
    "too_many_pays",
    429,
    N_("One moment, please"),
    N_("The payment button was pressed very often in a short time, so we stopped for a moment."),
    N_("Nothing was charged by this."),
    N_("Wait a minute, then open your reservation and try again."),
    retry_after=60,
)
PAYMENTS_UNAVAILABLE = RefusalText(
    "payments_unavailable",
    503,
    N_("Payments are not available right now"),
    N_("We could not reach the payment page."),
    N_("This click did not charge you."),
    N_("Try again shortly. If you paid a moment ago, look at Payments first and do not pay again."),
    retry_after=30,
)
BUSY = RefusalText(
    "busy",
    503,
    N_("We are very busy right now"),
    N_("We could not store anything just now."),
    N_("Nothing was charged by this."),
    N_("Try again in a few seconds. If you were paying, look at Payments first."),
    retry_after=5,
)

_NOTHING_CHANGED = N_("Nothing was changed, and no money moved.")

FOR_STAFF = {
    text.code: text
    for text in (
        RefusalText(
            "form_out_of_date",
            400,
            N_("This page is out of date"),
            N_("The form you sent was too old, or your sign-in had ended."),
            _NOTHING_CHANGED,
            N_("Open the page again and send it once more."),
        ),
        RefusalText(
            "bad_request",
            400,
            N_("We could not read that"),
            N_("Your browser sent something that we could not read."),
            _NOTHING_CHANGED,
            N_("Go back, check what you typed and send it again."),
        ),
        RefusalText(
            "not_found",
            404,
            N_("Page not found"),
            N_("There is nothing at this address."),
            _NOTHING_CHANGED,
            N_("Check the address, or look for it from the first page."),
        ),
        RefusalText(
            "method_not_allowed",
            405,
            N_("That does not work here"),
            N_("This address only takes what its form sends."),
            _NOTHING_CHANGED,
            N_("Open the page that has the form, and use its buttons."),
        ),
        RefusalText(
            "too_large",
            413,
            N_("That is too much at once"),
            N_("What your browser sent is larger than we accept."),
            _NOTHING_CHANGED,
            N_("Go back and send less."),
        ),
        RefusalText(
            "too_many_tries",
            429,
            N_("Too many tries"),
            N_("There were too many tries that did not match."),
            _NOTHING_CHANGED,
            N_("Wait 15 minutes, then try again."),
            retry_after=900,
        ),
        RefusalText(
            "payments_unavailable",
            503,
            N_("Stripe cannot be reached right now"),
            N_("We could not ask Stripe."),
            N_("Whatever was stored is sent as soon as Stripe answers."),
            N_("Look at the reservation before you do it again."),
            retry_after=30,
        ),
        RefusalText(
            "busy",
            503,
            N_("We are very busy right now"),
            N_("We could not store anything just now."),
            N_("Most likely nothing was changed."),
            N_("Wait a few seconds, then look whether it was done before you do it again."),
            retry_after=5,
        ),
    )
}
"""The same refusals in the words of the front desk, by code; those that are not here speak to both."""


class BeingPrepared(Exception):
    """Another tab or process is opening this guest's payment page at this moment."""
