"""Tokens for programs that use the JSON API. Only hashes are kept: a token is read once, when it is made."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import peewee

from portal.db import transaction
from portal.deps import Deps
from portal.models import ApiToken
from portal.services import audit, passwords

SCOPES = ("reservations", "payments")
"""What a token may be good for."""

LONGEST_NAME = 80
USE_IS_NOTED_EVERY = timedelta(minutes=1)

_ACTOR = "api token "

_PREFIX = "portal_"
"""Programs that look for lost secrets find ours by it."""


class BadToken(Exception):
    """Why there can be no such token, in one sentence."""


def add_token(deps: Deps, name: str, scopes: Sequence[str] = SCOPES, *, actor: str = "command line") -> str:
    """A new token, which nobody can read again. BadToken: the name is taken or cannot be one, or a scope is unknown."""
    name = " ".join(name.split())
    _check(name, scopes)
    token = _PREFIX + passwords.new_token()
    try:
        with transaction():
            made = ApiToken.create(
                name=name,
                token_hash=passwords.hash_token(token),
                scopes=[scope for scope in SCOPES if scope in scopes],
                created_at=deps.now(),
            )
            _note(deps, made.id, "added", actor)
    except peewee.IntegrityError as error:
        raise BadToken("A token of that name exists. Choose another name.") from error
    return token


def find_token(deps: Deps, token: str) -> ApiToken | None:
    """The one that opens something now; None for one that is made up or was revoked. Its last use is written down."""
    found: ApiToken | None = ApiToken.get_or_none(ApiToken.token_hash == passwords.hash_token(token))
    if found is None or found.revoked_at is not None:
        return None
    if found.last_used_at is None or found.last_used_at < deps.now() - USE_IS_NOTED_EVERY:
        with transaction():
            ApiToken.update(last_used_at=deps.now()).where(ApiToken.id == found.id).execute()
    return found


def list_tokens() -> list[ApiToken]:
    """All of them, also those that were revoked, the newest first."""
    return list(ApiToken.select().order_by(ApiToken.id.desc()))


def actor_of(token: ApiToken) -> str:
    """As the audit log names the program that uses it."""
    return f"{_ACTOR}{token.id}"


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """ "api token 3" → the token's name. One statement at most."""
    numbers = {actor.removeprefix(_ACTOR) for actor in actors if actor.startswith(_ACTOR)}
    ids = [int(number) for number in numbers if number.isdecimal() and len(number) < 10]
    return {actor_of(token): token.name for token in ApiToken.select().where(ApiToken.id << ids)} if ids else {}


def revoke_token(deps: Deps, token_id: int, *, actor: str = "command line") -> bool:
    """From now on it opens nothing; False when there is none such, or it was revoked before."""
    with transaction():
        mine = (ApiToken.id == token_id) & ApiToken.revoked_at.is_null()
        revoked = bool(ApiToken.update(revoked_at=deps.now()).where(mine).execute())
        if revoked:
            _note(deps, token_id, "revoked", actor)
    return revoked


def _check(name: str, scopes: Sequence[str]) -> None:
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadToken(f"A token needs a name of at most {LONGEST_NAME} letters that can be printed.")
    if not scopes or set(scopes) - set(SCOPES):
        raise BadToken(f"The scopes of a token are some of: {', '.join(SCOPES)}.")


def _note(deps: Deps, token_id: int, state: str, actor: str) -> None:
    audit.write("api token", token_id, to_state=state, actor=actor, cause=state, now=deps.now())
