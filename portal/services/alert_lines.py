"""What each line of "needs attention" says: what happened, the money at stake, what to do, and the button beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import peewee

from portal.errors import N_
from portal.models import Alert, Payment, Reservation
from portal.services import staff_accounts

ACTIONS = {
    "retry-refund": N_("Send the refund again"),
    "refund-handed-back": N_("I gave the money back"),
    "refund": N_("Refund"),
    "grant-attempt": N_("Allow one more attempt"),
    "hold-again": N_("Hold the room again"),
    "extend-hold": N_("Hold the room longer"),
    "record-payment": N_("Record a payment"),
    "cancel": N_("Cancel the reservation"),
    "check-with-stripe": N_("Check with Stripe"),
    "send-link": N_("Send the payment link"),
}
"""What can be done about a stay, and the words on the button; each is a page of the reservation."""

_ONLY_IN = {
    "hold-again": ("expired",),
    "extend-hold": ("pending",),
    "grant-attempt": ("pending",),
    "record-payment": ("pending",),
    "cancel": ("pending", "confirmed"),
}
"""States of a stay in which the action can be done at all; a button that cannot work is not shown."""


@dataclass(frozen=True)
class Words:
    """One kind of alert. The first of `actions` is what usually has to be done; `webhook_event`: the cause is one."""

    title: str
    what: str
    do: str
    actions: tuple[str, ...] = ()
    webhook_event: bool = False


WORDS: dict[str, Words] = {
    "refund failed": Words(
        N_("A refund failed"),
        N_("Stripe could not bring the money to the guest. If the refund was made here, the guest reads of a delay."),
        N_("Send the refund again, or give the money back in another way and say so."),
        ("retry-refund", "refund-handed-back"),
    ),
    "promised refund not sent": Words(
        N_("A part of a promised refund is missing"),
        N_("A refund that somebody made at Stripe came to nothing after ours had been made smaller because of it."),
        N_("Refund the sum that is missing, so that the guest gets all that was promised."),
        ("refund",),
    ),
    "refund refused by Stripe": Words(
        N_("Stripe refused a refund"),
        N_("Stripe does not carry out this refund, and the guest has not got the money."),
        N_("Look in Stripe's dashboard why. The portal tries again by itself; or give the money back in another way."),
        ("check-with-stripe", "refund-handed-back"),
    ),
    "hand the cash back": Words(
        N_("Give money back by hand"),
        N_("This sum was paid in cash or by transfer, so Stripe cannot return it."),
        N_("Give it to the guest, then say here how you did."),
        ("refund-handed-back",),
    ),
    "refund made at Stripe": Words(
        N_("A refund was made in Stripe's dashboard"),
        N_("Somebody returned this sum at Stripe and not here. It is counted, and the stay is as it was."),
        N_("Decide whether the stay goes on. If not, cancel it; if it does, close this line."),
        ("cancel",),
    ),
    "money returned": Words(
        N_("Money came too late or twice, and goes back"),
        N_("A payment could not be kept: too late, twice, or not the right sum. The whole of it goes back by itself."),
        N_("Nothing, if the guest knows. A guest who still wants to come needs the room held again and a new link."),
        ("hold-again", "send-link"),
    ),
    "money for an unknown reservation": Words(
        N_("Money for a reservation that is not here"),
        N_("Stripe holds a payment of ours for a reservation that this database does not have."),
        N_("Look in Stripe's dashboard who paid. Enter the stay by hand, or refund the payment in the dashboard."),
    ),
    "payment of another stay": Words(
        N_("A payment names two reservations"),
        N_("Stripe's payment names this reservation, but we know it as another one's. Nothing was changed."),
        N_("Look in Stripe's dashboard who paid, and refund it there if it belongs to nobody."),
        ("check-with-stripe",),
    ),
    "two Stripe objects for one payment": Words(
        N_("Stripe has two payments where we have one"),
        N_("A second session or payment at Stripe says that it is this payment. It was not counted."),
        N_("Look at both in Stripe's dashboard. If the guest paid twice, refund one of them there."),
        ("check-with-stripe",),
    ),
    "dispute": Words(
        N_("A bank disputes a payment"),
        N_("The cardholder asked the bank for the money back. Refunds of this payment wait until it is decided."),
        N_("Answer in Stripe's dashboard before the due date. Without an answer the money is lost."),
        ("check-with-stripe",),
    ),
    "cancelled while disputed": Words(
        N_("Cancelled while a bank disputes the payment"),
        N_("The stay was cancelled, and its refund waits: the bank may return the same money."),
        N_("See the dispute through in Stripe's dashboard. The refund is sent if you win, and ends if you lose."),
        ("check-with-stripe",),
    ),
    "part paid, hold over": Words(
        N_("Partly paid, and the hold is over"),
        N_("The guest paid a part, the time ran out, and the room is still kept. It will not expire by itself."),
        N_("Take the rest, hold the room longer, or cancel and give back what was paid."),
        ("record-payment", "extend-hold", "cancel"),
    ),
    "attempts used up": Words(
        N_("A guest's card was declined too often"),
        N_("All attempts to pay are used up, so the guest cannot try again."),
        N_("Call the guest. Allow one more attempt, or take the money in another way."),
        ("grant-attempt", "record-payment"),
    ),
    "sessions used up": Words(
        N_("A guest opened the payment page too often"),
        N_("The payment page was opened as often as we allow, and nothing was paid."),
        N_("Call the guest. Allow one more attempt, or take the money in another way."),
        ("grant-attempt", "record-payment"),
    ),
    "Stripe refused a session": Words(
        N_("Stripe refused to open the payment page"),
        N_("A guest pressed Pay, and Stripe did not accept what we sent. Nothing was charged."),
        N_("Check the guest's e-mail address and the sum. Take the money in another way if it happens again."),
        ("record-payment", "check-with-stripe"),
    ),
    "Stripe refused a repeated call": Words(
        N_("Stripe refused a call that we repeated"),
        N_("We asked for a payment page twice, and Stripe says that the two questions differ. Nothing was charged."),
        N_("Check with Stripe. The guest can press Pay again after some minutes."),
        ("check-with-stripe",),
    ),
    "Stripe refuses the API key": Words(
        N_("Stripe refuses our secret key"),
        N_("No guest can pay by card and no refund is sent until the key is put right."),
        N_("Compare STRIPE_SECRET_KEY with the API keys in Stripe's dashboard. Restart the portal, then close this."),
    ),
    "cannot be settled": Words(
        N_("Something at Stripe cannot be entered in the books"),
        N_("We compared our books with Stripe's, and one object there made an error here."),
        N_("Look it up in Stripe's dashboard, and give its id and this page to whoever runs the portal."),
    ),
    "books": Words(
        N_("The books differ"),
        N_("The nightly check found something that should not be, here or between us and Stripe."),
        N_("Check the reservation with Stripe. If it stays, give this line to whoever runs the portal."),
        ("check-with-stripe",),
    ),
    "webhook event still waits": Words(
        N_("A message from Stripe still waits"),
        N_("Stripe told us something that could not be used yet; it is tried again every hour."),
        N_("Open the message and process it again, or check the reservation with Stripe."),
        webhook_event=True,
    ),
    "webhook event keeps failing": Words(
        N_("A message from Stripe keeps failing"),
        N_("Each try to use this message made an error. What it says is not in our books."),
        N_("Open the message and process it again. If it fails again, tell whoever runs the portal."),
        webhook_event=True,
    ),
    "webhook of the other mode": Words(
        N_("Messages of Stripe's other mode arrive"),
        N_("Stripe's test mode sends to the live portal, or the reverse. The messages are refused."),
        N_("In Stripe's dashboard, Developers, Webhooks: point the endpoint of each mode to its own portal."),
    ),
    "mail bounced": Words(
        N_("A mail was refused"),
        N_("The mail server says that the address does not take mail, so the guest has not read it."),
        N_("Put the guest's e-mail address right or call, then send the link again."),
        ("send-link",),
    ),
    "mail given up": Words(
        N_("A mail could not be sent"),
        N_("It was tried many times and is not tried again, so nobody has read it."),
        N_("Tell the guest in another way, or send the link again."),
        ("send-link",),
    ),
    "mails too old to send": Words(
        N_("Mails were too old to send"),
        N_("They had waited so long that they would only have confused. They were not sent."),
        N_("Look which guests had changes in these days, and tell them what matters."),
    ),
    "mail server cannot be used": Words(
        N_("The mail server cannot be used"),
        N_("Mails to guests wait. They are sent by themselves as soon as the server works."),
        N_("Check SMTP_URL: address, user and password. Close this line when mails go out again."),
    ),
}
"""Every kind that is raised anywhere; a test reads the source and holds this complete."""

_UNKNOWN = Words(
    N_("Something needs a look"),
    N_("The portal noted this and has no words for it."),
    N_("Look at the reservation, and tell whoever runs the portal."),
)


@dataclass(frozen=True)
class Button:
    """Where it goes, under the portal's own address."""

    words: str
    path: str


@dataclass(frozen=True)
class AlertLine:
    """An alert in words. `amount` in minor units of `currency`, None when none is at stake or known."""

    alert: Alert
    words: Words
    reservation: Reservation | None
    amount: int | None
    currency: str | None
    buttons: tuple[Button, ...]
    closed_by: str


def to_lines(alerts: Iterable[Alert]) -> list[AlertLine]:
    """In the same order, with one statement for the people who closed them, however many there are."""
    alerts = list(alerts)
    people = staff_accounts.names_of(alert.closed_by or "" for alert in alerts)
    return [_line(alert, people) for alert in alerts]


def with_stays(query: Any = None) -> Any:
    """A query of alerts that reads their reservation and payment along with them."""
    of_payment = Reservation.alias()
    query = Alert.select(Alert, Reservation, Payment, of_payment) if query is None else query
    return (
        query.join(Reservation, peewee.JOIN.LEFT_OUTER, on=(Alert.reservation == Reservation.id))
        .switch(Alert)
        .join(Payment, peewee.JOIN.LEFT_OUTER, on=(Alert.payment == Payment.id))
        .join(of_payment, peewee.JOIN.LEFT_OUTER, on=(Payment.reservation == of_payment.id))
    )


def words_of(kind: str) -> Words:
    return WORDS.get(kind, _UNKNOWN)


def _line(alert: Alert, people: dict[str, str]) -> AlertLine:
    words = words_of(alert.kind)
    stay = alert.reservation or (alert.payment.reservation if alert.payment else None)
    amount = alert.details.get("amount")
    has_money = isinstance(amount, int) and not isinstance(amount, bool)
    return AlertLine(
        alert=alert,
        words=words,
        reservation=stay,
        amount=amount if has_money else None,
        currency=alert.details.get("currency") or (stay.currency if stay else None),
        buttons=tuple(_buttons(alert, words, stay)),
        closed_by=people.get(alert.closed_by or "", alert.closed_by or ""),
    )


def _buttons(alert: Alert, words: Words, stay: Reservation | None) -> Iterable[Button]:
    if words.webhook_event:
        yield Button(N_("Open the message"), f"/staff/webhook-events/{alert.cause}")
    if stay is None:
        return
    for name in words.actions:
        if stay.status not in _ONLY_IN.get(name, (stay.status,)):
            continue
        yield Button(ACTIONS[name], f"/staff/reservations/{stay.code}/actions/{name}{_about(name, alert)}")
    yield Button(N_("Open the reservation"), f"/staff/reservations/{stay.code}")


def _about(name: str, alert: Alert) -> str:
    """Which refund or payment the action is about; the cause of an alert about a refund is the refund."""
    if name in ("retry-refund", "refund-handed-back"):
        return f"?of={alert.cause}"
    return f"?of={alert.payment.public_id}" if name == "refund" and alert.payment else ""
