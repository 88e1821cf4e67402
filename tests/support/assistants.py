"""Two hours of the demo shop in memory, with an incident, changes and notes; and the SDK's own client."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.client import Client
from mcp.types import CallToolResult, TextContent
from support.shop import NOON

from observatory.access import Caller, Role, Scope, scoped
from observatory.assistants.server import make_server
from observatory.incidents import actions
from observatory.model import Anomaly, Call, Change, ChangeKind, Cycle, End, Evidence, Failure, Severity
from observatory.runtime import Runtime
from observatory.runtime.incidents import IncidentTracker

Ask = Callable[..., Any]
PROGRAM = Path(sys.executable).with_name("observatory")
MINUTE = timedelta(minutes=1)


def anomaly(service: str, minutes: int, severity: Severity = Severity.HIGH, *, is_open: bool = True) -> Anomaly:
    start = NOON - minutes * MINUTE
    end = NOON if is_open else start + 10 * MINUTE
    evidence = (Evidence("latency_p95", 2.0, 0.2, float("nan"), 0.4, 1.0, "up"),)
    return Anomaly(service, start, end, start, is_open, severity, 3.5, "seasonal", f"{service}: p95 2 s", evidence)


def fill(runtime: Runtime) -> None:
    """What the tools are asked about."""
    store, source = runtime.store, runtime.sources[0]
    store.register(source.discover())
    frame = source.history(NOON - 120 * MINUTE, NOON, 60).frame
    frame.loc[frame.service_name == "shop/email", "latency_p95"] = float("nan")
    store.write_samples(frame)
    store.write_calls(
        [
            Call("shop/frontend", "shop/checkout", "demo"),
            Call("shop/checkout", "shop/payments", "demo"),
            Call("shop/payments", "payments", "spans", callee_is=End.DATABASE),
        ],
        NOON,
    )
    store.write_anomalies([anomaly("shop/payments", 40 * 24 * 60, is_open=False)])
    IncidentTracker(store).follow(NOON - timedelta(days=40) + 5 * MINUTE, {})
    (before,) = store.incidents.read()
    store.incidents.change(before.id, lambda held: actions.resolve(held, "ann", NOON, "the pool was too small"))
    store.write_anomalies(
        [
            anomaly("shop/payments", 30, Severity.CRITICAL),
            anomaly("shop/checkout", 28),
            anomaly("shop/email", 90, Severity.LOW, is_open=False),
        ]
    )
    IncidentTracker(store).follow(NOON, {})
    store.changes.write(
        [
            Change("c1", "shop/payments", NOON - 31 * MINUTE, ChangeKind.DEPLOYMENT, "1.4.2", "Pool", source="ci"),
            Change("c2", "shop/email", NOON - 10 * MINUTE, ChangeKind.FLAG, summary="New letters", source="ann"),
        ]
    )
    store.write_cycle(Cycle(NOON, 0.2, 12, 12, 2, (Failure("collect", "refused"),), ()))


def text_of(result: CallToolResult) -> str:
    """The one text of a result."""
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert result.structured_content is None
    return content.text


def asking(runtime: Runtime, *patterns: str) -> Ask:
    """Asks a tool as who sees `patterns`, over the protocol in memory; returns the answer, or raises AssertionError."""
    caller = Caller("key", "1", "ann", Role.VIEWER, Scope.of(patterns or ["*"]))
    server = make_server(lambda _: scoped(runtime, caller), 2)

    async def call(tool: str, arguments: dict[str, Any], is_error: bool) -> Any:
        async with Client(server) as client:
            result = await client.call_tool(tool, arguments)
        text = text_of(result)
        assert result.is_error == is_error, text
        return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    def ask(tool: str, *, is_error: bool = False, **arguments: Any) -> Any:
        return anyio.run(partial(call, tool, arguments, is_error))

    return ask
