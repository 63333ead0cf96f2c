"""What staff do to a stay itself: its hold, its attempts, confirming one that is free, removing the guest's data."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from wtforms import DateTimeLocalField, IntegerField, StringField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.domain import hotel_time
from portal.domain.guest_match import normalise_code, show_code
from portal.services import anonymise, granting, holds, offline_payments, payments
from portal.services.anonymise import MayNotAnonymise
from portal.services.granting import MayNotGrant
from portal.services.holds import MayNotHold
from portal.services.offline_payments import NotFree
from portal.web.staff.action_base import Action, ActionForm, NotDone, _
from portal.web.template_helpers import short_day

MOST_HOURS = 336


def _why(word: str, action: Action) -> str:
    """The reasons of MayNotHold in words."""
    if word == "nights taken":
        taken = ", ".join(short_day(night) for night in holds.taken_nights(action.stay))
        return _("Somebody else has the room by now for these nights: %(nights)s.", nights=taken)
    words = {
        "not pending": _("The stay does not wait for money, so it has no hold."),
        "not expired": _("The room is not free: this stay has not expired. While it waits, its hold can be extended."),
        "past": _("That time has passed already."),
        "too late": _("That is after the stay."),
        "payment live": _("The guest is paying, and the payment page is open for longer than that."),
        "arrived": _("The day of arrival has passed."),
        "changed": _("Somebody has changed the hold meanwhile."),
    }
    return words[word]


class HoldForm(ActionForm):
    hours = IntegerField(
        _l("Hours from now"),
        description=_l("From 1 to 336, which is two weeks."),
        validators=[Optional(), NumberRange(1, MOST_HOURS, _l("From 1 to 336."))],
    )
    until = DateTimeLocalField(_l("Or until"), format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], validators=[Optional()])


class _Hold(Action):
    asks_first = True
    form_class = HoldForm

    def until(self) -> datetime:
        if self.form.until.data:
            local = self.form.until.data
            return hotel_time.hotel_instant(local.date(), local.time(), self.hotel.timezone)
        return self.deps.now() + timedelta(hours=self.form.hours.data or 0)

    def check(self) -> None:
        if bool(self.form.until.data) == bool(self.form.hours.data):
            self.form.hours.errors = [_("Give either the hours or the time, not both.")]
        elif self.form.until.data and not 2000 <= self.form.until.data.year <= 2200:
            self.form.until.errors = [_("That is not a time to wait for.")]
        elif why := self.why_not_until(self.until()):
            (self.form.until if self.form.until.data else self.form.hours).errors = [_why(why, self)]

    def why_not_until(self, until: datetime) -> str | None:
        return holds.why_not_until(self.deps, self.stay, until)

    def shown(self) -> str:
        return f"{self.stay.status}|{self.stay.hold_until.isoformat()}|{self.form.hours.data}|{self.form.until.data}"


class ExtendHold(_Hold):
    name, title, button = "extend-hold", _l("Extend the hold"), _l("Extend the hold")

    def why_not(self) -> str:
        return _why("not pending", self) if self.stay.status != "pending" else ""

    def outlook(self) -> list[str]:
        return [_("The room is held until %(time)s now.", time=self.at(self.stay.hold_until)), self.no_mail()]

    def effects(self) -> list[str]:
        return [
            _(
                "The room is held until %(new)s instead of %(old)s, and the guest can pay until then.",
                new=self.at(self.until()),
                old=self.at(self.stay.hold_until),
            ),
            _("No money moves."),
            self.no_mail(),
        ]

    def do(self) -> str:
        until = self.until()
        try:
            holds.extend_hold(self.deps, self.stay.id, until, seen=self.stay.hold_until, actor=self.actor)
        except MayNotHold as refusal:
            raise NotDone(_why(refusal.why, self)) from None
        return _("The room is held until %(time)s.", time=self.at(until))


class HoldAgain(_Hold):
    name, title, button = "hold-again", _l("Hold the room again"), _l("Hold the room again")

    def why_not(self) -> str:
        why = holds.why_not_again(self.deps, self.stay)
        return _why(why, self) if why else ""

    def why_not_until(self, until: datetime) -> str | None:
        if until <= self.deps.now():
            return "past"
        return "too late" if hotel_time.hotel_date(until, self.hotel.timezone) > self.stay.check_out else None

    def outlook(self) -> list[str]:
        return [_("The room is still free for all nights of this stay."), self.no_mail()]

    def effects(self) -> list[str]:
        return [
            _("The room is held again until %(time)s.", time=self.at(self.until())),
            _("%(amount)s is to be paid until then.", amount=self.sum(self.stay.amount_due)),
            _("The guest is not e-mailed: send the payment link afterwards."),
        ]

    def do(self) -> str:
        until = self.until()
        try:
            holds.hold_again(self.deps, self.stay.id, until, actor=self.actor)
        except MayNotHold as refusal:
            raise NotDone(_why(refusal.why, self)) from None
        return _("The room is held again until %(time)s.", time=self.at(until))


class GrantAttempt(Action):
    name, title, button = "grant-attempt", _l("Allow one more attempt"), _l("Allow one more attempt")

    def why_not(self) -> str:
        if self.stay.status != "pending":
            return _("The stay does not wait for money, so nobody has to pay.")
        if self.stay.amount_due == 0:
            return _("Nothing is due.")
        return ""

    def outlook(self) -> list[str]:
        allowed = 3 + self.stay.extra_attempts
        lines = [
            _(
                "%(tried)s of %(allowed)s attempts are used. The guest may try %(more)s times altogether.",
                tried=payments.count_attempts(payments.of_stay(self.stay)),
                allowed=allowed,
                more=allowed + 1,
            ),
            _("No money moves until the guest pays. %(mail)s", mail=self.no_mail()),
        ]
        if self.stay.hold_until <= self.deps.now():
            lines.append(_("The hold is over: extend it too, or the guest cannot pay."))
        return lines

    def shown(self) -> str:
        return f"{self.stay.status}|{self.stay.extra_attempts}"

    def do(self) -> str:
        try:
            granting.grant_attempt(self.deps, self.stay.id, extra=self.stay.extra_attempts, actor=self.actor)
        except MayNotGrant:
            raise NotDone(_("The stay has changed meanwhile.")) from None
        return _("The guest may try to pay once more.")


class ConfirmFree(Action):
    name, title, button = "confirm-free", _l("Confirm without payment"), _l("Confirm the stay")
    about_money = True

    def why_not(self) -> str:
        if self.stay.total:
            return _("The stay costs %(amount)s, so it is confirmed by its payment.", amount=self.sum(self.stay.total))
        if self.stay.status != "pending":
            return _("The stay is not waiting to be confirmed.")
        return ""

    def outlook(self) -> list[str]:
        return [
            _("The stay costs nothing. It is confirmed, and the room is the guest's."),
            _("No money moves. %(mail)s", mail=self.no_mail()),
        ]

    def do(self) -> str:
        try:
            offline_payments.confirm_free(self.deps, self.stay.id, actor=self.actor)
        except NotFree:
            raise NotDone(_("The stay has changed meanwhile.")) from None
        return _("The stay is confirmed.")


class AnonymiseForm(ActionForm):
    code = StringField(
        _l("Type the reservation's code"),
        description=_l("This cannot be undone."),
        validators=[InputRequired(_l("Type the code."))],
    )


class Anonymise(Action):
    name, title, button = "anonymise", _l("Remove the guest's data"), _l("Remove the data for good")
    danger = True
    form_class = AnonymiseForm

    @property
    def for_managers(self) -> bool:
        return True

    def why_not(self) -> str:
        why = anonymise.why_not(self.deps, self.stay)
        return self._words(why) if why else ""

    def _words(self, why: str) -> str:
        return {
            "done": _("The guest's data was removed from this stay already."),
            "not over": _("The guest has not checked out yet: the dates of the stay are not over."),
            "payment": _("The stay still waits for money, or a payment is on its way."),
            "refund": _("A refund is still on its way, and the guest may have to be told about it."),
            "dispute": _("A bank disputes a payment of this stay."),
            "alert": _("Something about this stay still needs attention. Deal with that first."),
            "message": _("A message from Stripe about this stay still waits."),
            "recent refund": _("The last refund is less than 30 days old; the bank may still send it back."),
        }[why]

    def outlook(self) -> list[str]:
        return [
            _("Name, e-mail address, phone number and your notes are removed. Nobody can bring them back."),
            _("Sums, dates, receipts and the audit log stay for the books. No money moves."),
            _("Private links stop working. Mails that still wait are not sent, and the guest is not e-mailed."),
        ]

    def shown(self) -> str:
        return f"{self.stay.status}|{self.stay.link_version}"

    def check(self) -> None:
        if normalise_code(self.form.code.data or "") != self.stay.code:
            self.form.code.errors = [_("The code of this stay is %(code)s.", code=show_code(self.stay.code))]

    def do(self) -> str:
        try:
            anonymise.anonymise(self.deps, self.stay.id, actor=self.actor)
        except MayNotAnonymise as refusal:
            raise NotDone(self._words(refusal.why)) from None
        return _("The guest's data was removed.")
