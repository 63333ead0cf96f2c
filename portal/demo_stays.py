"""The hotel and the stays of the demo: one in every state that a guest can meet, reached the way guests reach it."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any

from portal.deps import Deps
from portal.domain.guest_match import show_code
from portal.models import Hotel, Payment, Reservation
from portal.services import (
    cancellations,
    checkout,
    checkout_sessions,
    holds,
    hotels,
    links,
    passwords,
    payments,
    public_ids,
    reservations,
    second_factor,
    staff_accounts,
)
from portal.services.new_reservation import NewLine, NewReservation

HOTEL_NAME = "Casa do Limoeiro"
PAID, DECLINED, NO_MONEY = "4242424242424242", "4000000000000002", "4000000000009995"
REFUND_FAILS, DISPUTED = "4000000000005126", "4000000000000259"
ROOMS = {
    "Garden room": "King bed, second floor, over the lemon trees",
    "River room": "Two beds, third floor, with a view of the Tejo",
    "Attic suite": "Queen bed, fourth floor, with a terrace",
}


@dataclass(frozen=True)
class SeededStay:
    story: str
    link: str
    code: str
    email: str


@dataclass(frozen=True)
class SeededPerson:
    """Somebody of the staff, who has set up the app already; the codes replace it three times."""

    email: str
    role: str
    password: str
    key: str
    codes: list[str]


def hire(deps: Deps) -> list[SeededPerson]:
    """A manager and a receptionist, ready to sign in."""
    return [
        _hire(deps, "marta@limoeiro.example", "Marta Limoeiro", "manager"),
        _hire(deps, "rita@limoeiro.example", "Rita Sousa", "reception"),
    ]


def _hire(deps: Deps, email: str, name: str, role: str) -> SeededPerson:
    password = passwords.new_password()
    person = staff_accounts.add_staff(
        deps, email, role=role, name=name, password=password, must_change=False, actor="demo"
    )
    key = second_factor.key_from(deps, person, passwords.new_token())
    codes = second_factor.store(person, key, codes=3) or []
    return SeededPerson(email, role, password, key, codes)


def furnish() -> None:
    """The house and its rooms."""
    hotels.set_hotel(
        name=HOTEL_NAME,
        tagline="Alfama, Lisbon",
        legal_name="Casa do Limoeiro, Lda.",
        vat_number="PT 509 000 000",
        address="Rua do Limoeiro 14, 1100-327 Lisboa",
        city="Lisbon",
        phone="+351 21 000 0140",
        phone_hours="8:00 to 22:00",
        email="stay@limoeiro.example",
        timezone="Europe/Lisbon",
        check_in_from=time(15),
        check_out_until=time(11),
    )
    for name, description in ROOMS.items():
        hotels.add_rooms([name], description)


def seed(deps: Deps) -> list[SeededStay]:
    """Every story, each with a stay of its own. Takes a few seconds: guests really pay at the simulator."""
    today = reservations.today_at_hotel(deps)
    return [
        _tell(deps, number, story, act, today)
        for number, (story, act) in enumerate(
            (
                ("Waits for its payment: pay this one", _nothing),
                ("Also waits, arrives in three days: nothing comes back on cancelling", _nothing),
                ("Was declined once", _is_declined),
                ("Opened the payment page and left", _opens_the_page),
                ("Was declined three times", _uses_up_attempts),
                ("Is paid and confirmed", _pays),
                ("Is confirmed, and a second payment goes back", _pays_twice),
                ("Paid by a slow method: still being checked", _pays_slowly),
                ("Did not pay in time: the hold is over", _lets_the_hold_end),
                ("Has cancelled, and the refund is on its way", _cancels),
                ("Has cancelled, and the bank sent the refund back", _cancels_and_the_refund_fails),
                ("Paid, and the bank disputes it", _is_disputed),
            )
        )
    ]


_NAMES = (
    *("Inês Carvalho", "Jonas Weber", "Aoife Byrne", "Marta Kowalska", "Luca Bianchi"),
    *("Élodie Martin", "Sofia Lindqvist", "Tomás Ferreira", "Noor de Vries"),
    *("Zofia Nowak", "Hugo Lambert", "Ewa Lis"),
)
_DAYS_AHEAD = (25, 3, 21, 16, 30, 35, 40, 12, 45, 10, 55, 60)


def _tell(deps: Deps, number: int, story: str, act: Callable[[Deps, Reservation], None], today: date) -> SeededStay:
    name = _NAMES[number]
    check_in = today + timedelta(days=_DAYS_AHEAD[number])
    # A hold that ended an hour ago began a day and an hour ago.
    clock = replace(deps, now=lambda: deps.now() - timedelta(hours=25)) if act is _lets_the_hold_end else deps
    reservation = reservations.add_reservation(clock, _new(number, name, check_in), actor="demo")
    act(deps, reservation)
    return SeededStay(story, links.make_link(deps, reservation), show_code(reservation.code), reservation.email)


def _new(number: int, name: str, check_in: date) -> NewReservation:
    room = list(ROOMS)[number % len(ROOMS)]
    return NewReservation(
        room=room,
        guest_name=name,
        email=f"guest{number + 1}@mail.example",
        send_link=True,
        check_in=check_in,
        check_out=check_in + timedelta(days=3),
        adults=2,
        lines=(
            NewLine(room, 56_700 + 1_200 * number, "3 nights", "6"),
            NewLine("Breakfast for two", 6_600, "3 mornings × €22.00", "13"),
            NewLine("Lisbon city tax", 2_400, "2 guests × 3 nights × €4.00"),
        ),
    )


def _nothing(deps: Deps, reservation: Reservation) -> None:
    pass


def _opens_the_page(deps: Deps, reservation: Reservation) -> None:
    checkout.start_checkout(deps, reservation.id, actor="guest")


def _pays(deps: Deps, reservation: Reservation, card: str = PAID) -> None:
    _opens_the_page(deps, reservation)
    _at_stripe(deps, f"sessions/{_session(reservation)}/pay", card=card)
    _look(deps, reservation)


def _is_declined(deps: Deps, reservation: Reservation) -> None:
    _pays(deps, reservation, NO_MONEY)


def _uses_up_attempts(deps: Deps, reservation: Reservation) -> None:
    for _ in range(3):
        _pays(deps, reservation, DECLINED)


def _pays_twice(deps: Deps, reservation: Reservation) -> None:
    _pays(deps, reservation)
    names = {
        "portal": Hotel.get_by_id(1).installation,
        "reservation": reservation.code,
        "payment": public_ids.new_payment_id(),
    }
    _at_stripe(deps, "charge_elsewhere", amount=reservation.total, metadata=names)


def _pays_slowly(deps: Deps, reservation: Reservation) -> None:
    _opens_the_page(deps, reservation)
    _at_stripe(deps, f"sessions/{_session(reservation)}/complete_unpaid")
    _look(deps, reservation)


def _lets_the_hold_end(deps: Deps, reservation: Reservation) -> None:
    holds.release_overdue_holds(deps)


def _cancels(deps: Deps, reservation: Reservation, card: str = PAID) -> None:
    _pays(deps, reservation, card)
    quote = cancellations.quote(deps, Reservation.get_by_id(reservation.id))
    cancellations.cancel(deps, reservation.id, percent=quote.percent, due=quote.due, actor="guest", reason="plans")


def _cancels_and_the_refund_fails(deps: Deps, reservation: Reservation) -> None:
    _cancels(deps, reservation, REFUND_FAILS)


def _is_disputed(deps: Deps, reservation: Reservation) -> None:
    _pays(deps, reservation, DISPUTED)


def _session(reservation: Reservation) -> str:
    newest = payments.newest(reservation)
    return str(newest.session_id) if newest else ""


def _look(deps: Deps, reservation: Reservation) -> None:
    """What the return page does: ask Stripe, settle."""
    newest: Payment | None = payments.newest(reservation)
    if newest:
        checkout_sessions.ask(deps, newest, cause="guest came back")


def _at_stripe(deps: Deps, path: str, **body: Any) -> None:
    """What happens at Stripe without the portal, by the simulator's own controls."""
    request = urllib.request.Request(
        f"{deps.settings.stripe_api_base}/_simulator/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10):
        pass
