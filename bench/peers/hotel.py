"""The hotel whose guests have all paid at Stripe, before its portal has heard of it; and whether it heard right."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from bench.peers.messages import AMOUNT, Model, Names, order_of
from portal import db, migrations
from portal.deps import Deps
from portal.gateways import stripe_gateway
from portal.models import Hotel, OutgoingMail, Payment, Reservation, WebhookEvent
from portal.services import books, hotels, payments, public_ids, reservations, settlement
from portal.services.new_reservation import NewLine, NewReservation

ROOMS, NIGHTS, TOGETHER = 50, 3, 100


@contextmanager
def opened(url: str) -> Iterator[None]:
    """This process at that hotel's database."""
    db.initialise(url)
    try:
        with db.connection():
            yield
    finally:
        db.disconnect()


def fill(deps: Deps, model: Model, count: int) -> list[Names]:
    """So many stays, made by the portal's own services, each with an open session at Stripe; a hundred in one
    transaction. What the messages about them are to say."""
    migrations.migrate()
    hotel = hotels.ensure_hotel()
    hotels.add_rooms([f"Room {number}" for number in range(ROOMS)], capacity=2)
    names: list[Names] = []
    while len(names) < count:
        with db.transaction():
            for number in range(len(names), min(count, len(names) + TOGETHER)):
                names.append(_add_stay(deps, model, hotel, number))
    return names


def _add_stay(deps: Deps, model: Model, hotel: Hotel, number: int) -> Names:
    first = deps.now().date() + timedelta(days=30 + NIGHTS * (number // ROOMS))
    new = NewReservation(
        room=f"Room {number % ROOMS}",
        guest_name=f"Guest {number}",
        email=f"guest{number}@mail.example",
        check_in=first,
        check_out=first + timedelta(days=NIGHTS),
        adults=2,
        lines=(NewLine("Room", AMOUNT, f"{NIGHTS} nights"),),
    )
    stay = reservations.add_inside(deps, new, actor="bench")
    names = model.names_of(number, hotel.installation, stay.code, public_ids.new_payment_id())
    order, now = order_of(hotel.installation, stay.code, names.payment), deps.now()
    payments.insert(
        deps,
        stay,
        public_id=names.payment,
        amount=order.amount,
        currency=order.currency,
        status="creating",
        created_at=now,
        cause="pay pressed",
        actor="guest",
        params=stripe_gateway.session_params(order),
        expires_at=order.expires_at,
        first_sent_at=now,
    )
    settlement.settle_inside(deps, model.opening(names), cause="pay pressed")
    return names


def wrong_in(deps: Deps, sent: list[Names]) -> list[str]:
    """What was lost or doubled, and every finding about the books. Each message is to have confirmed one stay, settled
    one payment and queued one mail."""
    paid = Payment.select().where((Payment.status == "succeeded") & (Payment.disposition == "kept"))
    whole = (Reservation.status == "confirmed") & (Reservation.paid == Reservation.total)
    found = {
        "stays confirmed": Reservation.select().where(whole).count(),
        "payments settled": paid.count(),
        "receipts": paid.select(Payment.receipt_number).distinct().count(),
        "messages applied": WebhookEvent.select().where(WebhookEvent.result == "success").count(),
        "messages kept": WebhookEvent.select().count(),
        "mails queued": OutgoingMail.select().where(OutgoingMail.kind == "payment_received").count(),
    }
    told = {names.payment for names in sent}
    settled = {payment.public_id for payment in paid.select(Payment.public_id)}
    wrong = [f"{what}: {number} instead of {len(sent)}" for what, number in found.items() if number != len(sent)]
    wrong += [f"{payment}: paid, but not settled" for payment in sorted(told - settled)]
    return wrong + [f"{finding.rule}: {finding.row}: {finding.what}" for finding in books.audit(deps)]
