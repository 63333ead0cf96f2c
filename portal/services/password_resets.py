"""Choosing a new password by a link in a mail: good for an hour, and once. The second factor is asked all the same."""

import hashlib
from datetime import timedelta

from itsdangerous import BadData, URLSafeSerializer

from portal import errors
from portal.db import transaction
from portal.deps import Deps
from portal.errors import Refusal
from portal.models import PasswordReset, Staff
from portal.services import mails, passwords, staff_accounts, throttle, tries

LASTS = timedelta(hours=1)
_LONGEST_TOKEN = 300
_SALT = "password-reset"


def ask(deps: Deps, email: str, *, address: str) -> None:
    """Mail a link to the person with this e-mail, if there is one who may sign in; nothing shows whether there is.
    Refusal when this address asks too often."""
    if not throttle.hit(deps, tries.RESETS_OF_ADDRESS, throttle.subject_of_address(address)):
        raise Refusal(errors.TOO_MANY_SIGN_INS)
    email = staff_accounts.normal_email(email)
    nonce = hashlib.sha256(passwords.new_token().encode()).hexdigest()
    with transaction():
        welcome = throttle.hit_inside(deps, tries.RESETS_OF_ACCOUNT, email)
        person = Staff.get_or_none((Staff.email == email) & Staff.disabled_at.is_null())
        if person is not None and welcome:
            reset = PasswordReset.create(staff=person, token_hash=nonce, expires_at=deps.now() + LASTS)
            mails.queue_password_reset(deps, reset)


def make_link(deps: Deps, reset: PasswordReset) -> str:
    """Signed with the secret key: who reads the database, or a mail that waits in it, cannot make it."""
    token = _serializer(deps).dumps([reset.id, reset.token_hash])
    return f"{deps.settings.public_base_url}/staff/reset/{token}"


def find(deps: Deps, token: str) -> PasswordReset | None:
    """The reset that a link is good for now, with its person; None for one that is garbled, used or too old."""
    try:
        reset_id, nonce = _serializer(deps).loads(token) if len(token) <= _LONGEST_TOKEN else (0, "")
    except (BadData, ValueError, TypeError):
        return None
    query = PasswordReset.select(PasswordReset, Staff).join(Staff)
    found: PasswordReset | None = query.where(
        (PasswordReset.id == reset_id) & (PasswordReset.token_hash == nonce)
    ).first()
    return found if found is not None and still_holds(deps, found) else None


def still_holds(deps: Deps, reset: PasswordReset) -> bool:
    return reset.used_at is None and reset.expires_at > deps.now() and reset.staff.disabled_at is None


def use(deps: Deps, reset: PasswordReset, password: str) -> bool:
    """The new password; every sign-in of this person ends. False when the link was used at the same moment."""
    new_hash, now = passwords.hash_password(password), deps.now()
    with transaction():
        unused = (PasswordReset.id == reset.id) & PasswordReset.used_at.is_null() & (PasswordReset.expires_at > now)
        if not PasswordReset.update(used_at=now).where(unused).execute():
            return False
        staff_accounts.set_password(deps, reset.staff, new_hash, must_change=False)
        staff_accounts.note(deps, reset.staff, "password reset by mail", actor=f"staff {reset.staff.id}")
    return True


def _serializer(deps: Deps) -> URLSafeSerializer:
    # The library signs with the last key and accepts all; ours signs with the first.
    return URLSafeSerializer(list(reversed(deps.settings.secret_keys)), salt=_SALT)
