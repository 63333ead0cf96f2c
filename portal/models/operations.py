"""What keeps several processes out of each other's way."""

import peewee

from portal.models.fields import Table, UtcDateTimeField


class RateBucket(Table):
    """Hits of one subject (a hash) in one window of time; shared by all web processes."""

    key = peewee.TextField()
    window_start = UtcDateTimeField()
    hits = peewee.IntegerField()


RateBucket.add_index(RateBucket.index(RateBucket.key, RateBucket.window_start, unique=True, name="rate_bucket_once"))


class Lease(Table):
    """Whose turn a job is, and until when; a worker that dies simply lets it run out."""

    name = peewee.TextField(primary_key=True)
    owner = peewee.TextField(default="")
    until = UtcDateTimeField()


class Cursor(Table):
    """How far a job that reads a long list has come."""

    name = peewee.TextField(primary_key=True)
    value = peewee.TextField()
    updated_at = UtcDateTimeField()
