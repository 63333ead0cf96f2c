"""Paying by card: one click on Pay, from the reservation's lock to the address of Stripe's page."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog

from portal import errors, logs
from portal.db import lock, transaction
from portal.deps import Deps
from portal.domain import holds
from portal.domain.guest_match import show_code
from portal.domain.return_urls import ReturnUrls
from portal.domain.situation import why_not_pay
from portal.gateways import stripe_gateway
from portal.gateways.stripe_gateway import (
    ApiKeyRefused,
    ExpiresTooNear,
    KeyInFlight,
    SessionOrder,
    StripeRefused,
    StripeUnavailable,
)
from portal.gateways.stripe_seen import PaymentSeen
from portal.models import Hotel, Payment, Reservation, Room
from portal.prepared import Prepared
from portal.services import payments, public_ids, restored, throttle
from portal.services.alerts import raise_alert
from portal.services.checkout_sessions import close_payment, give_up
from portal.services.settlement import settle_and_read

log = structlog.get_logger()

ROUNDS = 4
"""An expired session, a declined one and one that was never made can follow each other in a single click."""

WAIT_FOR_OTHER_TAB = 8.0
PAUSE = 0.25


_ROOM_AND_HOTEL: Prepared[Any] = Prepared(
    lambda room: (
        Room.select(Room.name, Hotel.name, Hotel.installation, Hotel.stripe_livemode)
        .join(Hotel, on=(Hotel.id == 1), attr="hotel")
        .where(Room.id == room)
    )
)


@dataclass(frozen=True)
class GoToStripe:
    """Send the guest to this address to pay `payment`."""

    url: str
    payment: Payment


@dataclass(frozen=True)
class LookAtStay:
    """There is nothing to pay by card now; the stay's page tells why."""


def own_pages(deps: Deps, reservation: Reservation) -> ReturnUrls:
    """The portal's own pages, where guests come back to unless a program wants them elsewhere."""
    page = f"{deps.settings.public_base_url}/reservations/{reservation.code}"
    return ReturnUrls(f"{page}/success", f"{page}/failed")


def start_checkout(
    deps: Deps, reservation_id: int, *, actor: str, back: ReturnUrls | None = None
) -> GoToStripe | LookAtStay:
    """Where a click on Pay leads. However often and from however many tabs: at most one session is open. `back`: where
    the guest is to return to; an open session that leads elsewhere makes way for a new one. None: wherever it leads.

    Raises Refusal (Stripe cannot be reached, too many clicks) and BeingPrepared (another tab is faster)."""
    restored.refuse_payments()
    deps, email_refused = deps.for_one_request(), False
    try:
        for turn in range(ROUNDS):
            payment = _begin_payment(
                deps, reservation_id, actor, back, with_email=not email_refused, count_click=turn == 0
            )
            if payment is None or payment.status == "processing":
                return LookAtStay()
            try:
                with logs.about(payment=payment.public_id):
                    target = _follow(deps, payment, back)
            except StripeRefused as refusal:
                email_refused = _never_made(deps, payment, refusal)
                continue
            if target is not None:
                return target
    except StripeUnavailable as error:
        _notice_refused_key(deps, error)
        raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE) from error
    raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE)


def _throttle(deps: Deps, reservation_id: int) -> None:
    if not throttle.hit_inside(deps, throttle.PAYS_OF_RESERVATION, str(reservation_id)):
        raise errors.Refusal(errors.TOO_MANY_PAYS)


def _begin_payment(
    deps: Deps, reservation_id: int, actor: str, back: ReturnUrls | None, *, with_email: bool, count_click: bool
) -> Payment | None:
    """The live payment, or a new one with its call to Stripe written down; None when nothing may be paid."""
    with transaction():
        if count_click:
            _throttle(deps, reservation_id)
        reservation = lock(Reservation, reservation_id)
        mine = payments.lock_of_stay(reservation)
        live = payments.live_of(mine)
        if live or why_not_pay(payments.facts_of(reservation, mine), deps.now()):
            return live if reservation.status == "pending" else None
        (room,) = _ROOM_AND_HOTEL.all(reservation.room_id)
        now, public_id = deps.now(), public_ids.new_payment_id()
        order = _order(deps, room, reservation, public_id, back or own_pages(deps, reservation), with_email=with_email)
        if room.hotel.stripe_livemode is None:
            Hotel.update(stripe_livemode=deps.settings.livemode).where(Hotel.stripe_livemode.is_null()).execute()
        return payments.insert(
            deps,
            reservation,
            mine,
            public_id=public_id,
            amount=order.amount,
            currency=order.currency,
            status="creating",
            created_at=now,
            cause="pay pressed",
            actor=actor,
            params=stripe_gateway.session_params(order),
            expires_at=order.expires_at,
            first_sent_at=now,
        )


def _order(
    deps: Deps, room: Any, reservation: Reservation, payment_id: str, back: ReturnUrls, *, with_email: bool
) -> SessionOrder:
    stay = f"{reservation.check_in:%d %b %Y} – {reservation.check_out:%d %b %Y}"
    return SessionOrder(
        portal=room.hotel.installation,
        reservation_code=reservation.code,
        payment_id=payment_id,
        amount=reservation.amount_due,
        currency=reservation.currency,
        title=f"{room.hotel.name}, {room.name}",
        description=f"{stay}, reservation {show_code(reservation.code)}",
        email=reservation.email if with_email else "",
        success_url=back.success,
        cancel_url=back.cancel,
        expires_at=deps.now() + holds.SESSION_LIFE,
    )


def _follow(deps: Deps, payment: Payment, back: ReturnUrls | None) -> GoToStripe | LookAtStay | None:
    """Ask Stripe what the payment has become, settle that, and say where to go; None: begin again."""
    seen = _ask_or_make(deps, payment)
    payment = settle_and_read(deps, seen, cause="pay pressed") or Payment.get_by_id(payment.id)
    reservation = payment.reservation
    if payment.status != "open":
        return None if payment.status in ("expired", "failed") else LookAtStay()
    if reservation.status != "pending" or payment.amount != reservation.amount_due:
        close_payment(deps, payment)  # nobody is sent to a session that must not be paid
        return None
    is_stale = payment.declined_at or _leads_elsewhere(payment, back)
    if is_stale and why_not_pay(payments.facts_of(reservation, payments.of_stay(reservation)), deps.now()) is None:
        close_payment(deps, payment)  # "try again" after a decline: a new session, once this one cannot be paid
        return None
    return GoToStripe(_checked(deps, seen.url), payment)


def _leads_elsewhere(payment: Payment, back: ReturnUrls | None) -> bool:
    return back is not None and ReturnUrls(payment.params["success_url"], payment.params["cancel_url"]) != back


def _ask_or_make(deps: Deps, payment: Payment) -> PaymentSeen:
    if payment.session_id:
        return deps.stripe.get_session(payment.session_id)
    try:
        return deps.stripe.create_checkout_session(payment.params, str(payment.idempotency_key))
    except KeyInFlight:
        return deps.stripe.get_session(_wait_for_other(deps, payment))


def _wait_for_other(deps: Deps, payment: Payment) -> str:
    """The session that another tab's call, which is on its way with the same key, has made meanwhile."""
    for _ in range(int(WAIT_FOR_OTHER_TAB / PAUSE)):
        deps.pause(PAUSE)
        session_id = Payment.get_by_id(payment.id).session_id
        if session_id:
            return str(session_id)
    raise errors.BeingPrepared


def _checked(deps: Deps, url: str | None) -> str:
    parts = urlsplit(url or "")
    if f"{parts.scheme}://{parts.netloc}" not in deps.settings.checkout_origins:
        log.error("address of payment page is not on the list", host=parts.hostname)
        raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE)
    return str(url)


def _never_made(deps: Deps, payment: Payment, refusal: StripeRefused) -> bool:
    """Stripe refused to make the session. True: for the e-mail's sake, so try once without. Otherwise a person has to
    look, except when the time had simply run out."""
    if isinstance(refusal, ExpiresTooNear) and deps.now() - payment.created_at > holds.KEY_IS_REMEMBERED:
        close_payment(deps, payment)  # the key may be forgotten by now: the refusal proves nothing, so look
        return False
    if refusal.code == "idempotency_error" or payment.session_id:
        with transaction():
            raise_alert(
                "Stripe refused a repeated call", payment.public_id, now=deps.now(), payment=payment, code=refusal.code
            )
        raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE) from refusal
    about_email = refusal.code == "email_invalid" and "customer_email" in payment.params
    give_up(deps, payment, cause="never made", error_code=refusal.code)
    if not about_email and not isinstance(refusal, ExpiresTooNear):
        with transaction():
            raise_alert(
                "Stripe refused a session",
                f"{payment.reservation.code}:{refusal.code}",
                now=deps.now(),
                payment=payment,
                code=refusal.code,
            )
        raise errors.Refusal(errors.PAYMENTS_UNAVAILABLE) from refusal
    return about_email


def _notice_refused_key(deps: Deps, error: StripeUnavailable) -> None:
    if isinstance(error, ApiKeyRefused):
        with transaction():
            raise_alert("Stripe refuses the API key", error.code, now=deps.now())
