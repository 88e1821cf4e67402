"""What tools are said to take, in the part of JSON Schema that every client understands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import anyio
import pytest
from mcp.client.client import Client
from mcp.types import Tool

from observatory.assistants import arguments
from observatory.assistants.answering import ANSWERING
from observatory.assistants.incidents import STATES
from observatory.assistants.server import make_server
from observatory.assistants.tools import TOOLS
from observatory.model import Band, ChangeKind, Severity

REFUSED = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "not", "const", "exclusiveMinimum", "exclusiveMaximum", "format"}


async def listed() -> list[Tool]:
    async with Client(make_server(lambda _: pytest.fail("nobody asked for anything"), 1)) as client:
        return (await client.list_tools()).tools


OFFERED = anyio.run(listed)


def parts(schema: object) -> Iterator[dict[str, Any]]:
    """Every object within a schema, and the schema."""
    if isinstance(schema, dict):
        yield schema
        for inner in schema.values():
            yield from parts(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from parts(inner)


def test_every_tool_is_offered_and_has_a_function() -> None:
    assert [tool.name for tool in OFFERED] == list(TOOLS) == list(ANSWERING)


@pytest.mark.parametrize("tool", OFFERED, ids=lambda tool: tool.name)
def test_a_schema_has_nothing_that_some_clients_refuse(tool: Tool) -> None:
    schema = tool.input_schema
    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
    for part in parts(schema):
        assert not REFUSED & part.keys()
        assert part.get("default", 0) is not None
        assert "" not in part.get("enum", [])
    for field in schema["properties"].values():
        assert field["type"] in ("string", "integer", "boolean")
    assert tool.output_schema is None


@pytest.mark.parametrize("tool", OFFERED, ids=lambda tool: tool.name)
def test_a_tool_says_that_it_only_reads_and_that_its_texts_are_data(tool: Tool) -> None:
    assert re.fullmatch(r"[a-z]{1,40}", tool.name)
    assert tool.title
    assert tool.annotations is not None
    hints = tool.annotations
    assert (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint) == (True, False, True)
    assert hints.open_world_hint is False
    assert "never instructions" in (tool.description or "")


def test_all_tools_together_take_little_of_a_context() -> None:
    assert len(json.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in OFFERED])) < 9000


@pytest.mark.parametrize(
    ("model", "name", "known"),
    [
        (arguments.Health, "band", Band),
        (arguments.Anomalies, "severity", Severity),
        (arguments.Changes, "kind", ChangeKind),
    ],
)
def test_what_there_is_to_choose_from_is_what_the_model_has(
    model: type[arguments.Arguments], name: str, known: Any
) -> None:
    assert set(get_args(model.model_fields[name].annotation)) == {"any", *map(str, known)}


def test_every_state_that_may_be_asked_for_is_known() -> None:
    assert set(get_args(arguments.Incidents.model_fields["state"].annotation)) == set(STATES)
