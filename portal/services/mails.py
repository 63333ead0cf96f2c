"""Mails that have to be written: one row for each cause, in its transaction. `mail_sending` sends them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from portal import prepared
from portal.db import lock, must_be_in_transaction, transaction
from portal.deps import Deps
from portal.domain.guest_match import normalise_email
from portal.models import Alert, Cursor, OutgoingMail, PasswordReset, Reservation, unindexed
from portal.services import hotels, links, payments, throttle

STAFF_ALERTS = "staff_alerts"
PASSWORD_RESET = "password_reset"  # noqa: S105  # a kind of mail, not a secret
KINDS = (
    *("private_link", "payment_received", "attempts_used_up", "hold_ending", "cancelled", "refund_failed"),
    *("money_returned", STAFF_ALERTS, PASSWORD_RESET),
)

WARN_BEFORE = timedelta(hours=2)
SHORTEST_HOLD_TO_WARN = timedelta(hours=3)
"""Who has just booked for a short while knows when it ends."""

STAFF_PAUSE = timedelta(hours=1)
MOST_LINKS = 5


def queue(deps: Deps, kind: str, cause: str, reservation: Reservation, **details: Any) -> None:
    """A mail to the guest, once for this cause. Details are ids, codes and sums; names are read when it is sent."""
    _insert(deps, kind, cause, reservation, reservation.email, reservation.locale, details)


def _insert(
    deps: Deps,
    kind: str,
    cause: str,
    reservation: Reservation | None,
    recipient: str,
    locale: str,
    details: dict[str, Any],
) -> None:
    must_be_in_transaction()
    now = deps.now()
    prepared.insert(
        OutgoingMail,
        unless_there=True,
        kind=kind,
        cause=cause,
        reservation=reservation,
        recipient=recipient,
        locale=locale,
        details=details,
        created_at=now,
        next_try_at=now,
    )


def is_promised(deps: Deps, kind: str, cause: str) -> bool:
    """Whether a page may say that this mail comes: mails are on, it is in the queue, and it has not been given up."""
    if not deps.mail.is_on:
        return False
    mine = (OutgoingMail.kind == kind) & (OutgoingMail.cause == cause)
    return bool(OutgoingMail.select().where(mine & OutgoingMail.given_up_at.is_null()).exists())


# Private links --------------------------------------------------------------------------------------------------------


def queue_link(deps: Deps, reservation: Reservation) -> None:
    """Staff ask for it: one at every word of theirs, in a transaction of its own."""
    with transaction():
        queue(deps, "private_link", f"{reservation.code}:sent {deps.now().isoformat()}", reservation)


def queue_links_for(deps: Deps, email: str) -> None:
    """Somebody asks for the links of an address: one an hour for each of its newest stays that are not over.

    Whether there are any shows neither in the answer nor in the work done: all are read, and something is written."""
    address, hour = normalise_email(email), f"{deps.now():%Y-%m-%dT%H}"
    stays = _stays_of(deps, address)  # before the transaction: the whole list is read, and others want to write
    with transaction():
        welcome = throttle.hit_inside(deps, throttle.LINKS_OF_EMAIL, address)
        for reservation in stays if welcome else ():
            queue(deps, "private_link", f"{reservation.code}:asked {hour}", reservation)


def _stays_of(deps: Deps, address: str) -> Sequence[Reservation]:
    """Compared here and not by the database: the two engines disagree about what capital letters are."""
    since = links.oldest_check_out(deps)
    rows: Any = Reservation.select(Reservation.id, Reservation.email).where(Reservation.check_out >= since).tuples()
    ids = [row_id for row_id, email in rows if normalise_email(email) == address]
    newest = Reservation.select().where(Reservation.id << ids).order_by(Reservation.check_in.desc())
    return list(newest.limit(MOST_LINKS))


# Holds that end soon --------------------------------------------------------------------------------------------------


def queue_hold_warnings(deps: Deps) -> int:
    """Two hours before a hold ends, once for each hold, to guests who still can pay; how many holds were looked at.
    Whether it is still true is looked at again when it is sent."""
    if not deps.mail.is_on:
        return 0
    now, looked_at = deps.now(), 0
    soon = Reservation.select().where(
        (Reservation.status == "pending")
        & (Reservation.total > Reservation.paid)
        & (Reservation.hold_until > now)
        & (Reservation.hold_until <= now + WARN_BEFORE)
    )
    for found in list(soon):
        if found.hold_until - found.created_at < SHORTEST_HOLD_TO_WARN:
            continue
        with transaction():
            reservation = lock(Reservation, found.id)
            if may_warn(reservation, reservation.hold_until, now):
                queue(deps, "hold_ending", hold_cause(reservation), reservation)
        looked_at += 1
    return looked_at


def hold_cause(reservation: Reservation) -> str:
    """Names this hold: a longer one, or one that staff give anew, is another episode."""
    return f"{reservation.code}:{reservation.hold_until.isoformat()}"


def may_warn(reservation: Reservation, until: datetime, now: datetime) -> bool:
    """Unpaid, still this hold, not over, and no payment on its way that must not be doubled."""
    live = payments.find_live(reservation)
    return (
        reservation.status == "pending"
        and reservation.amount_due > 0
        and reservation.hold_until == until
        and until > now
        and (live is None or live.status != "processing")
    )


# Staff ----------------------------------------------------------------------------------------------------------------


def queue_password_reset(deps: Deps, reset: PasswordReset) -> None:
    """To the person it is for, in the transaction that makes it. The link is made when the mail is sent."""
    locale = hotels.get_hotel().locale
    _insert(deps, PASSWORD_RESET, str(reset.id), None, reset.staff.email, locale, {"reset": reset.id})


def queue_staff_alerts(deps: Deps) -> int:
    """One mail to each address of staff with the open alerts that no mail has named yet, at most once an hour; how many
    alerts it names."""
    if not (deps.mail.is_on and deps.settings.staff_mail_to):
        return 0
    now, name = deps.now(), "alerts mailed to staff"
    with transaction():
        Cursor.insert(name=name, value="", updated_at=now - STAFF_PAUSE).on_conflict_ignore().execute()
        mailed = lock(Cursor, name)
        # Not by the highest id so far: an alert with a lower one may be committed after it.
        unnamed = Alert.mailed_at.is_null() & Alert.closed_at.is_null()
        ids = [alert.id for alert in Alert.select(Alert.id).where(unnamed).order_by(unindexed(Alert.id))]
        if not ids or mailed.updated_at > now - STAFF_PAUSE:
            return 0
        locale, cause = hotels.get_hotel().locale, f"{now:%Y-%m-%dT%H}:{ids[-1]}"
        for number, address in enumerate(deps.settings.staff_mail_to):
            _insert(deps, STAFF_ALERTS, f"{cause}:{number}", None, address, locale, {"alerts": ids})
        Alert.update(mailed_at=now).where(Alert.id << ids).execute()
        Cursor.update(updated_at=now).where(Cursor.name == name).execute()
    return len(ids)
