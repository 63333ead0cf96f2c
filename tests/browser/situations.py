"""Every page that a guest can come to. A situation leads the visitor from page to page and names each one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from portal import jobs
from portal.db import transaction
from portal.deps import Deps
from portal.gateways.stripe_gateway import KeyInFlight, StripeGateway
from portal.models import Payment, Refund, Reservation
from portal.services import checkout, guest_pages, nights, state
from stripe_simulator import Control
from tests.actors import Clock, Guest, names_of, rows, session_of
from tests.browser.visitor import ASKS_3D_SECURE, DECLINED, PAID, Visitor

SESSIONS = "/v1/checkout/sessions"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What a browser shows does not depend on the database."""


@dataclass
class World:
    """Who takes part. The guest with the plain browser gets things done; the visitor looks at them."""

    guest: Guest
    visitor: Visitor
    stripe: Control
    clock: Clock
    deps: Deps
    make: Callable[..., Reservation]
    patch: pytest.MonkeyPatch

    def opened(self, **changes: Any) -> tuple[Reservation, str]:
        """A stay whose payment page is open, and its session."""
        stay = self.make(**changes)
        self.guest.opens_link(stay)
        return stay, session_of(self.guest.presses_pay())

    def declined(self, stay: Reservation, times: int = 1, card: str = DECLINED) -> None:
        self.guest.opens_link(stay)
        for _ in range(times):
            self.stripe.pay(session_of(self.guest.presses_pay()), card=card)
            self.guest.goes_to(f"/reservations/{stay.code}/failed")

    def paid(self, **changes: Any) -> Reservation:
        stay, session = self.opened(**changes)
        self.stripe.pay(session)
        self.stripe.deliver()
        return stay

    def shows(self, stay: Reservation, what: str, *pages: str) -> Iterator[str]:
        """The visitor looks at these pages of the stay, one after the other."""
        self.visitor.opens_link(stay)
        for page in pages:
            self.visitor.goes_to(f"/reservations/{stay.code}{'' if page == 'review' else '/' + page}")
            yield f"{page.rsplit('/', 1)[-1]}-{what}"

    def money_that_goes_back(self, stay: Reservation, amount: int = 112_500, payment: str = "") -> None:
        """Money in the name of the stay's newest payment, or another one, which the portal cannot keep."""
        payment = payment or rows(Payment, reservation=stay.id)[-1].public_id
        self.stripe.charge_elsewhere(amount, metadata=names_of(stay, payment))
        self.stripe.deliver()

    def cancel(self, stay: Reservation) -> None:
        with transaction():
            row = Reservation.get_by_id(stay.id)
            state.move(row, "cancelled", actor="staff", cause="test", now=self.deps.now())
            nights.free_nights(row)


def finding(w: World) -> Iterator[str]:
    w.visitor.goes_to("/")
    yield "find"
    w.visitor.expects(400, 404)
    w.visitor.presses("Find my reservation")
    w.visitor.reads("There is a problem")
    yield "find-with-errors"
    _looks_up(w, "AAAA-BBBB-CCCC")
    w.visitor.reads("We cannot find a reservation")
    yield "find-without-a-match"
    w.visitor.goes_to(f"/reservations/{w.make().code}", 404)
    yield "no-access"
    w.visitor.goes_to("/l/no-such-link", 404)
    yield "link-over"
    w.visitor.goes_to("/nowhere", 404)
    yield "not-found"
    w.visitor.goes_to(f"/reservations/{rows(Reservation)[0].code}/success")
    yield "neutral-return"


def too_many_tries(w: World) -> Iterator[str]:
    w.visitor.goes_to("/")
    w.visitor.expects(404, 429)
    for _ in range(6):
        _looks_up(w, "AAAA-BBBB-CCCC")
    w.visitor.reads("Too many tries")
    yield "too-many-tries"


def awaiting_payment(w: World) -> Iterator[str]:
    stay = w.make(guest_name="Maximiliane Freifrau von Hohenstein-Oberleutensdorf", children=2)
    yield from w.shows(stay, "awaiting-payment", "review", "failed", "payments")
    w.clock.move_to(stay.hold_until - timedelta(minutes=27))
    w.visitor.page.clock.set_fixed_time(w.clock.now())
    yield from w.shows(stay, "last-minutes-of-the-hold", "review")


def nothing_to_pay(w: World) -> Iterator[str]:
    yield from w.shows(w.make(total=0), "nothing-to-pay", "review", "failed")


def left_without_paying(w: World) -> Iterator[str]:
    stay, _ = w.opened()
    yield from w.shows(stay, "left-without-paying", "review", "failed", "payments")


def session_over(w: World) -> Iterator[str]:
    stay, _ = w.opened()
    w.clock.advance(minutes=36)
    yield from w.shows(stay, "session-over", "failed", "payments")


def declined(w: World) -> Iterator[str]:
    stay = w.make()
    w.declined(stay, card="4000000000009995")
    yield from w.shows(stay, "declined", "review", "failed", "payments")


def attempts_used_up(w: World) -> Iterator[str]:
    stay = w.make()
    w.declined(stay, times=3)
    yield from w.shows(stay, "attempts-used-up", "review", "failed")
    w.clock.advance(minutes=36)
    w.stripe.deliver()
    yield from w.shows(stay, "attempts-used-up-and-closed", "failed")


def checking(w: World) -> Iterator[str]:
    stay, session = w.opened()
    w.stripe.complete_unpaid(session)
    w.stripe.deliver()
    yield from w.shows(stay, "checking", "review", "success", "payments")


def failed_later(w: World) -> Iterator[str]:
    stay, session = w.opened()
    intent = w.stripe.complete_unpaid(session)["session"]["payment_intent"]
    w.stripe.settle(intent, "failed")
    w.stripe.deliver()
    yield from w.shows(stay, "declined-later", "failed")
    Payment.update(declined_at=None, decline_code=None).execute()  # a bank that gives no reason at all
    yield from w.shows(stay, "failed-later", "review", "failed", "payments")


def paid(w: World) -> Iterator[str]:
    stay = w.make()
    w.declined(stay)
    w.stripe.pay(session_of(w.guest.presses_pay()))
    w.stripe.deliver()
    w.money_that_goes_back(stay, payment="PAY-LOSTBYABACKUP")
    yield from w.shows(stay, "paid-twice", "review", "success", "payments")
    plain = w.paid(room="River room")
    yield from w.shows(plain, "paid", "review", "success", "payments")


def hold_over(w: World) -> Iterator[str]:
    stay, _ = w.opened()
    w.clock.advance(hours=25)
    jobs.run_once(w.deps)
    yield from w.shows(stay, "hold-over", "review", "failed")
    w.make(check_in=stay.check_in, check_out=stay.check_out)
    w.money_that_goes_back(stay)
    yield from w.shows(stay, "paid-too-late", "review", "failed", "payments")
    Refund.update(status="succeeded").execute()
    yield from w.shows(stay, "paid-too-late-and-refunded", "failed")
    Refund.update(status="failed").execute()
    yield from w.shows(stay, "paid-too-late-and-refund-failed", "failed")


def wrong_sum(w: World) -> Iterator[str]:
    stay, _ = w.opened()
    w.money_that_goes_back(stay, 90_000)
    yield from w.shows(stay, "wrong-sum", "review", "failed")


def cancelled(w: World) -> Iterator[str]:
    stay = w.make()
    w.cancel(stay)
    yield from w.shows(stay, "cancelled", "review", "failed")
    stay = w.paid()
    w.cancel(stay)
    yield from w.shows(stay, "cancelled-after-paying", "review", "failed", "payments")


def cancelling(w: World) -> Iterator[str]:
    """What the cancel page and its result say, from all of the money to none."""
    for what, days in (("all", 30), ("half", 10), ("none", 3)):
        stay = w.paid(in_days=days)
        yield from w.shows(stay, f"of-{what}", "cancel")
        w.guest.goes_to(f"/reservations/{stay.code}/cancel")
        w.guest.sends("/cancel")
        yield from w.shows(stay, f"done-{what}", "cancel", "review")
    unpaid, _ = w.opened()
    yield from w.shows(unpaid, "of-an-open-page", "cancel")
    Refund.update(status="failed").execute()
    yield from w.shows(stay_of_refund(), "refund-failed", "cancel", "payments")
    arrived = w.paid(in_days=1, room="River room")
    w.clock.advance(days=2)
    yield from w.shows(arrived, "after-arrival", "cancel")


def stay_of_refund() -> Reservation:
    stay: Reservation = rows(Refund)[0].payment.reservation
    return stay


def documents(w: World) -> Iterator[str]:
    stay = w.paid()
    payment = rows(Payment, reservation=stay.id)[-1].public_id
    yield from w.shows(stay, "paid", f"payments/{payment}/receipt")
    w.guest.goes_to(f"/reservations/{stay.code}/cancel")
    w.guest.sends("/cancel")
    yield from w.shows(stay, "refunded", f"refunds/{rows(Refund)[-1].public_id}/credit-note")


def stripe_is_down(w: World) -> Iterator[str]:
    stay = w.make()
    w.visitor.opens_link(stay)
    w.stripe.fault("500", path=f"{SESSIONS}*", times=99)
    w.visitor.expects(503)
    w.visitor.pay_button.click()
    w.visitor.reads("Payments are not available right now")
    yield "payments-unavailable"
    w.stripe.clear_faults()
    stay, session = w.opened(room="River room")
    w.stripe.pay(session)
    w.stripe.fault("500", path=f"{SESSIONS}*", times=99)
    yield from w.shows(stay, "stripe-not-reached", "success")


def another_tab_is_faster(w: World) -> Iterator[str]:
    def in_flight(*_: object) -> None:
        raise KeyInFlight("another tab")

    w.patch.setattr(StripeGateway, "create_checkout_session", in_flight)
    w.patch.setattr(checkout, "WAIT_FOR_OTHER_TAB", 0)
    w.visitor.opens_link(w.make())
    w.visitor.pay_button.click()
    w.visitor.reads("Your payment page is being opened")
    yield "being-prepared"


def our_own_fault(w: World) -> Iterator[str]:
    def break_down(*_: object) -> None:
        raise RuntimeError("on purpose")

    stay = w.make()
    w.visitor.opens_link(stay)
    w.patch.setattr(guest_pages, "read_stay", break_down)
    w.visitor.goes_to(f"/reservations/{stay.code}", 500)
    yield "our-own-fault"


def at_stripe(w: World) -> Iterator[str]:
    w.visitor.opens_link(w.make())
    w.visitor.presses_pay()
    yield "stripe-pay"
    w.visitor.expects(422, 410)
    w.visitor.page.locator("#pay").click()
    w.visitor.reads("Check the details below.")
    yield "stripe-pay-with-problems"
    w.visitor.pays_with(DECLINED)
    w.visitor.reads("Your card was declined.")
    yield "stripe-declined"
    w.visitor.pays_with(ASKS_3D_SECURE)
    w.visitor.reads("Is it you?")
    yield "stripe-3ds"
    w.visitor.page.locator("#fail").click()
    w.visitor.reads("Test cards")
    old = w.visitor.page.url
    w.clock.advance(minutes=36)
    w.visitor.goes_to(old, 410)
    yield "stripe-expired"


def done_at_stripe(w: World) -> Iterator[str]:
    _, session = w.opened()
    w.stripe.pay(session, card=PAID)
    w.visitor.goes_to(f"{w.stripe.url}/c/pay/{session}")
    yield "stripe-paid"
    _, other = w.opened(room="River room")
    w.stripe.complete_unpaid(other)
    w.visitor.goes_to(f"{w.stripe.url}/c/pay/{other}")
    yield "stripe-on-its-way"
    w.visitor.goes_to(f"{w.stripe.url}/c/pay/cs_test_nowhere", 404)
    yield "stripe-no-such-page"
    w.visitor.goes_to(w.stripe.url)
    yield "stripe-overview"


def _looks_up(w: World, code: str) -> None:
    w.visitor.page.get_by_label("Reservation code").fill(code)
    w.visitor.page.get_by_label("E-mail address").fill("ines@carvalho.example")
    with w.visitor.page.expect_navigation():
        w.visitor.presses("Find my reservation")


ALL: tuple[Callable[[World], Iterator[str]], ...] = (
    *(finding, too_many_tries, awaiting_payment, nothing_to_pay, left_without_paying, session_over, declined),
    *(attempts_used_up, checking, failed_later, paid, hold_over, wrong_sum, cancelled, stripe_is_down),
    *(cancelling, documents),
    *(another_tab_is_faster, our_own_fault, at_stripe, done_at_stripe),
)
