"""People who work at the hotel, how they sign in, and what they write down."""

import peewee

from portal.models.fields import FrozenJsonField, Table, UtcDateTimeField, one_of
from portal.models.reservation import Reservation


class Staff(Table):
    email = peewee.TextField(unique=True)
    name = peewee.TextField(default="")
    role = peewee.TextField()
    password_hash = peewee.TextField()
    password_changed_at = UtcDateTimeField()
    must_change_password = peewee.BooleanField(default=False)
    """The password was made by a command, so whoever ran it has read it."""
    totp_secret = peewee.TextField(null=True)
    totp_last_step = peewee.BigIntegerField(null=True)
    """The last code that was used, so that none is taken twice."""
    created_at = UtcDateTimeField()
    disabled_at = UtcDateTimeField(null=True)

    class Meta:
        constraints = [one_of("staff_role", "role", ("manager", "reception"))]


class StaffSession(Table):
    """A sign-in that can be ended one by one; only a hash of its token is kept."""

    staff = peewee.ForeignKeyField(Staff, backref="sessions")
    token_hash = peewee.TextField(unique=True)
    created_at = UtcDateTimeField()
    last_seen_at = UtcDateTimeField()
    password_at = UtcDateTimeField()
    expires_at = UtcDateTimeField()
    ended_at = UtcDateTimeField(null=True)
    device = peewee.TextField(default="")


class RecoveryCode(Table):
    staff = peewee.ForeignKeyField(Staff, backref="recovery_codes")
    code_hash = peewee.TextField(unique=True)
    used_at = UtcDateTimeField(null=True)


class PasswordReset(Table):
    staff = peewee.ForeignKeyField(Staff, backref="password_resets")
    token_hash = peewee.TextField(unique=True)
    expires_at = UtcDateTimeField()
    used_at = UtcDateTimeField(null=True)


class ApiToken(Table):
    name = peewee.TextField(unique=True)
    token_hash = peewee.TextField(unique=True)
    scopes = FrozenJsonField(default=list)
    created_at = UtcDateTimeField()
    last_used_at = UtcDateTimeField(null=True)
    revoked_at = UtcDateTimeField(null=True)


class ApiAnswer(Table):
    """The answer to a request with an idempotency key, to be given again."""

    token = peewee.TextField()
    key = peewee.TextField()
    body_hash = peewee.TextField()
    effect = peewee.TextField(null=True)
    """What was done (a code, a public id), written in the same transaction: a try that died is not done twice."""
    status = peewee.IntegerField(null=True)
    body = peewee.TextField(null=True)
    created_at = UtcDateTimeField()


ApiAnswer.add_index(ApiAnswer.index(ApiAnswer.token, ApiAnswer.key, unique=True, name="api_answer_once"))
ApiAnswer.add_index(ApiAnswer.index(ApiAnswer.created_at, name="api_answer_created_at"))


class Note(Table):
    """What staff write down about a stay; guests never see it."""

    reservation = peewee.ForeignKeyField(Reservation, backref="notes")
    staff = peewee.ForeignKeyField(Staff, backref="notes")
    text = peewee.TextField()
    created_at = UtcDateTimeField()
