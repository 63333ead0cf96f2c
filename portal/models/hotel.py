"""The house and its rooms."""

import peewee

from portal.models.fields import FrozenJsonField, HotelTimeField, Table, UtcDateTimeField, check


class Hotel(Table):
    """One row. `installation` is a random id that goes into Stripe's metadata, so that portals can share an account."""

    name = peewee.TextField()
    tagline = peewee.TextField(default="")
    legal_name = peewee.TextField(default="")
    vat_number = peewee.TextField(default="")
    address = peewee.TextField(default="")
    city = peewee.TextField(default="")
    phone = peewee.TextField(default="")
    phone_hours = peewee.TextField(default="")
    email = peewee.TextField(default="")
    timezone = peewee.TextField()
    currency = peewee.TextField()
    check_in_from = HotelTimeField(formats=["%H:%M:%S"])
    check_out_until = HotelTimeField(formats=["%H:%M:%S"])
    policy = FrozenJsonField()
    locale = peewee.TextField()
    brand_colour = peewee.TextField(default="")
    logo = peewee.TextField(default="")
    installation = peewee.TextField(unique=True)
    retention_days = peewee.IntegerField(null=True)
    """Days after check-out until a guest's data is forgotten; null: what the installation says."""
    stripe_livemode = peewee.BooleanField(null=True)
    """Which of Stripe's modes this database has been used with; null until the first payment."""

    class Meta:
        constraints = [check("hotel_one_row", "id = 1")]


class Room(Table):
    name = peewee.TextField(unique=True)
    description = peewee.TextField(default="")
    capacity = peewee.IntegerField(default=2)

    class Meta:
        constraints = [check("room_capacity_positive", "capacity > 0")]


class Picture(Table):
    """What the hotel uploaded, in the database so that every web host has it."""

    name = peewee.TextField(primary_key=True)
    media_type = peewee.TextField()
    content = peewee.BlobField()
    content_hash = peewee.TextField()
    updated_at = UtcDateTimeField()
