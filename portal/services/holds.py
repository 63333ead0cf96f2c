"""How long a room waits for its money: holds that are over, that staff make longer, or that they give anew."""

from datetime import date, datetime

import structlog

from portal import logs
from portal.db import DatabaseBusy, lock, transaction
from portal.deps import Deps
from portal.domain import hotel_time
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.models import Reservation, RoomNight
from portal.services import audit, checkout_sessions, hotels, nights, payments, state
from portal.services.alerts import raise_alert

log = structlog.get_logger()


class MayNotHold(Exception):
    """`why`: not pending, not expired, past, too late, payment live, arrived, nights taken, changed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def release_overdue_holds(deps: Deps) -> int:
    """Expire pending stays whose hold is over, after asking Stripe; how many. A live payment keeps its nights."""
    overdue = Reservation.select().where((Reservation.status == "pending") & (Reservation.hold_until <= deps.now()))
    return sum(_release_one(deps, reservation) for reservation in list(overdue))


def _release_one(deps: Deps, reservation: Reservation) -> bool:
    """One stay that Stripe cannot answer for, or that is broken, must not stop the others."""
    live = payments.find_live(reservation)
    try:
        if live is not None:
            checkout_sessions.ask(deps, live, cause="hold is over")
        return _release(deps, reservation.id)
    except (StripeUnavailable, StripeRefused):
        return False
    except DatabaseBusy:
        raise
    except Exception as error:
        log.error("hold cannot be released", reservation=reservation.code, **logs.describe(error))
        return False


def _release(deps: Deps, reservation_id: int) -> bool:
    with transaction():
        reservation, now = lock(Reservation, reservation_id), deps.now()
        if reservation.status != "pending" or reservation.hold_until > now or payments.find_live(reservation):
            return False
        if reservation.paid:
            raise_alert(
                "part paid, hold over", f"{reservation.code}:{reservation.hold_until}", now=now, reservation=reservation
            )
            return False
        state.move(reservation, "expired", actor="portal", cause="hold is over", now=now)
        nights.free_nights(reservation)
    log.info("hold released", reservation=reservation.code)
    return True


# What staff do --------------------------------------------------------------------------------------------------------


def extend_hold(deps: Deps, reservation_id: int, until: datetime, *, seen: datetime, actor: str) -> None:
    """A pending stay waits until then, instead of until `seen`, the end that was shown."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        if reservation.hold_until != seen:
            raise MayNotHold("changed")
        if why := why_not_until(deps, reservation, until):
            raise MayNotHold(why)
        Reservation.update(hold_until=until, updated_at=deps.now()).where(Reservation.id == reservation.id).execute()
        audit.note(reservation, actor=actor, cause=f"hold until {until:%Y-%m-%dT%H:%MZ}", now=deps.now())
    log.info("hold extended", reservation=reservation.code)


def why_not_until(deps: Deps, reservation: Reservation, until: datetime) -> str | None:
    """Why a pending stay cannot be held until then, or None."""
    if reservation.status != "pending":
        return "not pending"
    if until <= deps.now():
        return "past"
    if _is_after_stay(reservation, until):
        return "too late"
    live = payments.find_live(reservation)
    return "payment live" if live and live.expires_at and until < live.expires_at else None


def _is_after_stay(reservation: Reservation, until: datetime) -> bool:
    return bool(hotel_time.hotel_date(until, hotels.get_hotel().timezone) > reservation.check_out)


def hold_again(deps: Deps, reservation_id: int, until: datetime, *, actor: str) -> None:
    """An expired stay takes its nights again and waits for its money until then."""
    with transaction():
        reservation = lock(Reservation, reservation_id)
        if why := why_not_again(deps, reservation):
            raise MayNotHold(why)
        if until <= deps.now() or _is_after_stay(reservation, until):
            raise MayNotHold("too late")
        if not nights.take_nights(reservation):
            raise MayNotHold("nights taken")
        state.move(reservation, "pending", actor=actor, cause="held again", now=deps.now(), hold_until=until)
    log.info("held again", reservation=reservation.code)


def why_not_again(deps: Deps, reservation: Reservation) -> str | None:
    """Why an expired stay cannot be held again, or None."""
    if reservation.status != "expired":
        return "not expired"
    if reservation.check_in < hotel_time.hotel_date(deps.now(), hotels.get_hotel().timezone):
        return "arrived"
    return "nights taken" if taken_nights(reservation) else None


def taken_nights(reservation: Reservation) -> list[date]:
    """The nights of this stay that somebody else has by now."""
    rows = RoomNight.select(RoomNight.night).where(
        (RoomNight.room == reservation.room_id)
        & (RoomNight.night >= reservation.check_in)
        & (RoomNight.night < reservation.check_out)
        & (RoomNight.reservation.is_null() | (RoomNight.reservation != reservation.id))
    )
    return [row.night for row in rows.order_by(RoomNight.night)]
