"""Money that came: recording what was paid by hand, and asking Stripe."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice, SelectField

from portal.domain import money
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.models import Reservation
from portal.services import (
    offline_payments,
    payments,
    stripe_check,
)
from portal.services.offline_payments import BadOfflinePayment
from portal.web.staff.action_base import (
    Action,
    ActionForm,
    NotDone,
    _,
    sum_field,
)


class RecordForm(ActionForm):
    amount = sum_field(_l("Sum that was paid"))
    how = SelectField(
        _l("How"), choices=[SelectChoice("in cash", _l("In cash")), SelectChoice("by transfer", _l("By bank transfer"))]
    )


class RecordPayment(Action):
    name, title, button = "record-payment", _l("Record a payment"), _l("Record the payment")
    about_money = asks_first = True
    form_class = RecordForm

    def why_not(self) -> str:
        if self.stay.status == "expired":
            return _("The stay has expired and no longer holds its room. Hold the room again first.")
        if self.stay.status != "pending" or self.stay.amount_due == 0:
            return _("The stay waits for no money.")
        return ""

    def outlook(self) -> list[str]:
        return [
            _("%(amount)s is due.", amount=self.sum(self.stay.amount_due)),
            _("Record only what you have received: money in cash, or a transfer that is on the hotel's account."),
        ]

    def check(self) -> None:
        self.amount = self.read_sum(self.form.amount, most=self.stay.amount_due)
        left = self.stay.amount_due - self.amount
        if self.amount >= 0 and not money.may_be_charged(left, self.stay.currency):
            least = self.sum(money.STRIPE_MINIMUM[self.stay.currency])
            left_words = self.sum(left)
            self.form.amount.errors = [
                _("%(left)s would be left, and by card at least %(least)s is paid.", left=left_words, least=least)
            ]

    def effects(self) -> list[str]:
        left = self.stay.amount_due - self.amount
        lines = [_("%(amount)s is written down as received.", amount=self.sum(self.amount))]
        lines.append(
            _("The stay is paid and confirmed.")
            if left == 0
            else _("%(left)s is still due, and the stay waits for it.", left=self.sum(left))
        )
        live = payments.find_live(self.stay)
        if live and live.status == "processing":
            lines.append(
                _("A card payment is on its way at Stripe. If it succeeds, it goes back to the guest in full.")
            )
        elif live:
            lines.append(_("The guest's open payment page at Stripe is closed, so that nothing is paid twice."))
        return [*lines, self.mail_line(_("The guest is e-mailed that the payment has arrived."))]

    def shown(self) -> str:
        live = payments.find_live(self.stay)
        state = live.status if live else ""
        return f"{self.stay.status}|{self.stay.amount_due}|{self.amount}|{self.form.how.data}|{state}"

    def words_on_button(self) -> str:
        return _("Record %(amount)s", amount=self.sum(self.amount))

    def do(self) -> str:
        try:
            offline_payments.record_offline(
                self.deps, self.stay.id, self.amount, self.actor, seen_due=self.stay.amount_due, how=self.form.how.data
            )
        except BadOfflinePayment:
            raise NotDone(_("The stay has changed meanwhile.")) from None
        return _("%(amount)s is recorded.", amount=self.sum(self.amount))


class CheckWithStripe(Action):
    name, title, button = "check-with-stripe", _l("Check with Stripe"), _l("Check with Stripe")

    def why_not(self) -> str:
        if stripe_check.may_be_asked(self.stay):
            return ""
        return _("Nothing was ever paid by card here, and no payment page is open, so Stripe has nothing to tell.")

    def outlook(self) -> list[str]:
        return [
            _("Stripe is asked about the payments and refunds of this stay, and what it says is entered in the books."),
            _("Money that arrived confirms the stay or goes back, and the guest is e-mailed about it."),
        ]

    def shown(self) -> str:
        return "check"

    def do(self) -> str:
        try:
            found = stripe_check.check(self.deps, self.stay.id, actor=self.actor)
        except StripeUnavailable:
            raise NotDone(_("Stripe cannot be reached now.")) from None
        except StripeRefused as refusal:
            raise NotDone(_("Stripe does not answer this question (%(code)s).", code=refusal.code)) from None
        asked = _(
            "Stripe knows %(payments)s payments and %(refunds)s refunds of this stay.",
            payments=found.payments,
            refunds=found.refunds,
        )
        stay = Reservation.get_by_id(self.stay.id)
        words = _("The books were brought in line.") if found.changed else _("The books agree with it.")
        paid = _("%(amount)s is paid.", amount=self.sum(stay.paid))
        return f"{asked} {words} {paid}"
