"""Sign-ins of staff: one row each, so that each can be ended by itself, from any web process, at once."""

import secrets
from datetime import datetime, timedelta

from portal.db import transaction
from portal.deps import Deps
from portal.models import Hotel, PasswordReset, Staff, StaffSession
from portal.prepared import Prepared
from portal.services import health, passwords

LASTS = timedelta(hours=12)
"""A sign-in ends after this, however busy it is."""
IDLE = timedelta(minutes=60)
"""A sign-in ends after this without a click."""
PASSWORD_IS_FRESH = timedelta(minutes=10)
"""Money decisions ask for the password again when it was typed longer ago."""
_NOTE_USE_EVERY = timedelta(minutes=1)


def start(deps: Deps, staff: Staff, *, device: str = "") -> str:
    """A new sign-in of somebody who has proved who they are; its token, of which only a hash is kept."""
    token, now = secrets.token_urlsafe(32), deps.now()
    with transaction():
        StaffSession.create(
            staff=staff,
            token_hash=passwords.hash_token(token),
            created_at=now,
            last_seen_at=now,
            password_at=now,
            expires_at=now + LASTS,
            device=device[:200],
        )
    return token


_BY_TOKEN: Prepared[StaffSession] = Prepared(
    lambda token_hash: (
        StaffSession.select(StaffSession, Staff, Hotel, *health.select_signs())
        .join(Staff)
        .join_from(StaffSession, Hotel, on=Hotel.id == 1, attr="hotel")
        .where((StaffSession.token_hash == token_hash) & StaffSession.ended_at.is_null())
    )
)
"""Every page of the staff begins with this: the sign-in, its person, the house and what needs attention in one go."""


def find(deps: Deps, token: str) -> StaffSession | None:
    """The sign-in that this token belongs to, with its person, if it still holds; its use is noted once a minute."""
    now = deps.now()
    found = _BY_TOKEN.first(passwords.hash_token(token))
    if found is None or not _holds(found, now):
        return None
    if found.last_seen_at <= now - _NOTE_USE_EVERY:
        with transaction():
            StaffSession.update(last_seen_at=now).where(StaffSession.id == found.id).execute()
    return found


def forget_old(deps: Deps) -> int:
    """Delete sign-ins, and links for a new password, that ended more than 30 days ago; how many."""
    before = deps.now() - timedelta(days=30)
    with transaction():
        sessions = StaffSession.delete().where(StaffSession.expires_at < before).execute()
        return int(sessions + PasswordReset.delete().where(PasswordReset.expires_at < before).execute())


def _holds(found: StaffSession, now: datetime) -> bool:
    return found.expires_at > now and found.last_seen_at > now - IDLE and found.staff.disabled_at is None


def has_fresh_password(deps: Deps, session: StaffSession) -> bool:
    """Whether the password was typed in the last ten minutes."""
    return bool(session.password_at > deps.now() - PASSWORD_IS_FRESH)


def note_password(deps: Deps, session: StaffSession) -> None:
    """The password was just typed again, and was right."""
    with transaction():
        StaffSession.update(password_at=deps.now()).where(StaffSession.id == session.id).execute()


def end(deps: Deps, session_id: int, *, of: Staff) -> bool:
    """End one sign-in of this person; False when there is none such."""
    with transaction():
        ended = (
            StaffSession.update(ended_at=deps.now())
            .where((StaffSession.id == session_id) & (StaffSession.staff == of.id) & StaffSession.ended_at.is_null())
            .execute()
        )
    return bool(ended)


def end_all(deps: Deps, staff: Staff, *, but: int | None = None) -> int:
    """End every sign-in of this person, but perhaps the present one; how many. In the caller's transaction or none."""
    mine = (StaffSession.staff == staff.id) & StaffSession.ended_at.is_null()
    if but is not None:
        mine &= StaffSession.id != but
    return int(StaffSession.update(ended_at=deps.now()).where(mine).execute())


def open_sessions(deps: Deps, staff: Staff) -> list[StaffSession]:
    """This person's sign-ins that still hold, the last used first."""
    rows = (
        StaffSession.select(StaffSession, Staff)
        .join(Staff)
        .where((StaffSession.staff == staff.id) & StaffSession.ended_at.is_null())
        .order_by(StaffSession.last_seen_at.desc(), StaffSession.id.desc())
    )
    return [row for row in rows if _holds(row, deps.now())]
