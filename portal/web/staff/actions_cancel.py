"""Cancelling a stay, by its policy or with another sum; the page shows what goes back, and to which card."""

from functools import cached_property

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.domain.refund_sums import divide
from portal.models import Payment, Refund
from portal.services import (
    cancellations,
    payments,
)
from portal.services.cancellations import MayNotCancel, Quote, QuoteChanged
from portal.web.staff.action_base import (
    Action,
    ActionForm,
    NotDone,
    _,
    reason_field,
    sum_field,
)
from portal.web.staff.actions_refunds import how_it_stands
from portal.web.template_helpers import stay_dates


class Cancel(Action):
    name, title, button = "cancel", _l("Cancel the reservation"), _l("Cancel the reservation")
    danger = about_money = True
    other: int | None = None

    def why_not(self) -> str:
        why = cancellations.why_not(self.deps, self.stay, staff=True)
        words = {
            "cancelled": _("The stay is cancelled already."),
            "expired": _("The stay has expired: its hold ended, nothing was paid, and the room is free."),
        }
        return words.get(why, _("The stay cannot be cancelled now.")) if why else ""

    @cached_property
    def quote(self) -> Quote:
        """Worked out once: what is compared with what was shown is what is done."""
        return cancellations.quote(self.deps, self.stay, other=self.other)

    def outlook(self) -> list[str]:
        return [*self._money(), *self._rest()]

    def _money(self) -> list[str]:
        quote = self.quote
        kept = {payment.id: payment for payment in self.money.kept}
        parts = [(kept[i], amount) for i, amount in divide(quote.due, self.money.returnable())]
        lines = [self.goes_back(amount, payment) for payment, amount in parts]
        if not lines:
            lines = [_("No money goes back.") if quote.paid else _("Nothing was paid, so no money goes back.")]
        if quote.paid and quote.percent is not None:
            lines.append(self._by_policy(quote))
        if quote.already_back:
            lines.append(_("%(amount)s has gone back already.", amount=self.sum(quote.already_back)))
        if any(self.money.dispute_of(payment) for payment, _amount in parts):
            lines.append(_("The guest's bank disputes the payment: the refund waits until that is decided."))
        return lines

    def _by_policy(self, quote: Quote) -> str:
        values = {"percent": quote.percent, "paid": self.sum(quote.paid)}
        if quote.days <= 0:
            return _(
                "By the policy of this stay: %(percent)s%% of %(paid)s, because the day of arrival has come.", **values
            )
        return str(
            ngettext(
                "By the policy of this stay: %(percent)s%% of %(paid)s, because the arrival is %(num)s day away.",
                "By the policy of this stay: %(percent)s%% of %(paid)s, because the arrival is %(num)s days away.",
                quote.days,
                **values,
            )
        )

    def _rest(self) -> list[str]:
        lines = [
            _("The room is free again: %(dates)s.", dates=stay_dates(self.stay.check_in, self.stay.check_out)),
            self.mail_line(_("The guest is e-mailed that the stay is cancelled, with the sum.")),
            _("A cancellation cannot be undone."),
        ]
        if live := payments.find_live(self.stay):
            lines.insert(0, self._about_live(live))
        return lines

    def _about_live(self, live: Payment) -> str:
        if live.status == "processing":
            return _("A card payment is on its way at Stripe. If it succeeds, it goes back to the guest in full.")
        return _("The guest's payment page at Stripe is closed. Money that still arrives goes back in full.")

    def shown(self) -> str:
        quote = self.quote
        return f"{self.stay.status}|{quote.percent}|{quote.due}|{quote.paid}"

    def words_on_button(self) -> str:
        if due := self.quote.due:
            return _("Cancel and refund %(amount)s", amount=self.sum(due))
        return _("Cancel without a refund")

    def do(self) -> str:
        quote = self.quote
        reason = self.form.reason.data if "reason" in self.form else ""
        try:
            made = cancellations.cancel(
                self.deps,
                self.stay.id,
                percent=quote.percent,
                due=quote.due,
                actor=self.actor,
                reason=reason,
                staff=True,
                other=self.other,
            )
        except QuoteChanged:
            raise NotDone(_("The sum has changed meanwhile.")) from None
        except MayNotCancel:
            raise NotDone(_("The stay has changed meanwhile.")) from None
        mine = Refund.select().join(Payment).where((Payment.reservation == self.stay.id) & (Refund.kind == "policy"))
        words = [how_it_stands(self, row) for row in mine.order_by(Refund.id)] if made.due else []
        return " ".join([_("The stay is cancelled."), *words])


class CancelOtherForm(ActionForm):
    amount = sum_field(_l("Sum that goes back"))
    reason = reason_field()


class CancelOther(Cancel):
    name, title = "cancel-other", _l("Cancel with another sum")
    asks_first = True
    form_class = CancelOtherForm

    @property
    def for_managers(self) -> bool:
        """The policy is what the guest was promised; whoever departs from it answers for it."""
        return True

    def why_not(self) -> str:
        if why := super().why_not():
            return why
        if self._left() <= 0:
            return _("Nothing is left to give back, so there is no other sum. Cancel the stay by its policy.")
        return ""

    def _left(self) -> int:
        by_policy = cancellations.quote(self.deps, self.stay)
        return by_policy.paid - by_policy.already_back

    def outlook(self) -> list[str]:
        by_policy = cancellations.quote(self.deps, self.stay)
        return [
            _("By the policy of this stay %(amount)s goes back.", amount=self.sum(by_policy.due)),
            _("You may give back from nothing to %(most)s.", most=self.sum(self._left())),
        ]

    def check(self) -> None:
        amount = self.read_sum(self.form.amount, least=0, most=self._left())
        if amount >= 0:
            self.other = amount

    def effects(self) -> list[str]:
        by_policy = cancellations.quote(self.deps, self.stay).due
        return [*self._money(), _("By the policy it would be %(amount)s.", amount=self.sum(by_policy)), *self._rest()]

    def shown(self) -> str:
        return f"{super().shown()}|{self._left()}|{self.other}|{self.form.reason.data}"
