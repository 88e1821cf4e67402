"""The real program over its standard input and output, asked by the SDK's client and by hand."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from support.assistants import PROGRAM, anomaly, fill, text_of
from support.servers import HANGS_AFTER, wait_for_exit, wait_until
from support.shop import NOON, Clock

from observatory.assistants.stdio import LateReader
from observatory.assistants.tools import TOOLS
from observatory.config import Settings
from observatory.errors import StoreError, StoreUnreachableError
from observatory.model import Severity
from observatory.runtime import Runtime

DAY = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
NOISY = """
import os, subprocess, sys
from observatory.assistants import answering
from observatory.cli import main

quiet = answering.ANSWERING["graph"]

def graph(reader, asked):
    print("noise of Python")
    os.write(1, b"noise of a library\\n")
    subprocess.run(["echo", "noise of a program"], check=True)
    assert sys.stdin.read() == ""
    return quiet(reader, asked)

answering.ANSWERING["graph"] = graph
sys.argv = ["observatory", "mcp"]
main()
"""


class ByHand:
    """A process that is sent lines, and whose lines are read as the bytes that they are."""

    def __init__(self, command: Sequence[str], store: Path) -> None:
        self._errors = store.with_name("errors").open("w+b")
        environment = {"OBSERVATORY_STORE": str(store), "OBSERVATORY_LOG_LEVEL": "DEBUG", "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            cwd=store.parent,
        )

    def __enter__(self) -> ByHand:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            assert stream is not None
            stream.close()

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode()

    def ask(self, number: int, method: str, **params: Any) -> Any:
        """The result of a request; the line is strict about what it is."""
        self.tell(id=number, method=method, params=params)
        line = self._output.readline()
        assert line.endswith(b"\n"), self.errors()
        assert b"\r" not in line
        answer = json.loads(line)
        assert (answer["jsonrpc"], answer["id"]) == ("2.0", number)
        return answer["result"]

    def tell(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\r\n")
        self.process.stdin.flush()

    def begin(self) -> Any:
        client = {"name": "by hand", "version": "1"}
        result = self.ask(1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
        self.tell(method="notifications/initialized")
        return result

    @property
    def _output(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def rest(self) -> bytes:
        return self._output.read()


def parameters(store: Path, *arguments: str, **variables: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=str(PROGRAM),
        args=["mcp", *arguments],
        env={"OBSERVATORY_STORE": str(store), **variables},
        cwd=store.parent,
    )


async def _asked(given: StdioServerParameters, *questions: tuple[str, dict[str, Any]], mode: str = "auto") -> list[Any]:
    with (Path(str(given.cwd)) / "errors").open("w") as errors:
        async with Client(stdio_client(given, errlog=errors), mode=mode) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == list(TOOLS)
            return [json.loads(text_of(await client.call_tool(tool, asked))) for tool, asked in questions]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_client_of_the_sdk_gets_answers(stored: Path, mode: str) -> None:
    questions = [("incidents", DAY), ("changes", DAY), ("graph", {"service": "shop/payments"})]

    async def ask() -> list[Any]:
        return await _asked(parameters(stored), *questions, mode=mode)

    incidents, changes, graph = anyio.run(ask)
    assert incidents["incidents"][0]["services"] == ["shop/payments", "shop/checkout"]
    assert [one["service"] for one in changes["changes"]] == ["shop/email", "shop/payments"]
    assert graph["called_by"] == ["shop/checkout"]


@pytest.mark.slow
def test_only_the_services_that_are_named_are_shown(stored: Path) -> None:
    async def ask() -> list[Any]:
        given = parameters(stored, "--services", "shop/c*,shop/email", "-s", "shop/search")
        return await _asked(given, ("health", {"limit": 50}), ("health", {"service": "shop/payments"}))

    health, hidden = anyio.run(ask)
    assert {one["service"] for one in health["services"]} == {
        "shop/cart",
        "shop/catalog",
        "shop/checkout",
        "shop/email",
        "shop/search",
    }
    assert hidden["error"].startswith("unknown service 'shop/payments'")


@pytest.mark.slow
def test_a_store_that_a_server_holds_is_read_and_what_it_writes_meanwhile_too(tmp_path: Path) -> None:
    path = tmp_path / "observatory.duckdb"
    holder = Runtime(Settings(store=str(path), worker=False), clock=Clock())
    fill(holder)

    async def ask() -> tuple[int, int]:
        async with Client(stdio_client(parameters(path), errlog=errors)) as client:

            async def count() -> int:
                found = json.loads(text_of(await client.call_tool("anomalies", {**DAY, "limit": 50})))
                return len(found["anomalies"])

            before = await count()
            holder.store.write_anomalies([anomaly("shop/search", 5, Severity.LOW)])
            return before, await count()

    try:
        with (tmp_path / "errors").open("w") as errors:
            before, after = anyio.run(ask)
        assert (before, after) == (3, 4)
        assert NOON - timedelta(hours=1) < (holder.store.newest() or NOON)  # and it is still there
    finally:
        holder.close()


@pytest.mark.slow
def test_nothing_but_the_protocol_is_on_standard_output(stored: Path) -> None:
    with ByHand([sys.executable, "-c", NOISY], stored) as server:
        assert server.begin()["serverInfo"]["name"] == "cloudwatch-observatory"
        server.process.stdin.write(b"this is no message\n")  # type: ignore[union-attr]
        result = server.ask(2, "tools/call", name="graph", arguments={})
        assert json.loads(result["content"][0]["text"])["calls_in_all"] == 3
        server.process.stdin.close()  # type: ignore[union-attr]
        assert server.rest() == b""
        assert wait_for_exit(server.process, server.errors) == 0
        for who in ("Python", "a library", "a program"):
            assert f"noise of {who}\n" in server.errors()


@pytest.mark.slow
@pytest.mark.parametrize(("how", "code"), [("eof", 0), (signal.SIGINT, 130), (signal.SIGTERM, 130)], ids=str)
def test_it_ends_as_the_client_wishes_and_closes_the_store(stored: Path, how: str | signal.Signals, code: int) -> None:
    address = stored.with_name(stored.name + ".address")
    with ByHand([str(PROGRAM), "mcp"], stored) as server:
        server.begin()
        server.ask(2, "tools/call", name="health", arguments={})
        wait_until(address.exists, HANGS_AFTER, "the store to be served", server.errors)
        if isinstance(how, signal.Signals):
            server.process.send_signal(how)
        else:
            server.process.stdin.close()  # type: ignore[union-attr]
        assert wait_for_exit(server.process, server.errors) == code
        assert "Traceback" not in server.errors()
    assert not address.exists()


@pytest.mark.slow
def test_a_store_that_cannot_be_opened_is_an_answer_not_an_end(tmp_path: Path) -> None:
    async def ask() -> list[Any]:
        given = parameters(tmp_path / "x", OBSERVATORY_STORE="quack://127.0.0.1:1")
        return await _asked(given, ("health", {}), ("graph", {}))

    for answer in anyio.run(ask):
        assert "quack://127.0.0.1:1" in answer["error"]


def test_a_store_that_could_not_be_opened_is_tried_again_with_the_next_question() -> None:
    tries: list[int] = []
    runtime = Runtime(Settings(store=":memory:", worker=False))

    def opened() -> Runtime:
        tries.append(1)
        if len(tries) < 3:
            raise StoreUnreachableError("the server is away")
        return runtime

    with LateReader(opened, ["*"]) as reader:
        wait_until(lambda: tries, HANGS_AFTER, "the first try, which nobody asked for")
        with pytest.raises(StoreUnreachableError, match="is away"):
            reader.get()
        assert reader.get().store.services() == []
        assert len(tries) == 3
    with pytest.raises(StoreError, match="closed"):
        runtime.store.services()
    with pytest.raises(StoreError, match="ends"):
        reader.get()


@pytest.mark.slow
def test_a_wrong_setting_is_said_on_standard_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(PROGRAM), "mcp"],
        env={"OBSERVATORY_INTERVAL": "soon", "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"OBSERVATORY_INTERVAL" in done.stderr
