"""Stripe's simulator is killed too. What it had answered, and what it still had to tell, is there when it is back."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from portal import create_app, db
from portal.deps import Deps
from portal.errors import Refusal
from portal.gateways.stripe_gateway import Patience
from portal.models import Payment, Reservation, WebhookEvent
from portal.services import checkout, checkout_sessions, reservations
from portal.services.checkout import GoToStripe
from portal.settings import Settings
from stripe_simulator import Control
from tests import processes
from tests.actors import LivePortal, session_of
from tests.crash.books import books_agree
from tests.crash.house import WEBHOOK_SECRET
from tests.postgres import free_port
from tests.processes import Process
from tests.stays import new_stay

ONCE = Patience(connect=2, read=4, retries=0, altogether=20)
SESSIONS = "/v1/checkout/sessions"


class FarStripe:
    """The simulator as a process of its own, which keeps its books in a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.control = Control(self.url)
        self.process: Process
        self.start()

    def start(self) -> None:
        state = ["--state", str(self.folder / "stripe.db"), "--webhook-secret", WEBHOOK_SECRET]
        command = ["-m", "stripe_simulator", "--port", str(self.port), *state]
        self.process = processes.start("stripe", command, {}, self.folder)
        processes.wait_until_up(self.process, f"{self.url}/_simulator/clock")

    def is_killed_and_started_again(self) -> None:
        self.process.kill()
        self.start()


@pytest.fixture
def far_stripe(tmp_path: Path) -> Iterator[FarStripe]:
    here = FarStripe(tmp_path)
    yield here
    here.process.kill()


@pytest.fixture
def far_deps(settings: Settings, database: str, far_stripe: FarStripe) -> Deps:
    """On the real clock, like the process."""
    there = replace(
        settings,
        stripe_api_base=far_stripe.url,
        checkout_origins=(far_stripe.url,),
    )
    return Deps.build(there, ONCE)


@pytest.fixture
def reservation(far_deps: Deps) -> Reservation:
    return reservations.add_reservation(far_deps, new_stay(reservations.today_at_hotel(far_deps)), actor="test")


@pytest.fixture
def far_portal(far_deps: Deps) -> Iterator[LivePortal]:
    """The portal's web server, for Stripe's messages."""

    def app(url: str):  # type: ignore[no-untyped-def]
        settings = replace(far_deps.settings, public_base_url=url)
        return create_app(settings, replace(far_deps, settings=settings))

    with LivePortal.serve(app) as running:
        yield running


def press_pay(deps: Deps, reservation: Reservation) -> str:
    target = checkout.start_checkout(deps, reservation.id, actor="guest")
    assert isinstance(target, GoToStripe)
    return session_of(target.url)


def press_pay_in_vain(deps: Deps, reservation: Reservation) -> None:
    with pytest.raises(Refusal) as refused:
        press_pay(deps, reservation)
    assert refused.value.text.code == "payments_unavailable"


def all_told(control: Control) -> bool:
    return {delivery["state"] for delivery in control.deliveries()} == {"delivered"}


def test_killed_after_the_session_was_made_and_before_the_answer(
    far_stripe: FarStripe, far_deps: Deps, reservation: Reservation
) -> None:
    far_stripe.control.fault("lost_answer", method="POST", path=SESSIONS)
    press_pay_in_vain(far_deps, reservation)
    (made,) = far_stripe.control.truth()["sessions"]
    far_stripe.is_killed_and_started_again()
    assert press_pay(far_deps, reservation) == made["id"]
    assert len(far_stripe.control.truth()["sessions"]) == 1
    books_agree(far_stripe.control.truth())


def test_killed_in_the_middle_of_making_a_session(
    far_stripe: FarStripe, far_deps: Deps, reservation: Reservation
) -> None:
    far_stripe.control.fault("slow", method="POST", path=SESSIONS, seconds=30)
    click = threading.Thread(target=in_a_thread, args=(lambda: press_pay_in_vain(far_deps, reservation),))
    click.start()
    processes.wait_until(lambda: Payment.select().count() == 1, "the row of the payment")
    processes.wait_until(lambda: not faults_left(far_stripe.control), "the call has arrived")
    far_stripe.is_killed_and_started_again()
    click.join(10)
    assert Payment.get().status == "creating"
    session = press_pay(far_deps, reservation)
    assert [made["id"] for made in far_stripe.control.truth()["sessions"]] == [session]
    books_agree(far_stripe.control.truth())


def faults_left(control: Control) -> list[object]:
    left: list[object] = control._call("GET", "faults")["faults"]
    return left


def in_a_thread(act: Callable[[], object]) -> None:
    with db.connection():
        act()
    db.db.close()


def test_killed_after_the_payment_and_before_its_messages(
    far_stripe: FarStripe, far_deps: Deps, reservation: Reservation, far_portal: LivePortal
) -> None:
    far_stripe.control.webhooks("hold", url=f"{far_portal.url}/webhooks/stripe")
    assert far_stripe.control.pay(press_pay(far_deps, reservation))["status"] == "paid"
    far_stripe.is_killed_and_started_again()
    assert WebhookEvent.select().count() == 0
    far_stripe.control.webhooks("on")
    processes.wait_until(lambda: all_told(far_stripe.control), "all messages delivered")
    assert Reservation.get_by_id(reservation.id).status == "confirmed"
    books_agree(far_stripe.control.truth())


def test_killed_while_it_repeats_its_messages(
    far_stripe: FarStripe, far_deps: Deps, reservation: Reservation, far_portal: LivePortal
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/webhooks/stripe"
    far_stripe.control.webhooks("on", url=nobody)
    assert far_stripe.control.pay(press_pay(far_deps, reservation))["status"] == "paid"
    processes.wait_until(
        lambda: all(delivery["tries"] >= 2 for delivery in far_stripe.control.deliveries()), "it repeats itself"
    )
    far_stripe.is_killed_and_started_again()
    far_stripe.control.webhooks("on", url=f"{far_portal.url}/webhooks/stripe")
    processes.wait_until(lambda: all_told(far_stripe.control), "all messages delivered")
    assert Reservation.get_by_id(reservation.id).status == "confirmed"
    books_agree(far_stripe.control.truth())


def test_killed_while_a_refused_card_is_tried_again(
    far_stripe: FarStripe, far_deps: Deps, reservation: Reservation
) -> None:
    first = press_pay(far_deps, reservation)
    assert far_stripe.control.pay(first, "4000000000000002")["status"] == "declined"
    checkout_sessions.ask_for_guest(far_deps, reservation)
    far_stripe.control.fault("lost_answer", method="POST", path=f"{SESSIONS}/*/expire")
    press_pay_in_vain(far_deps, reservation)  # closed at Stripe, and nobody heard it
    far_stripe.is_killed_and_started_again()
    second = press_pay(far_deps, reservation)
    assert far_stripe.control.pay(first)["status"] == "not_open"
    assert far_stripe.control.pay(second)["status"] == "paid"
    checkout_sessions.ask(far_deps, Payment.get(Payment.session_id == second), cause="test")
    assert Reservation.get_by_id(reservation.id).status == "confirmed"
    books_agree(far_stripe.control.truth())
