"""The guide names every tool, and what it tells people to configure and to run works."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from support.assistants import PROGRAM, fill, text_of
from support.assistants_http import serving
from support.guides import page
from support.servers import free_port
from support.shop import shop

from observatory.access import Role, authenticator_of
from observatory.assistants.answers import LARGEST
from observatory.assistants.tools import TOOLS
from observatory.cli.mcp import PORT
from observatory.runtime import Runtime

GUIDE = page("mcp")
URL = f"http://127.0.0.1:{PORT}/mcp"


def block(language: str) -> str:
    (found,) = [block.text for block in GUIDE.blocks if block.language == language]
    return found


@pytest.fixture
def served() -> Iterator[tuple[Runtime, str]]:
    runtime = shop(port=free_port())
    fill(runtime)
    try:
        with serving(runtime) as url:
            yield runtime, url
    finally:
        runtime.close()


def test_it_names_every_tool_with_its_arguments() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \| .* \| (`.*`) \|$", GUIDE.text)
    named = {tool: re.findall(r"`(\w+)`", arguments) for tool, arguments in rows}
    assert {tool: set(names) for tool, names in named.items()} == {
        name: set(tool.arguments.model_fields) for name, tool in TOOLS.items()
    }


def test_it_says_how_long_an_answer_may_be() -> None:
    assert f"{LARGEST:,} characters" in GUIDE.text


@pytest.mark.slow
def test_the_configuration_of_a_client_works(stored: Path) -> None:
    text = block("json").replace("/opt/observatory/.venv/bin/observatory", str(PROGRAM))
    text = text.replace("/opt/observatory/observatory.duckdb", str(stored))
    configured = json.loads(text)["mcpServers"]["observatory"]

    async def services() -> int:
        given = StdioServerParameters(**configured, cwd="/")
        with stored.with_name("errors").open("w") as errors:
            async with Client(stdio_client(given, errlog=errors)) as client:
                answer: Any = json.loads(text_of(await client.call_tool("health", {})))
        return int(answer["services_in_all"])

    assert anyio.run(services) == 12


@pytest.mark.slow
def test_its_python_works(served: tuple[Runtime, str], capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python").replace(URL, served[1]), "mcp.md", "exec"), {})
    assert json.loads(capsys.readouterr().out)["services_in_all"] == 12


@pytest.mark.slow
def test_its_request_by_hand_is_answered_as_it_shows(served: tuple[Runtime, str]) -> None:
    runtime, url = served
    text = authenticator_of(runtime).keys.create("by hand", Role.VIEWER, ["*"])[1]
    typed, _, shown = block("console").removeprefix("$ ").rpartition("\n{")
    done = subprocess.run(
        ["bash", "-c", typed.replace(URL, url)],
        env={"KEY": text, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("{" + shown.partition("2026")[0])
    result = json.loads(done.stdout)["result"]
    assert len(json.loads(result["content"][0]["text"])["changes"]) == 1
