"""Sending money of a stay back, once more, or in another way: each shows what it will move before it moves anything."""

import structlog
from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice, SelectField
from wtforms.validators import InputRequired

from portal.domain.states import ENDED_REFUND
from portal.gateways.stripe_gateway import StripeUnavailable
from portal.models import Payment, Refund, Reservation
from portal.services import (
    refund_sending,
    staff_refunds,
)
from portal.services.cancellations import AFTER_THE_COMMIT
from portal.services.staff_refunds import BadRefund
from portal.web.staff.action_base import (
    Action,
    ActionForm,
    NotDone,
    PaymentAction,
    RefundAction,
    _,
    reason_field,
    sum_field,
)

log = structlog.get_logger()


def send_now(action: Action) -> None:
    """What was committed is tried at once; whatever Stripe answers, the rows tell what is left to do."""
    try:
        refund_sending.send_due(action.deps.for_one_request(), action.stay)
    except AFTER_THE_COMMIT as error:
        log.warning("after a refund: the worker goes on", reservation=action.stay.code, error=type(error).__name__)


def how_it_stands(action: Action, refund: Refund) -> str:
    """One refund, right after the decision."""
    refund = Refund.get_by_id(refund.id)
    amount = action.sum(refund.amount, refund.currency)
    if refund.provider == "offline":
        return _("Hand %(amount)s back to the guest, then say so under needs attention.", amount=amount)
    if refund.status in ENDED_REFUND:
        return _("Stripe could not send %(amount)s. It is under needs attention.", amount=amount)
    if refund.status not in ("todo", "sent"):
        return _("%(amount)s is on its way to the card.", amount=amount)
    if action.money.dispute_of(refund.payment):
        return _("%(amount)s waits, because the guest's bank disputes the payment.", amount=amount)
    return _("%(amount)s is stored, but Stripe has not taken it yet: the worker will send it.", amount=amount)


class RefundForm(ActionForm):
    amount = sum_field(_l("Sum that goes back"))
    reason = reason_field()


class GiveRefund(PaymentAction):
    name, title, button = "refund", _l("Refund"), _l("Refund")
    about_money = asks_first = True
    form_class = RefundForm
    danger = True

    @property
    def for_managers(self) -> bool:
        """After a cancellation it is more than the policy gives."""
        return bool(self.stay.status == "cancelled")

    def candidates(self) -> list[Payment]:
        return [payment for payment in self.money.kept if self._left(payment) > 0]

    def _left(self, payment: Payment) -> int:
        return max(0, self.money.left(payment))

    def why_not(self) -> str:
        if self.payment is None:
            return "" if self.candidates() else _("There is no payment of which something is left to give back.")
        if self.payment.disposition != "kept":
            return _("The hotel did not keep this payment, so there is nothing of it to refund.")
        if self.money.dispute_of(self.payment):
            return _("The guest's bank disputes this payment, so it cannot be refunded now.")
        return "" if self._left(self.payment) else _("All of this payment has gone back already.")

    @property
    def _of(self) -> Payment:
        assert self.payment is not None  # the view asks which one before anything else
        return self.payment

    def outlook(self) -> list[str]:
        most = self.sum(self._left(self._of), self._of.received_currency)
        return [
            self.words_of(self._of),
            _("Up to %(most)s of it can go back. The stay is left as it is.", most=most),
        ]

    def check(self) -> None:
        most, currency = self._left(self._of), self._of.received_currency
        self.amount = self.read_sum(self.form.amount, most=most, currency=currency)

    def effects(self) -> list[str]:
        return [
            self.goes_back(self.amount, self._of),
            _("The stay is left as it is: it stays %(status)s.", status=_status_words(self.stay)),
            self.no_mail(),
        ]

    def shown(self) -> str:
        return f"{self.stay.status}|{self._left(self._of)}|{self.amount}|{self.form.reason.data}"

    def words_on_button(self) -> str:
        return _("Refund %(amount)s", amount=self.sum(self.amount, self._of.received_currency))

    def do(self) -> str:
        try:
            row = staff_refunds.refund_by_staff(
                self.deps,
                self._of.id,
                self.amount,
                reason=self.form.reason.data,
                actor=self.actor,
                seen_left=self._left(self._of),
            )
        except BadRefund:
            raise NotDone(_("The payment has changed meanwhile.")) from None
        send_now(self)
        return how_it_stands(self, row)


def _status_words(stay: Reservation) -> str:
    words = {
        "pending": _("unconfirmed"),
        "confirmed": _("confirmed"),
        "cancelled": _("cancelled"),
        "expired": _("expired"),
    }
    return words[stay.status]


class _OfRefund(RefundAction):
    about_money = True

    @property
    def _of(self) -> Refund:
        assert self.refund is not None  # the view asks which one before anything else
        return self.refund

    def _owed(self, refund: Refund) -> tuple[int, str]:
        """What a new try has to be, or why there can be none."""
        try:
            return staff_refunds.what_to_retry(self.money, refund)[1], ""
        except BadRefund:
            return 0, self._no_try(refund)

    def _no_try(self, refund: Refund) -> str:
        if refund.status not in ENDED_REFUND:
            return _("This refund has not failed. What waits for Stripe is sent again by itself.")
        if refund.stripe_id is None:
            return _("This refund was never sent: another one took its place.")
        if self.money.dispute_of(refund.payment):
            return _("The guest's bank disputes the payment, so nothing of it can go back now.")
        if any(other.retry_of_id == refund.id for other in self.money.refunds):
            return _("This refund was sent again already, or was settled in another way.")
        return _("Nothing is left to send back: other refunds have taken its place.")


class RetryRefund(_OfRefund):
    name, title, button = "retry-refund", _l("Send the refund again"), _l("Send the refund again")

    def candidates(self) -> list[Refund]:
        return [refund for refund in self.money.refunds if self._owed(refund)[0]]

    def why_not(self) -> str:
        if self.refund is None:
            return "" if self.candidates() else _("No refund of this stay has failed.")
        return self._owed(self.refund)[1]

    def outlook(self) -> list[str]:
        return [
            self.goes_back(self._owed(self._of)[0], self._of.payment),
            _("It is the second try of %(id)s, which failed.", id=self._of.public_id),
            self.no_mail(),
            _("The line under needs attention stays until somebody closes it."),
        ]

    def shown(self) -> str:
        return f"{self._of.status}|{self._owed(self._of)[0]}"

    def words_on_button(self) -> str:
        return _("Send %(amount)s again", amount=self.sum(self._owed(self._of)[0], self._of.currency))

    def do(self) -> str:
        try:
            row = staff_refunds.retry(self.deps, self._of.id, actor=self.actor, seen_amount=self._owed(self._of)[0])
        except BadRefund:
            raise NotDone(_("The refund has changed meanwhile.")) from None
        send_now(self)
        return how_it_stands(self, row)


class HandedBackForm(ActionForm):
    how = SelectField(
        _l("How the guest got it"),
        choices=[
            SelectChoice("", _l("Choose how")),
            SelectChoice("cash", _l("In cash")),
            SelectChoice("bank transfer", _l("By bank transfer")),
            SelectChoice("voucher", _l("As a voucher, which the guest has accepted")),
        ],
        validators=[InputRequired(_l("Choose how."))],
    )


class RefundHandedBack(_OfRefund):
    name, title, button = "refund-handed-back", _l("I gave the money back"), _l("It was handed back")
    form_class = HandedBackForm

    def candidates(self) -> list[Refund]:
        return [refund for refund in self.money.refunds if self._waits(refund) or self._to_give(refund)[0]]

    def _to_give(self, refund: Refund) -> tuple[int, str]:
        """What the guest has to get in another way, or why nothing."""
        try:
            return staff_refunds.what_to_settle(self.money, refund, self.deps.now()), ""
        except BadRefund:
            if staff_refunds.is_refused(self.money, refund):
                return 0, _("Stripe is being asked at this moment, or a bank disputes the payment. Look again later.")
            return 0, self._no_try(refund)

    def _waits(self, refund: Refund) -> bool:
        """For a person to hand it back."""
        return bool(refund.provider == "offline" and refund.status == "todo")

    @property
    def for_managers(self) -> bool:
        """A failed refund by card that was settled otherwise: nobody but the person who says so has seen the money."""
        return self.refund is not None and not self._waits(self.refund) and self.refund.provider == "stripe"

    def why_not(self) -> str:
        if self.refund is None:
            return "" if self.candidates() else _("No money of this stay waits to be handed back.")
        if self._waits(self.refund):
            return ""
        if self.refund.provider == "offline":
            return _("This sum was handed back already.")
        return self._to_give(self.refund)[1]

    def _amount(self) -> int:
        return self._of.amount if self._waits(self._of) else self._to_give(self._of)[0]

    def outlook(self) -> list[str]:
        amount = self.sum(self._amount(), self._of.currency)
        lines = [_("You say that the guest has %(amount)s. The portal moves no money.", amount=amount)]
        if staff_refunds.is_refused(self.money, self._of):
            lines.append(_("%(id)s, which Stripe refuses, is given up and not tried again.", id=self._of.public_id))
        elif not self._waits(self._of):
            lines.append(_("%(id)s, which failed, stays as it is and cannot be sent again.", id=self._of.public_id))
        return [*lines, _("The line under needs attention is closed."), self.no_mail()]

    def shown(self) -> str:
        return f"{self._of.status}|{self._amount()}"

    def words_on_button(self) -> str:
        return _("The guest has %(amount)s", amount=self.sum(self._amount(), self._of.currency))

    def do(self) -> str:
        how = self.form.how.data
        try:
            if self._waits(self._of):
                staff_refunds.mark_handed_back(self.deps, self._of.id, actor=self.actor, how=how)
            else:
                staff_refunds.settle_otherwise(
                    self.deps, self._of.id, how=how, seen_amount=self._amount(), actor=self.actor
                )
        except BadRefund:
            raise NotDone(_("The refund has changed meanwhile.")) from None
        except StripeUnavailable:
            raise NotDone(_("Stripe cannot be reached now, to ask whether it sent the money after all.")) from None
        return _("Recorded. The guest has the money.")
