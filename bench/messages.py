"""Stripe's messages about stays that were paid: made once as the simulator makes them, then one for each stay."""

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from portal.deps import Deps
from portal.gateways import stripe_gateway
from portal.gateways.stripe_gateway import SessionOrder
from portal.gateways.stripe_seen import Names as NamesSeen
from portal.gateways.stripe_seen import PaymentSeen
from stripe_simulator import Control

KIND = "checkout.session.completed"
AMOUNT = 36_000
PORTAL, CODE, PAYMENT = "0123456789abcdef", "MXDELSTAYQRS", "PAY-MXDELPAYMENTQRST"


@dataclass(frozen=True)
class Names:
    """What differs between the messages about two stays."""

    portal: str
    event: str
    session: str
    intent: str
    code: str
    payment: str


@dataclass(frozen=True)
class Model:
    """One real message as text, the names in it, and what Stripe said when its session was made."""

    text: str
    names: Names
    opened: PaymentSeen

    def names_of(self, number: int, portal: str, code: str, payment: str) -> Names:
        """Stripe's ids are as long as the model's, and others for each number."""
        event, session, intent = (
            f"{name[:-8]}{number:08}" for name in (self.names.event, self.names.session, self.names.intent)
        )
        return Names(portal, event, session, intent, code, payment)

    def about(self, names: Names) -> bytes:
        """The message about another stay."""
        text = self.text
        for mine, theirs in zip(vars(self.names).values(), vars(names).values(), strict=True):
            text = text.replace(mine, theirs)
        return text.encode()

    def opening(self, names: Names) -> PaymentSeen:
        """What Stripe said when that stay's session was made."""
        ours = NamesSeen(names.portal, names.code, names.payment)
        return replace(self.opened, session_id=names.session, names=ours, at=datetime.now(UTC))

    def session_for_stub(self, place: str) -> str:
        """The session that dj-stripe is answered. Without its payment intent, or it would ask for that as well."""
        session = json.loads(self.text)["data"]["object"]
        return json.dumps(session | {"payment_intent": None}, indent=2).replace(self.names.session, place)


def make_model(deps: Deps, stripe: Control) -> Model:
    """Has a guest pay a session at the simulator; the message that Stripe would send about it."""
    order = SessionOrder(
        portal=PORTAL,
        reservation_code=CODE,
        payment_id=PAYMENT,
        amount=AMOUNT,
        currency="EUR",
        title="Our hotel, Garden room",
        description="Three nights for two",
        email="guest@mail.example",
        success_url=f"http://127.0.0.1/reservations/{CODE}/success",
        cancel_url=f"http://127.0.0.1/reservations/{CODE}/failed",
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    opened = deps.stripe.create_checkout_session(stripe_gateway.session_params(order), f"pay:{PAYMENT}")
    stripe.pay(str(opened.session_id))
    (event,) = stripe.events(KIND)
    session = event["data"]["object"]
    names = Names(PORTAL, event["id"], session["id"], session["payment_intent"], CODE, PAYMENT)
    return Model(json.dumps(event, indent=2), names, opened)


def signed(body: bytes, secret: str, at: int) -> dict[str, str]:
    """The headers with which Stripe sends a body; `at`: its clock, in seconds."""
    mark = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": f"t={at},v1={mark}"}
