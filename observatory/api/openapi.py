"""The OpenAPI document, brought to how the API really answers."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from functools import cached_property
from typing import Any, cast

from apiflask import APIFlask

from observatory.api.formats import ARROW, CSV
from observatory.api.problems import MEDIA_TYPE
from observatory.api.rows import ROW_SCHEMA, ROWS
from observatory.api.schemas.responses import Problem

TITLE = "CloudWatch Observatory"
DESCRIPTION = """\
Health, anomalies and history of your services.

Values are in Prometheus base units (seconds, bytes, ratios from 0 to 1, cores), times RFC 3339 in UTC, missing \
values null. Every error is a problem document (RFC 9457). Query parameters that a route does not know are refused.
"""
PUBLIC = ("getLiveness", "getReadiness", "getOpenapi")
"""Operations nobody has to sign in for; a test holds this against what the routes declare."""
SCHEMAS = "#/components/schemas/"


class Document:
    """The document of an application, made when it is first asked for."""

    def __init__(self, app: APIFlask) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(self) -> dict[str, Any]:
        with self._lock:
            return self._made

    @cached_property
    def _made(self) -> dict[str, Any]:
        return cast(dict[str, Any], self._app.spec)


def polish(document: dict[str, Any] | str) -> dict[str, Any]:
    """Errors as problem documents, plain names of schemas, described parameters."""
    document = _plain_names(json.dumps(document))
    schemas = document["components"]["schemas"]
    for leftover in ("HTTPError", "ValidationError"):
        schemas.pop(leftover, None)
    problem = Problem.model_json_schema(ref_template=SCHEMAS + "{model}")
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a JSON Web Token."}
    }
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    for operation in _operations(document):
        for parameter in operation["parameters"]:
            _describe(parameter)
        responses = operation["responses"]
        responses["default"] = {"description": "Any other error."}
        for status, response in responses.items():
            if status == "default" or int(status) >= 400:
                response["content"] = {MEDIA_TYPE: {"schema": {"$ref": SCHEMAS + "Problem"}}}
        if operation["operationId"] == "getHistory":
            responses["200"]["content"] |= {CSV: {"schema": {"type": "string"}}, ARROW: {}}
        if any(parameter["name"] == "format" for parameter in operation["parameters"]):
            responses["200"]["content"] |= {ROWS: {"schema": ROW_SCHEMA}}
        if operation["operationId"] == "streamEvents":
            responses["200"]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
        if operation["operationId"] == "getMetrics":
            responses["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
        operation["security"] = [] if operation["operationId"] in PUBLIC else [{"bearer": []}, {}]
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        _same_body(responses)
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _plain_names(text: str) -> dict[str, Any]:
    """``HealthSummary.Cycle`` is ``Cycle``: models are named once here."""
    plain: dict[str, Any] = json.loads(re.sub(rf'"{SCHEMAS}[^".]+\.', f'"{SCHEMAS}', text))
    schemas = plain["components"]["schemas"]
    plain["components"]["schemas"] = {name.rpartition(".")[2]: schemas[name] for name in sorted(schemas)}
    return plain


def _describe(parameter: dict[str, Any]) -> None:
    """A parameter's description and example stand beside its schema; one left out is not null."""
    schema = parameter["schema"]
    for option in schema.pop("anyOf", []):
        schema |= option if option != {"type": "null"} else {}
    schema.pop("title", None)
    if schema.get("default", ...) in (None, []):
        del schema["default"]
    if "description" in schema:
        parameter["description"] = schema.pop("description")
    if "examples" in schema:
        parameter["example"] = schema.pop("examples")[0]


def _same_body(responses: dict[str, Any]) -> None:
    """A route that answers 200 or 201 answers with the same model."""
    if "200" in responses and "201" in responses:
        responses["200"]["content"] = responses["201"]["content"]
