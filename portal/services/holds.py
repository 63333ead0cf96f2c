"""Holds that are over: the nights are given back, but never while money may still come."""

import structlog

from portal import logs
from portal.db import DatabaseBusy, lock, transaction
from portal.deps import Deps
from portal.gateways.stripe_gateway import StripeRefused, StripeUnavailable
from portal.models import Reservation
from portal.services import checkout_sessions, nights, payments, state
from portal.services.alerts import raise_alert

log = structlog.get_logger()


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
