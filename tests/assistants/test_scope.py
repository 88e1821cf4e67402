"""Who sees some services gets nothing of the others from any tool."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.assistants import Ask, asking

from observatory.assistants.tools import TOOLS
from observatory.runtime import Runtime

OURS, THEIRS = "shop/checkout", ("payments", "shop/email", "shop/frontend", "shop/cart")
"""The incident began in `shop/payments`, which calls a database of that name."""


@pytest.fixture(scope="module")
def ours(runtime: Runtime) -> Ask:
    return asking(runtime, "shop/ch*")


def questions(runtime: Runtime) -> dict[str, dict[str, Any]]:
    """One for each tool that everybody who sees all gets services of others from."""
    (shared,) = [one.id for one in runtime.store.incidents.read() if one.is_active]
    return {
        "health": {"limit": 50},
        "incidents": {"start": "-60d"},
        "incident": {"id": shared},
        "anomalies": {"start": "-60d"},
        "history": {"service": OURS, "metric": "cpu_usage"},
        "graph": {},
        "changes": {"start": "-60d"},
        "similar": {"id": shared},
    }


@pytest.mark.parametrize("tool", TOOLS)
def test_no_tool_names_a_service_outside(ours: Ask, ask: Ask, runtime: Runtime, tool: str) -> None:
    arguments = questions(runtime)[tool]
    assert tool == "history" or any(name in json.dumps(ask(tool, **arguments)) for name in THEIRS)
    text = json.dumps(ours(tool, **arguments))
    assert [name for name in THEIRS if name in text] == []


def test_counts_are_those_of_what_may_be_seen(ours: Ask) -> None:
    answer = ours("health")
    assert (answer["services_in_all"], answer["open_anomalies"]) == (1, 1)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("health", {}),
        ("incidents", {}),
        ("anomalies", {}),
        ("history", {"metric": "cpu_usage"}),
        ("graph", {}),
        ("changes", {}),
    ],
    ids=str,
)
def test_a_hidden_service_is_as_unknown_as_one_that_is_not_there(
    ours: Ask, tool: str, arguments: dict[str, Any]
) -> None:
    hidden = ours(tool, is_error=True, service="shop/payments", **arguments)["error"]
    nothing = ours(tool, is_error=True, service="shop/paymenus", **arguments)["error"]
    assert hidden == nothing.replace("paymenus", "payments")


def test_patterns_reach_only_what_may_be_seen(ours: Ask) -> None:
    assert {one["service"] for one in ours("anomalies", service="shop/*")["anomalies"]} == {OURS}
    assert "none of the 1 services" in ours("anomalies", is_error=True, service="*email*")["error"]


def test_an_incident_elsewhere_is_not_there(ours: Ask, runtime: Runtime) -> None:
    others = [one.id for one in runtime.store.incidents.read() if OURS not in one.services]
    assert others
    for other in others:
        for tool in ("incident", "similar"):
            known, unknown = (ours(tool, is_error=True, id=id_)["error"] for id_ in (other, "ffffffffffff"))
            assert known == unknown.replace("ffffffffffff", other)
