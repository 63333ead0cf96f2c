"""Decisions about money: each shows what it will move before it moves anything."""

from typing import Any

import structlog
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired

from portal import errors
from portal.domain import money
from portal.domain.refund_sums import divide
from portal.domain.states import ENDED_REFUND
from portal.errors import Refusal
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.models import Payment, Refund, Reservation
from portal.services import (
    cancellations,
    offline_payments,
    payments,
    refund_sending,
    staff_refunds,
    stripe_check,
)
from portal.services.cancellations import AFTER_THE_COMMIT, MayNotCancel, Quote, QuoteChanged
from portal.services.offline_payments import BadOfflinePayment
from portal.services.staff_refunds import BadRefund
from portal.web.staff.action_base import (
    Action,
    ActionForm,
    NotDone,
    PaymentAction,
    RefundAction,
    _,
    reason_field,
)
from portal.web.template_helpers import stay_dates

log = structlog.get_logger()


def _sum_field(label: Any) -> Any:
    return StringField(label, validators=[InputRequired(_l("Type a sum."))])


def _send_now(action: Action) -> None:
    """What was committed is tried at once; whatever Stripe answers, the rows tell what is left to do."""
    try:
        refund_sending.send_due(action.deps.for_one_request(), action.stay)
    except AFTER_THE_COMMIT as error:
        log.warning("after a refund: the worker goes on", reservation=action.stay.code, error=type(error).__name__)


def _how_it_stands(action: Action, refund: Refund) -> str:
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


# Money in -------------------------------------------------------------------------------------------------------------


class RecordForm(ActionForm):
    amount = _sum_field(_l("Sum that was paid"))
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


# Cancelling -----------------------------------------------------------------------------------------------------------


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

    @property
    def quote(self) -> Quote:
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
        if payments.find_live(self.stay):
            lines.insert(
                0, _("The guest's payment page at Stripe is closed. Money that still arrives goes back in full.")
            )
        return lines

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
        words = [_how_it_stands(self, row) for row in mine.order_by(Refund.id)] if made.due else []
        return " ".join([_("The stay is cancelled."), *words])


class CancelOtherForm(ActionForm):
    amount = _sum_field(_l("Sum that goes back"))
    reason = reason_field()


class CancelOther(Cancel):
    name, title = "cancel-other", _l("Cancel with another sum")
    asks_first = True
    form_class = CancelOtherForm

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
            _(
                "You may give back from nothing to %(most)s; more than the policy, managers alone.",
                most=self.sum(self._left()),
            ),
        ]

    def check(self) -> None:
        amount = self.read_sum(self.form.amount, least=0, most=self._left())
        if amount < 0:
            return
        if self.role != "manager" and amount > cancellations.quote(self.deps, self.stay).due:
            raise Refusal(errors.MANAGERS_ONLY)
        self.other = amount

    def effects(self) -> list[str]:
        return [*self._money(), *self._rest()]

    def shown(self) -> str:
        return f"{super().shown()}|{self._left()}|{self.other}|{self.form.reason.data}"


# Refunds --------------------------------------------------------------------------------------------------------------


class RefundForm(ActionForm):
    amount = _sum_field(_l("Sum that goes back"))
    reason = reason_field()


class GiveRefund(PaymentAction):
    name, title, button = "refund", _l("Refund"), _l("Refund")
    about_money = asks_first = True
    form_class = RefundForm
    danger = True

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
        _send_now(self)
        return _how_it_stands(self, row)


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
            row = staff_refunds.retry(self.deps, self._of.id, actor=self.actor)
        except BadRefund:
            raise NotDone(_("The refund has changed meanwhile.")) from None
        _send_now(self)
        return _how_it_stands(self, row)


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
