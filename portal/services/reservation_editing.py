"""Staff change a stay that exists: who comes, when, into which room, for how much, and how long it is held.

A guest may be paying for the old dates or the old price at this moment. That payment page is closed at Stripe first,
and what Stripe says has become of it decides: a guest who has paid meanwhile keeps what was paid for."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from portal.db import lock, transaction
from portal.deps import Deps
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.models import Payment, Reservation, ReservationLine
from portal.services import audit, checkout_sessions, holds, nights, payments, reservation_words, reservations
from portal.services.new_reservation import BadReservation, NewLine, NewReservation

log = structlog.get_logger()

NAMES = {
    "guest_name": "guest name",
    "email": "e-mail",
    "phone": "phone",
    "locale": "language",
    "adults": "adults",
    "children": "children",
    "room": "room",
    "check_in": "check-in",
    "check_out": "check-out",
    "lines": "price",
    "hold_until": "hold",
}
"""Everything that can be changed, and its name in the audit log, which never holds what is in it."""

CONTACT = frozenset({"guest_name", "email", "phone", "locale"})
"""What may still be changed when a stay is cancelled or expired."""
NIGHTS = frozenset({"room", "check_in", "check_out"})
GUESTS = frozenset({"room", "adults", "children"})
ON_PAYMENT_PAGE = NIGHTS | {"lines"}
"""What a payment page shows the guest, so that none may stay open when it changes."""

ROUNDS = 3
"""A guest may press Pay again between the closing of one payment page and the change."""


@dataclass(frozen=True)
class Saved:
    """`changed`: which of NAMES; nothing when all was so already. `closed`: an open payment page was closed."""

    changed: frozenset[str]
    closed: bool


class NotEdited(Exception):
    """Nothing about the stay was changed. `why`: changed (by somebody else, since it was shown), over (cancelled or
    expired), price frozen, paid meanwhile, payment processing, payment opening, Stripe unreachable.
    `closed`: an open payment page was closed all the same."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        self.closed = False


class _PaymentIsLive(Exception):
    """All would be well if this payment were over."""

    def __init__(self, payment: Payment) -> None:
        super().__init__(payment.public_id)
        self.payment = payment


def version_of(reservation: Reservation) -> str:
    """What a form carries, to notice that somebody else changed the stay meanwhile."""
    return f"{reservation.updated_at.isoformat()} {reservation.status} {reservation.paid}"


def lines_of(reservation: Reservation) -> tuple[NewLine, ...]:
    """The price of the stay as it would be written anew."""
    rows = reservation.lines.order_by(ReservationLine.position)
    return tuple(NewLine(row.label, row.amount, row.detail, row.vat_percent) for row in rows)


def is_over(reservation: Reservation) -> bool:
    """Whether only the contact data can be changed."""
    return reservation.status not in ("pending", "confirmed")


def is_price_frozen(reservation: Reservation) -> bool:
    """Once something was paid, or the stay was confirmed, its price is what was agreed."""
    return bool(reservation.paid) or reservation.status != "pending"


def edit(
    deps: Deps, reservation_id: int, wanted: NewReservation, *, hold_until: datetime, seen: str, actor: str
) -> Saved:
    """Make the stay as it is wanted, all of it or nothing. `seen` is `version_of` what the person was shown;
    `wanted.hold_hours` and `wanted.send_link` are of no account.

    Raises NotEdited, NightsTaken, and BadReservation for a room that is unknown or too small, or a hold that cannot be
    (`hold_until`: a word of `holds.why_not_until`)."""
    deps, closed = deps.for_one_request(), False
    try:
        for _ in range(ROUNDS):
            try:
                changed = _store(deps, reservation_id, wanted, hold_until, seen, actor)
                return Saved(changed, closed)
            except _PaymentIsLive as found:
                _close(deps, found.payment)
                closed = True
        raise NotEdited("payment opening")
    except NotEdited as refusal:
        refusal.closed = closed
        raise


def _store(
    deps: Deps, reservation_id: int, wanted: NewReservation, hold_until: datetime, seen: str, actor: str
) -> frozenset[str]:
    """Everything is looked at before a guest's payment page is closed: an edit that cannot be leaves it open."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        if version_of(reservation) != seen:
            raise NotEdited("changed")
        before = _values(reservation)
        after = {**asdict(wanted), "lines": wanted.lines, "hold_until": hold_until}
        changed = frozenset(name for name in NAMES if before[name] != after[name])
        if changed:
            _check(reservation, changed)
            _write(deps, reservation, wanted, hold_until, changed)
            live = payments.find_live(reservation)
            if live is not None and changed & ON_PAYMENT_PAGE:
                raise _PaymentIsLive(live)
            _after_change(reservation)
            audit.note(reservation, actor=actor, cause=_cause(before, after, changed), now=deps.now())
    if changed:
        log.info("reservation edited", reservation=reservation.code, actor=actor, changed=_names(changed))
    return changed


def _values(reservation: Reservation) -> dict[str, Any]:
    stored = {name: getattr(reservation, name) for name in NAMES if name not in ("room", "lines")}
    return {**stored, "room": reservation.room.name, "lines": lines_of(reservation)}


def _check(reservation: Reservation, changed: frozenset[str]) -> None:
    if is_over(reservation) and changed - CONTACT:
        raise NotEdited("over")
    if is_price_frozen(reservation) and "lines" in changed:
        raise NotEdited("price frozen")


def _write(
    deps: Deps, reservation: Reservation, wanted: NewReservation, hold_until: datetime, changed: frozenset[str]
) -> None:
    """Columns, price lines and nights, under the reservation's lock."""
    columns: dict[str, Any] = {name: getattr(wanted, name) for name in changed - {"room", "lines", "hold_until"}}
    if changed & GUESTS:
        columns["room"] = reservations.find_room_for(wanted)
    if "lines" in changed:
        columns["total"] = wanted.total
        ReservationLine.delete().where(ReservationLine.reservation == reservation.id).execute()
        reservations.write_lines(reservation, wanted.lines)
    # Later than any time before, also when two changes fall into one tick of the clock: forms are told apart by it.
    columns["updated_at"] = max(deps.now(), reservation.updated_at + timedelta(microseconds=1))
    for column, value in columns.items():
        setattr(reservation, column, value)
    if "hold_until" in changed:
        if why := holds.why_not_until(deps, reservation, hold_until):
            raise BadReservation({"hold_until": why})
        reservation.hold_until = columns["hold_until"] = hold_until
    Reservation.update(**columns).where(Reservation.id == reservation.id).execute()
    if changed & NIGHTS:
        _move(reservation)


def _move(reservation: Reservation) -> None:
    """Take the nights that the stay has now, and free the others."""
    room, stay = reservation.room, (reservation.check_in, reservation.check_out)
    # Looked at before any are freed: two stays that swap their rooms at one moment would wait for each other.
    if nights.find_clashes(room, *stay, but=reservation):
        raise reservations.NightsTaken(room)
    nights.free_nights(reservation)
    if not nights.take_nights(reservation):
        raise reservations.NightsTaken(room)


def _after_change(reservation: Reservation) -> None:
    """What is kept beside a stay and has to follow its names and dates, in the same transaction."""
    reservation_words.store(reservation)


def _cause(before: dict[str, Any], after: dict[str, Any], changed: frozenset[str]) -> str:
    """For the audit log: which fields, and the sums of the price, but nothing about the guest."""
    old, new = (sum(line.amount for line in values["lines"]) for values in (before, after))
    return f"edited: {_names(changed)}" + (f" (from {old} to {new} in minor units)" if old != new else "")


def _names(changed: frozenset[str]) -> str:
    return ", ".join(words for name, words in NAMES.items() if name in changed)


def _close(deps: Deps, payment: Payment) -> None:
    """Close the payment page at Stripe, and settle what Stripe says has become of it."""
    try:
        checkout_sessions.close_payment(deps, payment)
    except (StripeUnavailable, StripeRefused) as error:
        raise NotEdited("Stripe unreachable") from error
    payment = Payment.get_by_id(payment.id)
    if payment.status == "succeeded":
        raise NotEdited("paid meanwhile")
    if payment.is_live:
        raise NotEdited("payment processing" if payment.status == "processing" else "payment opening")
