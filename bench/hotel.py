"""The hotel whose guests have all paid at Stripe, before its portal has heard of it; and whether it heard right."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

import structlog

from bench.messages import AMOUNT, Model, Names
from portal import db, migrations
from portal.deps import Deps
from portal.gateways.stripe_gateway import StripeGateway
from portal.gateways.stripe_seen import PaymentSeen
from portal.models import OutgoingMail, Payment, Reservation, WebhookEvent
from portal.services import books, checkout, hotels, reservations
from portal.services.new_reservation import NewLine, NewReservation

ROOMS, NIGHTS = 50, 3


@contextmanager
def opened(url: str) -> Iterator[None]:
    """This process at that hotel's database."""
    db.initialise(url)
    try:
        with db.connection():
            yield
    finally:
        db.disconnect()


def be_quiet() -> None:
    """What the portal logs while this process works for it is of no interest."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


class Opens:
    """Stripe as far as a click on Pay needs it: each session is open at once."""

    def __init__(self, model: Model) -> None:
        self._model, self.made = model, list[Names]()

    def for_one_request(self) -> "Opens":
        return self

    def create_checkout_session(self, params: dict[str, Any], _key: str) -> PaymentSeen:
        named = params["metadata"]
        self.made.append(self._model.names_of(len(self.made), named["portal"], named["reservation"], named["payment"]))
        return self._model.opening(self.made[-1])


def fill(deps: Deps, model: Model, count: int) -> list[Names]:
    """So many stays whose guests have each pressed Pay; what the messages about them are to say."""
    migrations.migrate()
    hotels.ensure_hotel()
    hotels.add_rooms([f"Room {number}" for number in range(ROOMS)], capacity=2)
    # Only while these rows are made does a power cut not matter; the server has connections of its own.
    db.db.execute_sql("SET synchronous_commit = off" if db.is_postgres() else "PRAGMA synchronous = OFF")
    stripe = Opens(model)
    deps = replace(deps, stripe=cast(StripeGateway, stripe))
    for number in range(count):
        stay = reservations.add_reservation(deps, stay_of(deps.now().date(), number), actor="bench")
        checkout.start_checkout(deps, stay.id, actor="guest")
        if number % 200 == 199:
            print(f"  {number + 1:,} stays", flush=True)
    return stripe.made


def stay_of(today: date, number: int) -> NewReservation:
    first = today + timedelta(days=30 + NIGHTS * (number // ROOMS))
    return NewReservation(
        room=f"Room {number % ROOMS}",
        guest_name=f"Guest {number}",
        email=f"guest{number}@mail.example",
        check_in=first,
        check_out=first + timedelta(days=NIGHTS),
        adults=2,
        lines=(NewLine("Room", AMOUNT, f"{NIGHTS} nights"),),
    )


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
