"""News of one payment in odd orders: it ends the same way, and the guest is never stuck."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import pytest

from portal.deps import Deps
from portal.domain import states
from portal.gateways.stripe_seen import Names, PaymentSeen
from portal.models import Alert, Payment, Reservation
from portal.services import checkout, payments, settlement
from portal.services.checkout import GoToStripe
from tests.actors import names_of, rows

Make = Callable[..., Reservation]


@pytest.fixture
def seen(deps: Deps, make_reservation: Make) -> PaymentSeen:
    """What Stripe says of an open session."""
    reservation = make_reservation()
    checkout.start_checkout(deps, reservation.id, actor="guest")
    payment = payments.newest(reservation)
    assert payment is not None
    return PaymentSeen(
        source="session",
        at=deps.now(),
        status="open",
        amount=payment.amount,
        currency=payment.currency,
        livemode=False,
        names=Names(**names_of(reservation, payment.public_id)),
        session_id=payment.session_id,
        payment_intent_id="pi_slow",
    )


def test_a_session_that_ends_unpaid_after_its_money_was_on_its_way_frees_the_guest(
    deps: Deps, seen: PaymentSeen
) -> None:
    """Otherwise the message would be refused for ever, and the stay would be "checking" for ever."""
    for status in ("processing", "open", "expired", "processing"):
        assert settlement.settle(deps, replace(seen, status=status), cause="test") == "success"
    (payment,) = rows(Payment)
    assert payment.status == "expired"
    assert isinstance(checkout.start_checkout(deps, payment.reservation_id, actor="guest"), GoToStripe)


@pytest.mark.parametrize("news", [("processing", "expired", "succeeded"), ("open", "processing", "failed")])
def test_any_order_of_the_same_news_ends_in_the_same_state(
    deps: Deps, seen: PaymentSeen, make_reservation: Make, news: tuple[str, ...]
) -> None:
    ends = set()
    for number, order in enumerate(permutations(news)):
        stay = make_reservation(in_days=60 + 4 * number)
        payment = Payment.create(
            **{
                **{name: value for name, value in rows(Payment)[0].__data__.items() if name != "id"},
                "public_id": f"PAY-{number}",
                "reservation": stay.id,
                "status": "open",
                "session_id": f"cs_{number}",
                "idempotency_key": f"pay:{number}",
            }
        )
        names = Names(**names_of(stay, payment.public_id))
        for status in order:
            told = replace(
                seen, names=names, session_id=f"cs_{number}", payment_intent_id=f"pi_{number}", status=status
            )
            settlement.settle(deps, told, cause="test")
        ends.add((Payment.get_by_id(payment.id).status, Reservation.get_by_id(stay.id).status))
    assert len(ends) == 1
    assert ends.pop()[0] not in states.LIVE_PAYMENT
    assert rows(Alert) == []
