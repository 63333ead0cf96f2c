"""Reservations over the API: adding one, reading one, cancelling one."""

from typing import Any

from portal.api import auth, refusals, words
from portal.api.endpoint import Call, endpoint
from portal.api.model import instant
from portal.api.refusals import ApiRefusal
from portal.api.reservation_models import (
    Cancelled,
    CancelRequest,
    Line,
    NewReservation,
    PolicyStep,
    RefundOfStay,
    ReservationMade,
    ReservationRead,
)
from portal.domain.guest_match import normalise_code, show_code
from portal.models import Cancellation, Reservation
from portal.services import cancellations, guest_pages, hotels, links, new_reservation, reservations
from portal.services.cancellations import MayNotCancel, Quote, QuoteChanged
from portal.services.money_back import MoneyBack
from portal.services.new_reservation import BadReservation

TRIES = 3
"""To cancel for what holds now, while that changes."""


def _link_again(call: Call, stored: dict[str, Any]) -> dict[str, Any]:
    return {**stored, "link": _link_of(call, normalise_code(stored["reservation_id"]) or "")}


def _link_of(call: Call, code: str) -> str:
    return links.make_link(call.deps, Reservation.get(Reservation.code == code))


@endpoint(
    "POST",
    "/reservations",
    scope="reservations",
    takes=NewReservation,
    gives=ReservationMade,
    status=201,
    guests=False,
    again=_link_again,
)
def add_reservation(call: Call) -> ReservationMade:
    """Add a reservation. It is pending and keeps its room until `hold_until`; the guest pays behind `link`."""
    if call.claim.effect:
        return ReservationMade(**_in_short(call, Reservation.get(Reservation.code == call.claim.effect)))
    try:
        new = new_reservation.read(
            call.body.model_dump(exclude_unset=True),
            currency=hotels.get_hotel().currency,
            today=reservations.today_at_hotel(call.deps),
        )
        made = reservations.add_reservation(call.deps, new, actor=call.caller.actor, claim=call.claim)
    except BadReservation as bad:
        raise refusals.bad_input("The reservation cannot be added. Nothing was stored.", fields=bad.problems) from None
    return ReservationMade(**_in_short(call, made))


@endpoint("GET", "/reservations/<reservation_id>", scope="reservations", gives=ReservationRead, refuses=(404,))
def read_reservation(call: Call, reservation_id: str) -> ReservationRead:
    """Read a reservation with its stay, its price and the last dates of its cancellation policy."""
    found = auth.find_reservation(call.caller, reservation_id)
    stay = guest_pages.read_stay(call.deps, found)
    return ReservationRead(
        **_in_short(call, found),
        room=stay.room.name,
        guest_name=found.guest_name,
        email=found.email,
        phone=found.phone,
        check_in=found.check_in.isoformat(),
        check_out=found.check_out.isoformat(),
        adults=found.adults,
        children=found.children,
        locale=found.locale,
        lines=[
            Line(label=line.label, amount=line.amount, detail=line.detail, vat_percent=line.vat_percent)
            for line in stay.lines
        ],
        timezone=stay.hotel.timezone,
        policy=[
            PolicyStep(
                percent=step.percent,
                amount=step.amount,
                last_date=step.last_date.isoformat() if step.last_date else None,
            )
            for step in stay.time_line
        ],
    )


@endpoint(
    "POST",
    "/reservations/<reservation_id>/cancel",
    scope="reservations",
    takes=CancelRequest,
    gives=Cancelled,
    refuses=(404,),
)
def cancel_reservation(call: Call, reservation_id: str) -> Cancelled:
    """Cancel a reservation for what its policy gives back. The cancellation stands whatever becomes of the refund."""
    found = auth.find_reservation(call.caller, reservation_id)
    if call.claim.effect is None:
        cancel(call, found, call.body.tier_percent, call.body.refund_amount)
    return _cancelled(found)


def cancel(call: Call, found: Reservation, percent: int | None, due: int | None, *, reason: str = "") -> None:
    """By the policy, for exactly these if they are given; ApiRefusal when it cannot be, with the quote as it is now."""
    quote = cancellations.quote(call.deps, found)
    tries = TRIES if percent is None and due is None else 1
    for _ in range(tries):
        try:
            return _cancel_for(call, found, quote, percent, due, reason)
        except QuoteChanged as changed:
            fell, quote = changed.quote.due < quote.due, changed.quote
            if fell:  # more than before, because money came in at this very moment, is what was asked for; less is not
                break
    raise refusals.bad_input(
        "What comes back is not what was sent, or changes at this moment. Nothing was cancelled.",
        "Show the guest the new sum, and send it.",
        **_quote(quote, found),
    )


def _cancel_for(
    call: Call, found: Reservation, quote: Quote, percent: int | None, due: int | None, reason: str
) -> None:
    try:
        cancellations.cancel(
            call.deps,
            found.id,
            percent=quote.percent if percent is None else percent,
            due=quote.due if due is None else due,
            actor=call.caller.actor,
            reason=reason,
            staff=not call.caller.is_guest,
            claim=call.claim,
        )
    except MayNotCancel as refusal:
        raise may_not_cancel(refusal.why) from None


def may_not_cancel(why: str) -> ApiRefusal:
    """`why`: cancelled, expired or arrived."""
    return refusals.bad_input(_WHY_NOT[why], "Read the reservation to see how it stands.", reservation_status=why)


_WHY_NOT = {
    "cancelled": "The reservation is cancelled already.",
    "expired": "The reservation has expired, so there is nothing to cancel.",
    "arrived": "The guest may have arrived: from the check-in time on only the hotel can cancel.",
}


def _quote(now: Quote, found: Reservation) -> dict[str, Any]:
    return {"tier_percent": now.percent, "refund_amount": now.due, "currency": found.currency}


def _cancelled(found: Reservation) -> Cancelled:
    made = Cancellation.get(Cancellation.reservation == found.id)
    return Cancelled(
        reservation_id=show_code(found.code),
        reservation_status="cancelled",
        percent=made.percent,
        refund_amount=made.refund_due,
        currency=found.currency,
        refunds=[
            RefundOfStay(
                refund_id=refund.public_id,
                payment_id=refund.payment.public_id,
                stripe_refund_id=refund.stripe_id,
                amount=refund.amount,
                status=words.refund_status(refund),
            )
            for refund in MoneyBack(found).refunds
            if refund.kind == "policy" and (refund.stripe_id or refund.status != "canceled")
        ],
    )


def _in_short(call: Call, found: Reservation) -> dict[str, Any]:
    return {
        "reservation_id": show_code(found.code),
        "status": found.status,
        "total": found.total,
        "currency": found.currency,
        "amount_due": found.amount_due,
        "hold_until": instant(found.hold_until),
        "link": links.make_link(call.deps, found),
    }
