"""Stays: adding one with its nights, and finding one for a guest."""

import hmac
from dataclasses import asdict
from datetime import date, timedelta

from portal.db import must_be_in_transaction, transaction
from portal.deps import Deps
from portal.domain import guest_match, hotel_time
from portal.models import Hotel, Reservation, ReservationLine, Room
from portal.services import hotels, links, mails, nights, public_ids, reservation_words, state
from portal.services.idempotency import Claim
from portal.services.new_reservation import BadReservation, NewLine, NewReservation


class NightsTaken(BadReservation):
    """Somebody has the room for some of the nights; `nights.find_clashes` tells who."""

    def __init__(self, room: Room) -> None:
        super().__init__({"room": f"{room.name} is not free for all of these nights"})
        self.room = room


def add_reservation(deps: Deps, new: NewReservation, *, actor: str, claim: Claim | None = None) -> Reservation:
    """A pending reservation that owns its nights. BadReservation for an unknown room, or one that is too small;
    NightsTaken. `claim`: of a program that may repeat its request."""
    with transaction():
        made = add_inside(deps, new, actor=actor)
        if claim is not None:
            claim.note(made.code)
        return made


def add_inside(deps: Deps, new: NewReservation, *, actor: str) -> Reservation:
    """The same in the caller's transaction, which a BadReservation has to take back."""
    must_be_in_transaction()
    room = find_room_for(new)
    reservation = _insert(deps, hotels.get_hotel(), room, new)
    if not nights.take_nights(reservation):
        raise NightsTaken(room)
    state.begin(reservation, actor=actor, cause="reservation added", now=deps.now())
    reservation_words.store(reservation)
    if new.send_link:
        mails.queue(deps, "private_link", f"{reservation.code}:added", reservation)
    return reservation


def find_room_for(new: NewReservation) -> Room:
    """The room with that name; BadReservation when there is none, or when so many guests do not fit in."""
    room: Room | None = Room.get_or_none(Room.name == new.room)
    problem = room_problem(new, room)
    if room is None or problem:
        raise BadReservation({"room": problem or ""})
    return room


def room_problem(new: NewReservation, room: Room | None) -> str | None:
    """Why the stay cannot be in that room, whoever else wants it; None when it can."""
    if room is None:
        return f"there is no room called {new.room}"
    if new.adults + new.children > room.capacity:
        return f"{new.room} takes at most {room.capacity} guests"
    return None


def _insert(deps: Deps, hotel: Hotel, room: Room, new: NewReservation) -> Reservation:
    now = deps.now()
    reservation = Reservation.create(
        code=public_ids.new_code(),
        guest_name=new.guest_name,
        email=new.email,
        phone=new.phone,
        locale=new.locale or hotel.locale,
        room=room,
        check_in=new.check_in,
        check_out=new.check_out,
        adults=new.adults,
        children=new.children,
        total=new.total,
        currency=hotel.currency,
        hold_until=now + timedelta(hours=new.hold_hours),
        policy=hotel.policy,
        created_at=now,
        updated_at=now,
    )
    write_lines(reservation, new.lines)
    return reservation


def write_lines(reservation: Reservation, lines: tuple[NewLine, ...]) -> None:
    """The price of a stay that has no lines yet, in the transaction that stores its total."""
    for position, line in enumerate(lines):
        ReservationLine.insert(reservation=reservation, position=position, **asdict(line)).execute()


def get_by_code(code_text: str) -> Reservation:
    """For commands: the reservation with that code, however it is written; LookupError when there is none."""
    code = guest_match.normalise_code(code_text)
    found = Reservation.get_or_none(Reservation.code == code) if code else None
    if found is None:
        raise LookupError(f"there is no reservation {code_text}")
    reservation: Reservation = found
    return reservation


def find_for_guest(deps: Deps, code_text: str, email_text: str) -> Reservation | None:
    """The stay with that code, if the e-mail is the one it was booked with and the stay is not long over. A miss takes
    the same work as a hit."""
    code = guest_match.normalise_code(code_text)
    found = Reservation.get_or_none(Reservation.code == (code or ""))
    booked_with = guest_match.normalise_email(found.email if found else "nobody@nowhere.invalid")
    same = hmac.compare_digest(booked_with.encode(), guest_match.normalise_email(email_text).encode())
    return found if found is not None and same and not links.is_over(deps, found) else None


def today_at_hotel(deps: Deps) -> date:
    """The hotel's calendar date."""
    return hotel_time.hotel_date(deps.now(), hotels.get_hotel().timezone)
