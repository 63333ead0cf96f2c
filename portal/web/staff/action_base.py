"""What all actions on a reservation share: what one says before it is done, and how its form is read."""

import re
from typing import Any, ClassVar

from flask import abort
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired

from portal.domain import money
from portal.models import Payment, Refund, Reservation
from portal.services.money_back import MoneyBack
from portal.web.context import get_deps, get_hotel
from portal.web.staff import access
from portal.web.template_helpers import card_words, moment
from portal.web.template_helpers import money as show_money

REASONS = (
    ("", _l("Choose a reason")),
    ("guest's wish", _l("The guest's wish")),
    ("goodwill", _l("Goodwill")),
    ("charged twice", _l("Charged twice")),
    ("hotel's mistake", _l("A mistake of the hotel's")),
    ("agreed otherwise", _l("Agreed otherwise")),
)
"""Fixed words: they go into the audit log, which is never to hold what somebody typed about a guest."""

_PUBLIC_ID = re.compile(r"(PAY|REF)-[0-9A-Z]{1,40}")


def _(text: str, **values: object) -> str:
    """The text in the page's language."""
    return str(gettext(text, **values))


class NotDone(Exception):
    """What was asked for was not done; the text says why, for a person to read."""


class ActionForm(FlaskForm):  # type: ignore[misc]
    """`shown`: what the person saw when pressing the button. If it is not so any more, it is shown and asked again."""

    shown = HiddenField()

    @property
    def asked(self) -> list[Any]:
        """The fields that a person fills in."""
        return [field for field in self if field.type not in ("HiddenField", "CSRFTokenField")]


class Action:
    """One thing that staff can do to a stay. `asks_first`: its effect depends on what is typed, so it is shown after
    that, and a second press does it."""

    name: ClassVar[str]
    title: ClassVar[Any]
    button: ClassVar[Any]
    danger: ClassVar[bool] = False
    about_money: ClassVar[bool] = False
    asks_first: ClassVar[bool] = False
    form_class: ClassVar[type[ActionForm]] = ActionForm
    form: Any
    """What the person filled in; the view puts it here before it asks about it."""

    def __init__(self, stay: Reservation, of: str = "", money: MoneyBack | None = None) -> None:
        """`money`: read already, for a page that asks all actions about one stay."""
        self.deps, self.hotel = get_deps(), get_hotel()
        self.stay, self.of = stay, of
        self.money = money or MoneyBack(stay)
        self.find()

    @property
    def role(self) -> str:
        return str(access.current_staff().role)

    @property
    def actor(self) -> str:
        """Who does it, for the audit log."""
        return access.actor()

    def find(self) -> None:
        """Read what the action is about."""

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Public id and words of each payment or refund that it can be about, when it is about one of several."""
        return []

    @property
    def for_managers(self) -> bool:
        return False

    def why_not(self) -> str:
        """Why it cannot be done at all now, in words; empty when it can."""
        return ""

    def outlook(self) -> list[str]:
        """What is known of the effect before the form is filled in."""
        return []

    def effects(self) -> list[str]:
        """What will happen in money and mail, sentence by sentence. The form is valid."""
        return self.outlook()

    def shown(self) -> str:
        """Everything that the effect depends on, in short."""
        return f"{self.stay.status}|{self.stay.link_version}|{self.stay.updated_at.isoformat()}"

    def words_on_button(self) -> str:
        return str(self.button)

    def check(self) -> None:
        """Add errors to fields that the form alone cannot judge."""

    def do(self) -> str | Response:
        """Do it; the sentence about what was done. NotDone when it could not be."""
        raise NotImplementedError

    # Words -------------------------------------------------------------------------------------------------------

    def sum(self, amount: int, currency: str | None = None) -> str:
        return show_money(amount, currency or self.stay.currency)

    def at(self, instant: Any) -> str:
        return moment(instant, self.hotel.timezone)

    def mail_line(self, words: str) -> str:
        """The sentence about a mail, or that there will be none."""
        return (
            words
            if self.deps.mail.is_on
            else _("E-mail is switched off, so the guest is not told. Tell them yourself.")
        )

    def no_mail(self) -> str:
        return _("The guest is not e-mailed.")

    def goes_back(self, amount: int, payment: Payment) -> str:
        """Where a sum of a payment goes."""
        shown = self.sum(amount, payment.received_currency or payment.currency)
        if payment.provider == "offline":
            return _(
                "%(amount)s was paid in cash or by transfer: you hand it back, and it stays under needs attention until"
                " you say so.",
                amount=shown,
            )
        return _("%(amount)s goes back to %(card)s.", amount=shown, card=self.card(payment))

    def card(self, payment: Payment) -> str:
        """Visa ending 4242; Stripe tells which card it was some seconds after it tells that it paid."""
        return card_words(payment.card_last4, payment.card_brand) if payment.card_last4 else _("the card that paid")

    # Reading -----------------------------------------------------------------------------------------------------

    def read_sum(self, field: Any, *, most: int, least: int = 1, currency: str | None = None) -> int:
        """The sum in minor units that was typed; an error on the field and -1 when it is none or out of bounds."""
        currency = currency or self.stay.currency
        amount = money.read_sum(field.data or "", currency)
        if amount is None or not least <= amount <= most:
            bounds = {"least": self.sum(least, currency), "most": self.sum(most, currency)}
            wrong = _("Type a sum from %(least)s to %(most)s, without a sign between the thousands.", **bounds)
            field.errors = [*field.errors, wrong]
            return -1
        return amount


def sum_field(label: Any) -> Any:
    return StringField(label, validators=[InputRequired(_l("Type a sum."))])


def reason_field() -> Any:
    return SelectField(
        _l("Reason, for your records"),
        choices=[SelectChoice(*reason) for reason in REASONS],
        validators=[InputRequired(_l("Choose a reason."))],
    )


class PaymentAction(Action):
    """About one payment of the stay: the one that the address names, or the only one that there is."""

    payment: Payment | None

    def find(self) -> None:
        self.payment = _chosen(self.candidates(), self._named())
        self.of = self.payment.public_id if self.payment else ""

    def candidates(self) -> list[Payment]:
        return []

    @property
    def choices(self) -> list[tuple[str, str]]:
        if self.payment is not None:
            return []
        return [(payment.public_id, self.words_of(payment)) for payment in self.candidates()]

    def words_of(self, payment: Payment) -> str:
        came = self.sum(payment.received_amount or payment.amount, payment.received_currency or payment.currency)
        if payment.provider == "offline":
            return _("%(amount)s in cash or by transfer (%(id)s)", amount=came, id=payment.public_id)
        return _("%(amount)s by %(card)s (%(id)s)", amount=came, card=self.card(payment), id=payment.public_id)

    def _named(self) -> Payment | None:
        """404 for a name that is no payment of this stay."""
        if not self.of:
            return None
        if not _PUBLIC_ID.fullmatch(self.of):
            abort(404)
        found = next((payment for payment in self.money.payments if payment.public_id == self.of), None)
        return found or abort(404)


class RefundAction(Action):
    """About one refund of the stay: the one that the address names, or the only one that there is."""

    refund: Refund | None

    def find(self) -> None:
        self.refund = _chosen(self.candidates(), self._named())
        self.of = self.refund.public_id if self.refund else ""

    def candidates(self) -> list[Refund]:
        return []

    @property
    def choices(self) -> list[tuple[str, str]]:
        if self.refund is not None:
            return []
        return [
            (
                refund.public_id,
                _("%(amount)s (%(id)s)", amount=self.sum(refund.amount, refund.currency), id=refund.public_id),
            )
            for refund in self.candidates()
        ]

    def _named(self) -> Refund | None:
        """404 for a name that is no refund of this stay."""
        if not self.of:
            return None
        if not _PUBLIC_ID.fullmatch(self.of):
            abort(404)
        found = next((refund for refund in self.money.refunds if refund.public_id == self.of), None)
        return found or abort(404)


def _chosen(candidates: list[Any], named: Any) -> Any:
    if named is not None:
        return named
    return candidates[0] if len(candidates) == 1 else None
