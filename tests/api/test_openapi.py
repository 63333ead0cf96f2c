"""The OpenAPI document: it tells of every address, is what the standard asks for, and the API keeps to it."""

import json
import os
import re
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from portal.api.endpoint import ENDPOINTS
from portal.api.model import read
from portal.deps import Deps
from portal.models import Payment, RateBucket, Reservation
from tests.actors import LivePortal, rows
from tests.api.program import make_token
from tests.conftest import _app

EXAMPLES = 400 if os.environ.get("DEEP") else 20


@pytest.fixture
def document(portal: LivePortal) -> dict[str, Any]:
    answer = requests.get(f"{portal.url}/api/openapi.json", timeout=10)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_it_tells_of_every_address_and_of_no_other(document: dict[str, Any], portal: LivePortal, deps: Deps) -> None:
    rules = _app(deps, portal.url).url_map.iter_rules()
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in rules
        if rule.rule.startswith("/api/") and rule.rule != "/api/openapi.json"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == served
    assert len(told) == len(ENDPOINTS) == 8


def test_it_is_a_document_of_the_standard(document: dict[str, Any], portal: LivePortal) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": portal.url}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False or name == "ErrorAnswer", name
    wanted = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert wanted == set(document["components"]["schemas"])
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            assert {"200", "400", "401", "403", "429", "503"} <= {*operation["responses"], "200"}


def test_its_examples_are_what_the_models_take(document: dict[str, Any]) -> None:
    taken = {one.takes for one in ENDPOINTS if one.takes}
    schemas = document["components"]["schemas"]
    for model in taken:
        for shown in schemas[model.__name__]["examples"]:
            assert read(model, json.dumps(shown).encode())
    assert schemas["ErrorAnswer"]["examples"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("operation", sorted(f"{one.method} {one.path}" for one in ENDPOINTS))
def test_whatever_is_sent_the_answer_is_one_that_the_document_tells_of(
    operation: str, portal: LivePortal, deps: Deps, paid: Reservation, make_reservation: Any
) -> None:
    """Thousands of requests that keep to the document and that do not: no fault, and no answer that it does not name."""
    load_all_checks()
    method, path = operation.split(" ")
    path = "/api" + re.sub(r"<(\w+)>", r"{\1}", path)
    known = {
        "reservation_id": [paid.code, make_reservation(room="River room").code],
        "payment_id": [row.public_id for row in rows(Payment)],
    }
    schema = schemathesis.openapi.from_url(f"{portal.url}/api/openapi.json")
    token, tried = make_token(deps), 0

    @seed(17)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=schema[path][method].as_strategy(), is_known=st.booleans())
    def try_one(case: Any, is_known: bool) -> None:
        nonlocal tried
        if is_known:
            case.path_parameters.update(
                {name: values[0] for name, values in known.items() if name in case.path_parameters}
            )
        tried += 1
        if tried % 5 == 0:  # there are limits, and the clock stands still
            RateBucket.delete().execute()
        # A room that is not there keeps to the document and is refused all the same.
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, excluded_checks=[positive_data_acceptance])

    try_one()
