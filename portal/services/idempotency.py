"""A POST with an `Idempotency-Key` is done once: its answer is kept and given again to whoever repeats it.
How long answers are kept, `forgetting` decides; then a key may be used again."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from portal.db import must_be_in_transaction, transaction
from portal.deps import Deps
from portal.models import ApiAnswer

LONGEST_REQUEST = timedelta(minutes=2)
"""No request takes longer: whoever began an answer that long ago has died."""


class KeyUsedOtherwise(Exception):
    """The key came with another request before."""


class KeyInUse(Exception):
    """The first request with this key is still being done."""


@dataclass(frozen=True)
class StoredAnswer:
    """`body` is JSON as it was sent the first time."""

    status: int
    body: str


@dataclass
class Claim:
    """The right to do one request. `effect` names what an earlier try has already done before it died: do not do it
    again, but tell of it."""

    row_id: int | None = None
    effect: str | None = None

    def note(self, effect: str) -> None:
        """In the transaction that does what was asked for: its outcome (a code, an id) stands or falls with it."""
        must_be_in_transaction()
        self.effect = effect
        if self.row_id is not None:
            ApiAnswer.update(effect=effect).where(ApiAnswer.id == self.row_id).execute()


def claim(deps: Deps, owner: str, key: str, request: bytes) -> Claim | StoredAnswer:
    """The right to do `request`, or the answer that it got before. `owner` is whoever the key belongs to.
    KeyUsedOtherwise, KeyInUse."""
    digest = hashlib.sha256(request).hexdigest()
    with transaction():
        is_new = _insert(deps, owner, key, digest)
        row = ApiAnswer.get((ApiAnswer.token == owner) & (ApiAnswer.key == key))
        if is_new:
            return Claim(row.id)
        if row.body_hash != digest:
            raise KeyUsedOtherwise
        if row.status is not None:
            return StoredAnswer(row.status, row.body or "{}")
        return _take_over(deps, row)


def _insert(deps: Deps, owner: str, key: str, digest: str) -> bool:
    insert = ApiAnswer.insert(token=owner, key=key, body_hash=digest, created_at=deps.now())
    return bool(insert.on_conflict_ignore().as_rowcount().execute())


def _take_over(deps: Deps, row: ApiAnswer) -> Claim:
    """From one that has died; the guarded update lets one of several do it."""
    if row.created_at > deps.now() - LONGEST_REQUEST:
        raise KeyInUse
    mine = (ApiAnswer.id == row.id) & (ApiAnswer.created_at == row.created_at) & ApiAnswer.status.is_null()
    if not ApiAnswer.update(created_at=deps.now()).where(mine).execute():
        raise KeyInUse
    return Claim(row.id, row.effect)


def store(held: Claim, answer: StoredAnswer) -> None:
    """From now on the key gives this answer."""
    if held.row_id is not None:
        with transaction():
            mine = ApiAnswer.id == held.row_id
            ApiAnswer.update(status=answer.status, body=answer.body).where(mine).execute()


def release(deps: Deps, held: Claim) -> None:
    """Nothing was done, so the same key may try again; where something was done, the row goes on saying what."""
    if held.row_id is not None:
        with transaction():
            mine = ApiAnswer.id == held.row_id
            ApiAnswer.delete().where(mine & ApiAnswer.effect.is_null()).execute()
            ApiAnswer.update(created_at=deps.now() - LONGEST_REQUEST).where(mine).execute()
