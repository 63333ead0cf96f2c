"""What every model of a request or an answer shares. They validate, and the OpenAPI document is made from them."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from portal.api import refusals
from portal.services.new_reservation import LONGEST_TEXT, text_problem

MOST = 99_999_999
"""The largest sum that Stripe takes, in minor units (docs.stripe.com/currencies)."""


def example(**fields: Any) -> ConfigDict:
    """What the document shows of a model."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Model(BaseModel):
    """Nothing is guessed: unknown fields are refused, and "7", 7.0 or true are no whole numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class ErrorAnswer(Model):
    """The shape of every error."""

    model_config = example(
        success=False,
        error_code="ERR_006",
        message="There is no such reservation.",
        recovery="Check the code.",
        details={},
    )

    success: Annotated[bool, Field(json_schema_extra={"const": False})]
    error_code: Annotated[str, Field(description="For programs, such as ERR_400.")]
    message: Annotated[str, Field(description="What happened.")]
    recovery: Annotated[str, Field(description="What to do next.")]
    details: Annotated[dict[str, Any], Field(description="What a program can act on; empty when there is nothing.")]


def _can_be_kept(text: str) -> str:
    """What somebody typed, by the rule of all such fields."""
    if problem := text_problem(text):
        raise PydanticCustomError("text", "{problem}", {"problem": problem})
    return text


Words = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_can_be_kept)]
"""Free text that is stored and shown: nothing that cannot be printed."""
Minor = Annotated[int, Field(description="Minor units of the currency (cents).")]
PositiveMinor = Annotated[int, Field(ge=1, le=MOST, description="Minor units of the currency (cents).")]
Code = Annotated[str, Field(description="The code of the reservation: 12 letters and digits.")]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="A date at the hotel, YYYY-MM-DD.")]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="UTC, ISO 8601 with Z.")]

Request = TypeVar("Request", bound=Model)


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def maybe_instant(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None


def read(model: type[Request], body: bytes) -> Request:
    """The request in `body`; an empty one is an empty object. ApiRefusal (400) names every field that is wrong, but
    repeats no value: it may be personal."""
    data = _parse(body) if body.strip() else {}
    if not isinstance(data, dict):
        raise refusals.bad_input("The body is not a JSON object.")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = {
            _where(found["loc"]): found["msg"] for found in error.errors(include_input=False, include_url=False)
        }
        raise refusals.bad_input("Some fields cannot be used.", fields=problems) from None


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body, object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise refusals.bad_input("The body is not JSON in UTF-8, or names a field twice.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):  # which of the two was meant, nobody knows
        raise ValueError("a field is named twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _where(place: tuple[int | str, ...]) -> str:
    """lines[0].amount"""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    return text.encode("ascii", "replace").decode()[:80] or "body"
