"""The second factor of sign-ins: codes from an app (TOTP), and recovery codes for the day that the phone is lost."""

import base64
import hashlib
import hmac
import re

import pyotp

from portal.db import lock, must_be_in_transaction, transaction
from portal.deps import Deps
from portal.models import RecoveryCode, Staff
from portal.services import passwords, tries

RECOVERY_CODES = 10
SECONDS = 30
"""How long a code is shown; the one before and the one after are taken too, for phones whose clock is a little off."""


def key_from(deps: Deps, person: Staff, nonce: str) -> str:
    """The key that this person is shown while enrolling: made from a random nonce, so that no cookie holds the key."""
    text = f"second factor\0{person.id}\0{nonce}".encode()
    return base64.b32encode(
        hmac.new(deps.settings.secret_keys[0].encode(), text, hashlib.sha256).digest()[:20]
    ).decode()


def address_of(key: str, person: Staff, hotel_name: str) -> str:
    """What the QR code says: otpauth://…"""
    return pyotp.TOTP(key).provisioning_uri(name=person.email, issuer_name=hotel_name)


def matching_step(deps: Deps, key: str, code: str, *, later_than: int | None = None) -> int | None:
    """The half-minute that a code belongs to, if it is this one or a neighbour of it, and later than the last used."""
    if not looks_like_app_code(code):
        return None
    digits, now = re.sub(r"\s", "", code), int(deps.now().timestamp()) // SECONDS
    steps = [step for step in (now - 1, now, now + 1) if later_than is None or step > later_than]
    totp = pyotp.TOTP(key)
    return next((s for s in steps if hmac.compare_digest(totp.generate_otp(s), digits)), None)


def enrol(deps: Deps, person: Staff, key: str, code: str, *, address: str) -> list[str] | None:
    """Store the key of somebody who has none, proved by a code; the recovery codes, which nobody can read again. None:
    the code is wrong, or somebody else enrolled meanwhile. Refusal past the limits."""
    counted = tries.count_code(deps, person.id, address)
    step = matching_step(deps, key, code)
    if step is None:
        return None
    tries.forgive(deps, counted)
    return store(person, key, step=step)


def store(person: Staff, key: str, *, step: int | None = None, codes: int = RECOVERY_CODES) -> list[str] | None:
    """The key for good, with new recovery codes; None when there is one already."""
    with transaction():
        nobody_else = (Staff.id == person.id) & Staff.totp_secret.is_null() & Staff.disabled_at.is_null()
        if not Staff.update(totp_secret=key, totp_last_step=step).where(nobody_else).execute():
            return None
        return _replace_recovery_codes(person, codes)


def is_right(deps: Deps, person: Staff, code: str, *, address: str) -> bool:
    """Whether a code from the app, or a recovery code, lets this person in. It is used up by that, also when two
    come at the same moment. Refusal past the limits."""
    counted = tries.count_code(deps, person.id, address)
    right = _use_code(deps, person, code) or _use_recovery_code(deps, person, code)
    if right:
        tries.forgive(deps, counted)
    return right


def new_recovery_codes(person: Staff) -> list[str]:
    """Ten new ones; the old ones are good for nothing from now on."""
    with transaction():
        lock(Staff, person.id)  # two at the same moment would leave twenty
        return _replace_recovery_codes(person, RECOVERY_CODES)


def recovery_codes_left(person: Staff) -> int:
    mine = (RecoveryCode.staff == person.id) & RecoveryCode.used_at.is_null()
    return int(RecoveryCode.select().where(mine).count())


def forget(person: Staff) -> None:
    """No key and no recovery codes: the next sign-in enrols anew. In the caller's transaction."""
    must_be_in_transaction()
    Staff.update(totp_secret=None, totp_last_step=None).where(Staff.id == person.id).execute()
    RecoveryCode.delete().where(RecoveryCode.staff == person.id).execute()


def looks_like_app_code(code: str) -> bool:
    """Six digits; recovery codes are longer."""
    digits = re.sub(r"\s", "", code)
    return len(digits) == 6 and digits.isascii() and digits.isdigit()


def _use_code(deps: Deps, person: Staff, code: str) -> bool:
    if person.totp_secret is None:
        return False
    step = matching_step(deps, person.totp_secret, code, later_than=person.totp_last_step)
    if step is None:
        return False
    with transaction():
        not_used_yet = Staff.totp_last_step.is_null() | (Staff.totp_last_step < step)
        same_key = (Staff.id == person.id) & (Staff.totp_secret == person.totp_secret)
        return bool(Staff.update(totp_last_step=step).where(same_key & not_used_yet).execute())


def _use_recovery_code(deps: Deps, person: Staff, code: str) -> bool:
    letters = re.sub(r"[^a-z0-9]", "", code.casefold())
    if len(letters) != 16:
        return False
    mine = (RecoveryCode.staff == person.id) & (RecoveryCode.code_hash == passwords.hash_token(letters))
    with transaction():
        unused = mine & RecoveryCode.used_at.is_null()
        return bool(RecoveryCode.update(used_at=deps.now()).where(unused).execute())


def _replace_recovery_codes(person: Staff, many: int) -> list[str]:
    must_be_in_transaction()
    codes = [passwords.new_recovery_code() for _ in range(many)]
    RecoveryCode.delete().where(RecoveryCode.staff == person.id).execute()
    RecoveryCode.insert_many(
        [{"staff": person.id, "code_hash": passwords.hash_token(code.replace("-", ""))} for code in codes]
    ).execute()
    return codes
