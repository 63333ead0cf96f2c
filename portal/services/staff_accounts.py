"""People who work at the hotel: adding and changing them, and whether somebody is who they say."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Any

import peewee
from email_validator import EmailNotValidError, validate_email

from portal.db import is_postgres, lock, must_be_in_transaction, transaction
from portal.deps import Deps
from portal.errors import N_
from portal.models import PasswordReset, Staff
from portal.services import audit, passwords, second_factor, staff_sessions, tries
from portal.services.new_reservation import text_problem

ROLES = ("manager", "reception")
LONGEST_NAME = 100
LONGEST_EMAIL = 254


class BadStaff(Exception):
    """Somebody cannot be added or changed like this: {field: why not}."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(f"{field}: {problem}" for field, problem in problems.items()))
        self.problems = problems


class LastManager(Exception):
    """Nobody would be left who could change anything: the last manager who can sign in stays one."""


# Finding --------------------------------------------------------------------------------------------------------------


def list_staff() -> list[Staff]:
    """Everybody, those who cannot sign in any more last."""
    return list(Staff.select().order_by(Staff.disabled_at.is_null(False), Staff.email))


def get_by_email(email: str) -> Staff:
    """LookupError when nobody has this address."""
    found: Staff | None = Staff.get_or_none(Staff.email == normal_email(email))
    if found is None:
        raise LookupError(f"Nobody here has the e-mail {email}.")
    return found


def normal_email(email: str) -> str:
    return "".join(email.replace("\x00", "").split()).casefold()[:LONGEST_EMAIL]


# Who somebody is ------------------------------------------------------------------------------------------------------


def check_password(deps: Deps, email: str, password: str, *, address: str) -> Staff | None:
    """The person with this e-mail and password. One answer, and the same work, for people who do not exist, who are
    disabled, and for wrong passwords. Refusal past the limits, also for the right password."""
    email = normal_email(email)
    counted = tries.count_password(deps, email, address)
    found: Staff | None = Staff.get_or_none((Staff.email == email) & Staff.disabled_at.is_null())
    if not passwords.is_right(found.password_hash if found else None, password) or found is None:
        return None
    tries.forgive(deps, counted)
    return _hash_again(found, password) if passwords.is_outdated(found.password_hash) else found


def check_password_again(deps: Deps, person: Staff, password: str, *, address: str) -> bool:
    """Whether somebody who is signed in typed the right password; misses count towards the limits of sign-ins, and past
    them not even the right one is taken (Refusal)."""
    counted = tries.count_password(deps, person.email, address)
    right = passwords.is_right(person.password_hash, password)
    if right:
        tries.forgive(deps, counted)
    return right


def stamp(deps: Deps, person: Staff) -> str:
    """Names the present password and second factor of somebody, and tells nothing of them: changed with either."""
    text = "\0".join(("stamp", str(person.id), person.password_hash, person.totp_secret or ""))
    return hmac.new(deps.settings.secret_keys[0].encode(), text.encode(), hashlib.sha256).hexdigest()


def find_stamped(deps: Deps, staff_id: object, wanted: object) -> Staff | None:
    """The person of a stamp, while it still holds and they may sign in."""
    if not isinstance(staff_id, int) or not isinstance(wanted, str):
        return None
    found: Staff | None = Staff.get_or_none((Staff.id == staff_id) & Staff.disabled_at.is_null())
    return found if found and hmac.compare_digest(stamp(deps, found), wanted) else None


def _hash_again(person: Staff, password: str) -> Staff:
    """With today's costs, if nobody has changed the password meanwhile; it is the same password."""
    new_hash = passwords.hash_password(password)
    with transaction():
        same = (Staff.id == person.id) & (Staff.password_hash == person.password_hash)
        Staff.update(password_hash=new_hash).where(same).execute()
    again: Staff = Staff.get_by_id(person.id)
    return again


# Passwords ------------------------------------------------------------------------------------------------------------


def change_password(deps: Deps, person: Staff, new: str, *, but: int | None) -> bool:
    """Their own new password. Every sign-in ends but perhaps the present one, and links to choose a password are void.
    False when it was changed by somebody else in the meantime."""
    new_hash = passwords.hash_password(new)
    with transaction():
        if lock(Staff, person.id).password_hash != person.password_hash:
            return False
        set_password(deps, person, new_hash, must_change=False, but=but)
        note(deps, person, "password changed", actor=f"staff {person.id}")
    return True


def set_password(deps: Deps, person: Staff, new_hash: str, *, must_change: bool, but: int | None = None) -> None:
    """Whoever knew the old one is out. In the caller's transaction."""
    must_be_in_transaction()
    now = deps.now()
    Staff.update(password_hash=new_hash, password_changed_at=now, must_change_password=must_change).where(
        Staff.id == person.id
    ).execute()
    open_links = (PasswordReset.staff == person.id) & PasswordReset.used_at.is_null()
    PasswordReset.update(used_at=now).where(open_links).execute()
    staff_sessions.end_all(deps, person, but=but)


# People, by managers and by commands ----------------------------------------------------------------------------------


def add_staff(
    deps: Deps,
    email: str,
    *,
    role: str,
    name: str = "",
    password: str,
    must_change: bool = True,
    actor: str = "command line",
) -> Staff:
    """Somebody new, who enrols a second factor at the first sign-in. BadStaff names what is wrong."""
    values = {"email": normal_email(email), "name": " ".join(name.split()), "role": role}
    _check(values)
    now, password_hash = deps.now(), passwords.hash_password(password)
    try:
        with transaction():
            person: Staff = Staff.create(
                **values,
                password_hash=password_hash,
                password_changed_at=now,
                must_change_password=must_change,
                created_at=now,
            )
            note(deps, person, "added", actor=actor, before=None)
    except peewee.IntegrityError as error:
        raise BadStaff({"email": N_("Somebody here has this e-mail already.")}) from error
    return person


def change(deps: Deps, staff_id: int, *, name: str, role: str, actor: str) -> list[str]:
    """The names of what changed. BadStaff names what is wrong; LastManager."""
    values = {"name": " ".join(name.split()), "role": role}
    _check(values)
    with transaction():
        person = _lock_person(staff_id, loses_a_manager=role != "manager")
        changed = [field for field, value in values.items() if getattr(person, field) != value]
        if not changed:
            return []
        Staff.update(**values).where(Staff.id == staff_id).execute()
        if "role" in changed:
            before, person.role = _state(person), role
            note(deps, person, "role changed", actor=actor, before=before)
    return changed


def disable(deps: Deps, staff_id: int, *, actor: str) -> bool:
    """They cannot sign in any more, and their sign-ins end now. LastManager. False: they could not before either."""
    with transaction():
        person = _lock_person(staff_id, loses_a_manager=True)
        if person.disabled_at is not None:
            return False
        before, person.disabled_at = _state(person), deps.now()
        Staff.update(disabled_at=person.disabled_at).where(Staff.id == staff_id).execute()
        open_links = (PasswordReset.staff == staff_id) & PasswordReset.used_at.is_null()
        PasswordReset.update(used_at=deps.now()).where(open_links).execute()
        staff_sessions.end_all(deps, person)
        note(deps, person, "disabled", actor=actor, before=before)
    return True


def enable(deps: Deps, staff_id: int, *, actor: str) -> bool:
    """They may sign in again, with the password and the second factor they had. False: they may already."""
    with transaction():
        person = lock(Staff, staff_id)
        if person.disabled_at is None:
            return False
        before, person.disabled_at = _state(person), None
        Staff.update(disabled_at=None).where(Staff.id == staff_id).execute()
        note(deps, person, "enabled", actor=actor, before=before)
    return True


def reset_password(deps: Deps, staff_id: int, *, actor: str) -> str:
    """A new first password, to be handed over and then changed. Their sign-ins end now."""
    password = passwords.new_password()
    new_hash = passwords.hash_password(password)
    _reset(deps, staff_id, "password reset", actor, lambda p: set_password(deps, p, new_hash, must_change=True))
    return password


def reset_second_factor(deps: Deps, staff_id: int, *, actor: str) -> None:
    """They enrol anew at the next sign-in. Their sign-ins end now."""

    def forget(person: Staff) -> None:
        second_factor.forget(person)
        staff_sessions.end_all(deps, person)

    _reset(deps, staff_id, "second factor reset", actor, forget)


def _reset(deps: Deps, staff_id: int, cause: str, actor: str, work: Callable[[Staff], None]) -> None:
    with transaction():
        person = lock(Staff, staff_id)
        work(person)
        note(deps, person, cause, actor=actor)


def _lock_person(staff_id: int, *, loses_a_manager: bool) -> Staff:
    """The person under lock. Two managers who disable each other at the same moment wait for each other here."""
    must_be_in_transaction()
    if loses_a_manager:
        managers = Staff.select().where((Staff.role == "manager") & Staff.disabled_at.is_null()).order_by(Staff.id)
        ids = [row.id for row in (managers.for_update() if is_postgres() else managers)]
        if ids == [staff_id]:
            raise LastManager
    return lock(Staff, staff_id)


def _check(values: dict[str, str]) -> None:
    problems: dict[str, str] = {}
    if "email" in values and not _is_email(values["email"]):
        problems["email"] = N_("This is not an e-mail address.")
    if len(values["name"]) > LONGEST_NAME or text_problem(values["name"]):
        problems["name"] = N_("Use at most 100 letters that can be printed.")
    if values["role"] not in ROLES:
        problems["role"] = N_("Choose manager or reception.")
    if problems:
        raise BadStaff(problems)


def _is_email(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return text_problem(text) is None


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """ "staff 3" → the person's name, as pages show it; the rows hold the number alone. One statement at most."""
    numbers = {actor.removeprefix("staff ") for actor in actors if actor.startswith("staff ")}
    ids = [int(number) for number in numbers if number.isdecimal() and len(number) < 10]
    return {f"staff {p.id}": p.name or p.email for p in Staff.select().where(Staff.id << ids)} if ids else {}


_SAME: Any = object()


def note(deps: Deps, person: Staff, cause: str, *, actor: str, before: str | None = _SAME) -> None:
    """One line of the audit log about somebody, in the caller's transaction: their number, and no personal data."""
    now_is = _state(person)
    was = now_is if before is _SAME else before
    audit.write("staff", person.id, from_state=was, to_state=now_is, actor=actor, cause=cause, now=deps.now())


def _state(person: Staff) -> str:
    return "disabled" if person.disabled_at is not None else str(person.role)
