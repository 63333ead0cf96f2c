"""Describes what a call accepts: each reader checks one decoded parameter and gives it its type."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from stripe_simulator.errors import invalid, missing_parameter, unknown_parameter

Reader = Callable[[str, Any], Any]

_EMAIL = re.compile(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")


def read(given: Mapping[str, Any], shape: Mapping[str, Reader], inside: str = "") -> dict[str, Any]:
    """Check all parameters against a shape; an unknown name is refused with Stripe's words."""
    values = {}
    for name, value in given.items():
        param = f"{inside}[{name}]" if inside else name
        if name not in shape:
            raise unknown_parameter(param)
        values[name] = shape[name](param, value)
    return values


def require(values: Mapping[str, Any], *names: str, inside: str = "") -> None:
    """Refuse the first of the names that is absent."""
    for name in names:
        if values.get(name) is None:
            raise missing_parameter(f"{inside}[{name}]" if inside else name)


def text(longest: int = 5000) -> Reader:
    """A non-empty string."""

    def reader(param: str, value: Any) -> str:
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {value}", param=param)
        if value == "":
            raise invalid(
                f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter;"
                f" however '{param}' cannot be unset. You should remove '{param}' from your request or supply a"
                " non-empty value.",
                code="parameter_invalid_empty",
                param=param,
            )
        if len(value) > longest:
            raise invalid(
                f"Invalid string: {value[:10]}...{value[-4:]}; must be at most {longest} characters", param=param
            )
        return value

    return reader


def integer(lowest: int | None = None) -> Reader:
    """A whole number."""

    def reader(param: str, value: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value):
            raise invalid(f"Invalid integer: {value}", code="parameter_invalid_integer", param=param)
        if lowest is not None and int(value) < lowest:
            words = "This value must be greater than or equal to"
            raise invalid(f"{words} {lowest}.", code="parameter_invalid_integer", param=param)
        return int(value)

    return reader


def boolean(param: str, value: Any) -> bool:
    """`true` or `false`."""
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", param=param)
    return bool(value == "true")


def choice(*options: str) -> Reader:
    """One of a few words."""

    def reader(param: str, value: Any) -> str:
        if value not in options:
            words = options[0] if len(options) == 1 else f"one of {', '.join(options[:-1])}, or {options[-1]}"
            raise invalid(f"Invalid {param}: must be {words}", param=param)
        return str(value)

    return reader


def url(param: str, value: Any) -> str:
    """An absolute web address."""
    address = str(text()(param, value))
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise invalid("Not a valid URL", code="url_invalid", param=param)
    return address


def email(param: str, value: Any) -> str:
    """Something that looks like an e-mail address."""
    address = str(text()(param, value))
    if not _EMAIL.match(address):
        raise invalid(f"Invalid email address: {address}", code="email_invalid", param=param)
    return address


def looks_like_email(value: str) -> bool:
    """The same rule, for the hosted page."""
    return bool(_EMAIL.match(value))


def nested(shape: Mapping[str, Reader]) -> Reader:
    """A hash with parameters of its own."""

    def reader(param: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise invalid("Invalid object", param=param)
        return read(value, shape, inside=param)

    return reader


def several(item: Reader) -> Reader:
    """An array of one kind of thing."""

    def reader(param: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise invalid("Invalid array", param=param)
        return [item(f"{param}[{position}]", one) for position, one in enumerate(value)]

    return reader


def either(first: Reader, second: Reader) -> Reader:
    """A hash is read by the first reader, anything else by the second."""
    return lambda param, value: first(param, value) if isinstance(value, dict) else second(param, value)


def metadata(param: str, value: Any) -> dict[str, str]:
    """Up to 50 pairs, names of 40 and values of 500 characters (docs.stripe.com/api/metadata)."""
    if value == "":
        return {}
    if isinstance(value, list):  # numeric names look like an array in a form
        value = {str(position): one for position, one in enumerate(value)}
    if not isinstance(value, dict):
        raise invalid("Invalid metadata: metadata must be a set of key-value pairs", param=param)
    if len(value) > 50:
        raise invalid(f"Metadata can have at most 50 keys; this has {len(value)}.", param=param)
    for name, content in value.items():
        if len(name) > 40:
            words = "Metadata keys can have up to 40 characters"
            raise invalid(f"{words}, but you passed in {len(name)} characters. Key: {name}", param=param)
        if not isinstance(content, str):
            raise invalid("Metadata values must be strings", param=f"{param}[{name}]")
        if len(content) > 500:
            words = "Metadata values can have up to 500 characters"
            raise invalid(f"{words}, but you passed in {len(content)} characters. Value: {content[:20]}", param=param)
    return {name: content for name, content in value.items() if content != ""}
