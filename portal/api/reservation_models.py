"""Requests and answers about reservations."""

from typing import Annotated, Literal

from pydantic import Field

from portal.api.model import MOST, Code, Day, Instant, Minor, Model, example
from portal.api.words import RefundStatus
from portal.services.new_reservation import LONGEST_TEXT

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
ReservationStatus = Literal["pending", "confirmed", "cancelled", "expired"]


class NewLine(Model):
    """One line of the price."""

    label: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    amount: Annotated[int, Field(ge=-MOST, le=MOST, description="Minor units of the hotel's currency (cents).")]
    detail: Text = ""
    vat_percent: Annotated[
        str | None, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3})?$", description="Such as 6 or 5.5.")
    ] = None


class NewReservation(Model):
    """A stay to be added. The hotel's rules come on top: the room has to be there and free, dates have to lie ahead,
    and the lines have to add up to 0 or to what Stripe can charge."""

    model_config = example(
        room="Garden room",
        guest_name="Inês Carvalho",
        email="ines@carvalho.example",
        check_in="2027-03-18",
        check_out="2027-03-21",
        adults=2,
        lines=[{"label": "Garden room", "detail": "3 nights", "amount": 56_700, "vat_percent": "6"}],
        locale="pt-PT",
        send_link=True,
    )

    room: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, description="The name of a room.")]
    guest_name: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    email: Annotated[str, Field(min_length=3, max_length=LONGEST_TEXT)]
    phone: Text = ""
    check_in: Day
    check_out: Day
    adults: Annotated[int, Field(ge=1, le=50)] = 1
    children: Annotated[int, Field(ge=0, le=50)] = 0
    lines: Annotated[list[NewLine], Field(min_length=1, max_length=50)]
    locale: Annotated[str, Field(max_length=35, description="The guest's language, such as en or pt-PT.")] = ""
    hold_hours: Annotated[int, Field(ge=1, le=1440, description="How long the room waits for the money.")] = 24
    send_link: Annotated[bool, Field(description="E-mail the private link to the guest.")] = False


class ReservationMade(Model):
    """A reservation in short."""

    reservation_id: Code
    status: ReservationStatus
    total: Minor
    currency: str
    amount_due: Minor
    hold_until: Annotated[Instant, Field(description="Until when an unpaid stay keeps its room.")]
    link: Annotated[str, Field(description="The guest's private link: whoever has it can see, pay and cancel.")]


class Line(Model):
    """One line of the price."""

    label: str
    amount: Minor
    detail: str
    vat_percent: str | None


class PolicyStep(Model):
    """What comes back when the stay is cancelled until the end of `last_date`."""

    percent: int
    amount: Annotated[int, Field(description="Of the whole price, in minor units.")]
    last_date: Annotated[Day | None, Field(description="Null: from the step before on, for good.")]


class ReservationRead(ReservationMade):
    """A reservation with its stay, its price and what its policy gives back until when."""

    room: str
    guest_name: str
    email: str
    phone: str
    check_in: Day
    check_out: Day
    adults: int
    children: int
    locale: str
    lines: list[Line]
    timezone: Annotated[str, Field(description="The hotel's; the policy's dates end at midnight there.")]
    policy: list[PolicyStep]


class CancelRequest(Model):
    """Send both to cancel only for exactly what a page has shown; leave both out to take what holds now."""

    model_config = example(tier_percent=100, refund_amount=56_700)

    tier_percent: Annotated[int | None, Field(ge=0, le=100)] = None
    refund_amount: Annotated[int | None, Field(ge=0, le=MOST, description="Minor units.")] = None


class RefundOfStay(Model):
    """One refund of the cancelled stay."""

    refund_id: str
    payment_id: str
    stripe_refund_id: str | None
    amount: Minor
    status: RefundStatus


class Cancelled(Model):
    """What became of the stay and its money."""

    reservation_id: Code
    reservation_status: Literal["cancelled"]
    percent: Annotated[int | None, Field(description="Of the policy; null when staff chose another sum.")]
    refund_amount: Minor
    currency: str
    refunds: list[RefundOfStay]
