"""Who calls the API: a program of the hotel's with its token, or a guest with the token of a private link."""

from dataclasses import dataclass

from flask import request

from portal.api import refusals
from portal.deps import Deps
from portal.domain.guest_match import normalise_code
from portal.models import Payment, Reservation
from portal.services import api_tokens, links, throttle
from portal.services.throttle import Limit
from portal.web.context import visitor_address
from portal.web.security_log import note_foreign_id


@dataclass(frozen=True)
class Caller:
    """`name` stands in the audit log and owns idempotency keys. A guest's token is good for `stay` alone."""

    name: str
    scopes: tuple[str, ...] = ()
    stay: Reservation | None = None

    @property
    def is_guest(self) -> bool:
        return self.stay is not None

    @property
    def actor(self) -> str:
        """As services know who acts."""
        return "guest" if self.is_guest else self.name

    @property
    def limit(self) -> Limit:
        return throttle.CALLS_OF_GUEST if self.is_guest else throttle.CALLS_OF_TOKEN


def current_caller(deps: Deps) -> Caller:
    """ApiRefusal: 401 for whatever is no valid token, 429 for too many of those or too many calls."""
    caller = _find(deps, _token())
    if caller is None:
        address = throttle.subject_of_address(visitor_address())
        if not throttle.hit(deps, throttle.BAD_TOKENS_OF_ADDRESS, address):
            raise refusals.too_many("tokens that are not valid", 900)
        raise refusals.bad_token()
    if not throttle.hit(deps, caller.limit, caller.name):
        raise refusals.too_many("calls with this token", 60)
    return caller


def _token() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _find(deps: Deps, token: str) -> Caller | None:
    """Both kinds are looked for, so that every miss takes the same work."""
    of_hotel, stay = api_tokens.find_token(deps, token), links.find_by_token(deps, token)
    if of_hotel is not None:
        return Caller(api_tokens.actor_of(of_hotel), tuple(of_hotel.scopes))
    return Caller(f"guest {stay.code}", stay=stay) if stay is not None else None


def check_scope(caller: Caller, scope: str, *, guests: bool) -> None:
    """ApiRefusal (403) unless the caller may do such things at all."""
    if caller.is_guest and not guests:
        raise refusals.not_allowed("A guest's token cannot do this.", "Use a token of the hotel.")
    if not caller.is_guest and scope not in caller.scopes:
        raise refusals.not_allowed(
            f"This token is not good for {scope}.", "A manager can make one that is, under Settings, Tokens."
        )


def find_reservation(caller: Caller, code_text: str) -> Reservation:
    """The reservation with that code, if the caller may use it; otherwise ApiRefusal. To a guest's token all others are
    alike, known or not."""
    code = normalise_code(code_text)
    if caller.stay is not None:
        if code != caller.stay.code:
            note_foreign_id("reservation")
            raise refusals.not_yours()
        return caller.stay
    found: Reservation | None = Reservation.get_or_none(Reservation.code == code) if code else None
    if found is None:
        raise refusals.no_such_reservation()
    return found


def find_payment(caller: Caller, public_id: str) -> Payment:
    """The same for a payment."""
    found: Payment | None = Payment.get_or_none(Payment.public_id == public_id.upper())
    if caller.stay is not None and (found is None or found.reservation_id != caller.stay.id):
        note_foreign_id("payment")
        raise refusals.not_yours()
    if found is None:
        raise refusals.no_such_payment()
    return found
