"""The OpenAPI document is valid, its examples too, and answers are what it says."""

from __future__ import annotations

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from pydantic import BaseModel
from support.api import strict

from observatory.api.schemas import health as health_schemas
from observatory.api.schemas import requests, responses


@pytest.fixture(scope="module")
def document(reader):
    return strict(reader.get("/api/openapi.json"))


def check(document, schema, value):
    OAS31Validator({**schema, "components": document["components"]}).validate(value)


@pytest.mark.slow
def test_the_document_is_openapi_3_1(document):
    validate(document)
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "CloudWatch Observatory"
    assert document["info"]["description"]


def test_the_document_names_no_machine(document):
    assert "servers" not in document


def test_operations_have_ids_of_their_own(document):
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_schemas_have_plain_names_and_every_reference_leads_somewhere(document):
    assert all("." not in name for name in document["components"]["schemas"])
    assert {"HealthSummary", "Anomaly", "Severity", "Problem"} <= document["components"]["schemas"].keys()


def test_every_parameter_is_described(document):
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "query":
                    assert parameter["description"], parameter


def models(module):
    return [
        model
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
    ]


@pytest.mark.parametrize(
    "model", [*models(responses), *models(health_schemas), *models(requests)], ids=lambda m: m.__name__
)
def test_examples_are_valid(document, model):
    for example in model.model_json_schema().get("examples", []):
        model.model_validate_json(__import__("json").dumps(example))
        check(document, document["components"]["schemas"][model.__name__], example)


def test_examples_of_parameters_are_valid(document):
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if "example" in parameter:
                    check(document, parameter["schema"], parameter["example"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/api/services",
        "/api/health/summary",
        "/api/health/anomalies",
        "/api/incidents?start=-7d",
        "/api/metrics/history?service={}&expected=true",
        "/healthz",
        "/readyz",
    ],
)
def test_answers_are_what_the_document_says(document, reader, names, path):
    response = reader.get(path.format(names[0]))
    operation = document["paths"][path.partition("?")[0]]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    check(document, schema, strict(response))


def test_errors_are_what_the_document_says(document, reader):
    for path in ("/api/services?limit=0", "/api/nope"):
        check(document, document["components"]["schemas"]["Problem"], strict(reader.get(path)))
