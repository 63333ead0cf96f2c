"""Actions on one reservation, all behind one address: what will happen is shown first and done on a second click.

`?of=PAY-…` or `?of=REF-…` names the payment or refund that an action is about; without it, the only one there is."""

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal import errors
from portal.domain.guest_match import normalise_code
from portal.errors import Refusal
from portal.models import Reservation
from portal.services.money_back import MoneyBack
from portal.web.staff import access
from portal.web.staff.action_base import Action, NotDone
from portal.web.staff.actions_cancel import Cancel, CancelOther
from portal.web.staff.actions_links import CopyLink, RevokeLinks, SendLink
from portal.web.staff.actions_money import CheckWithStripe, RecordPayment
from portal.web.staff.actions_refunds import GiveRefund, RefundHandedBack, RetryRefund
from portal.web.staff.actions_stay import Anonymise, ConfirmFree, ExtendHold, GrantAttempt, HoldAgain
from portal.web.staff.blueprint import staff

_IN_ORDER: tuple[type[Action], ...] = (
    SendLink,
    CopyLink,
    RecordPayment,
    ConfirmFree,
    ExtendHold,
    HoldAgain,
    GrantAttempt,
    CheckWithStripe,
    GiveRefund,
    RetryRefund,
    RefundHandedBack,
    Cancel,
    CancelOther,
    RevokeLinks,
    Anonymise,
)

ACTIONS = {kind.name: kind for kind in _IN_ORDER}


USUAL = {
    "pending": ("send-link", "record-payment", "confirm-free"),
    "confirmed": ("refund", "cancel"),
    "cancelled": ("retry-refund", "refund-handed-back"),
    "expired": ("hold-again",),
}
"""What is mostly done to a stay in this state: its buttons stand at the top of the page, the others below More."""


@dataclass(frozen=True)
class ActionLink:
    """One action that the signed-in person can do to a stay now."""

    name: str
    title: str
    danger: bool
    usual: bool


def available(reservation: Reservation) -> list[ActionLink]:
    """For the reservation's page: what the signed-in person can do now, each at url_for("staff.action", …)."""
    money = MoneyBack(reservation)
    built = [kind(reservation, money=money) for kind in _IN_ORDER]
    possible = [action for action in built if _is_allowed(action) and not action.why_not()]
    usual = USUAL[reservation.status]
    return [ActionLink(a.name, str(a.title), a.danger, a.name in usual) for a in possible]


@staff.get("/reservations/<code>/actions/<name>")
@access.needs(access.RECEPTION)
def action(code: str, name: str) -> Response:
    chosen = _find(code, name)
    if chosen.why_not():
        return _refused(chosen)
    if chosen.choices:
        return _page(chosen)
    chosen.form = chosen.form_class(formdata=None)
    chosen.form.shown.data = "" if chosen.asks_first else chosen.shown()
    return _first_page(chosen)


@staff.post("/reservations/<code>/actions/<name>")
@access.needs(access.RECEPTION)
def do_action(code: str, name: str) -> Response:
    """Does exactly what was shown; if that has changed, it is shown and asked again."""
    chosen = _find(code, name)
    if chosen.why_not():
        return _refused(chosen)
    if chosen.choices:
        return _page(chosen, status=400)
    form = chosen.form = chosen.form_class()
    if not _is_right(chosen):
        return _first_page(chosen, status=400)
    seen, form.shown.data = form.shown.data, chosen.shown()
    if seen != form.shown.data:
        return _ask_again(chosen, first=not seen and chosen.asks_first)
    problem = access.confirm_password() if chosen.about_money else None
    if problem:
        return _confirm_page(chosen, problem=problem, status=403)
    return _do(chosen)


def _find(code: str, name: str) -> Action:
    """404 for what does not exist; MANAGERS_ONLY for a receptionist where it says so."""
    kind, known = ACTIONS.get(name), normalise_code(code)
    stay = Reservation.get_or_none(Reservation.code == known) if known else None
    if kind is None or stay is None:
        abort(404)
    found = kind(stay, request.args.get("of", "").strip().upper())
    if not _is_allowed(found):
        raise Refusal(errors.MANAGERS_ONLY)
    return found


def _is_allowed(chosen: Action) -> bool:
    return chosen.role == access.MANAGER or not chosen.for_managers


def _is_right(chosen: Action) -> bool:
    """Whether the form holds what it has to; what is wrong is in its fields."""
    if chosen.form.validate():
        chosen.check()
    return not chosen.form.errors and not any(field.errors for field in chosen.form)


def _ask_again(chosen: Action, *, first: bool) -> Response:
    """The effect of what was typed; or of what has changed since it was shown."""
    if first:
        return _confirm_page(chosen)
    changed = _("This has changed since you saw it. Nothing was done yet. Please look at it once more.")
    return _confirm_page(chosen, changed=changed, status=409)


def _do(chosen: Action) -> Response:
    try:
        done = chosen.do()
    except NotDone as refusal:
        flash(_("%(why)s Nothing was changed.", why=str(refusal)), "bad")
        answer = action(chosen.stay.code, chosen.name)
        answer.status_code = 409
        return answer
    if isinstance(done, Response):
        return done
    flash(done, "good")
    return redirect(_stay_url(chosen.stay), 303)


def _stay_url(stay: Reservation) -> str:
    return url_for("staff.reservation", code=stay.code)


def _refused(chosen: Action) -> Response:
    return _page(chosen, why_not=chosen.why_not(), status=409)


def _first_page(chosen: Action, **more: Any) -> Response:
    """On the button of an action that asks first there is no sum yet."""
    words = _("Go on") if chosen.asks_first else chosen.words_on_button()
    return _page(chosen, form=chosen.form, effects=chosen.outlook(), words=words, **more)


def _confirm_page(chosen: Action, **more: Any) -> Response:
    effects, words = chosen.effects(), chosen.words_on_button()
    return _page(chosen, form=chosen.form, effects=effects, words=words, confirms=True, **more)


def _page(chosen: Action, *, status: int = 200, **more: Any) -> Response:
    stay = chosen.stay
    body = render_template("staff/action.html", action=chosen, stay=stay, stay_url=_stay_url(stay), **more)
    return make_response(body, status)
