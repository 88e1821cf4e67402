"""The protocol over real HTTP: the keys of the REST API, and what other sites and machines may not do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import requests
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from support.assistants import PROGRAM, fill, text_of
from support.assistants_http import serving
from support.commands import caller
from support.servers import HANGS_AFTER, free_port, wait_for_exit, wait_until
from support.shop import shop

from observatory.access import Role, authenticator_of
from observatory.access.keys import ApiKeys
from observatory.assistants.http import LARGEST_REQUEST, sdk_app
from observatory.config import Settings
from observatory.runtime import Runtime
from observatory.store.tables.audit import AuditEntry

HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
QUESTION = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "health", "arguments": {"limit": 50}}}


@contextmanager
def served(**settings: Any) -> Iterator[tuple[Runtime, str]]:
    """A runtime of its own that is served."""
    runtime = shop(port=free_port(), **settings)
    try:
        fill(runtime)
        with serving(runtime) as url:
            yield runtime, url
    finally:
        runtime.close()


@pytest.fixture(scope="module")
def open_to_all() -> Iterator[tuple[Runtime, str]]:
    """Nobody has to sign in: there is no key."""
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def with_keys() -> Iterator[tuple[Runtime, str]]:
    """There is a key at least."""
    with served(cors_origins=("https://pages.example",)) as found:
        key(found[0], "somebody")
        yield found


def key(runtime: Runtime, name: str, *services: str) -> str:
    return authenticator_of(runtime).keys.create(name, Role.VIEWER, services or ["*"])[1]


def ask(url: str, text: str = "", tool: str = "health", mode: str = "auto", **arguments: Any) -> Any:
    """What the SDK's own client is answered."""
    headers = {"Authorization": f"Bearer {text}"} if text else {}

    async def asked() -> Any:
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            return json.loads(text_of(await client.call_tool(tool, arguments)))

    return anyio.run(asked)


def post(url: str, headers: Mapping[str, str] | None = None, body: object = QUESTION) -> requests.Response:
    return requests.post(url, json=body, headers=HEADERS | dict(headers or {}), timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_client_of_the_sdk_gets_answers(open_to_all: tuple[Runtime, str], mode: str) -> None:
    _, url = open_to_all
    assert ask(url, mode=mode)["services_in_all"] == 12


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_key_shows_its_services_and_no_other(with_keys: tuple[Runtime, str], mode: str) -> None:
    runtime, url = with_keys
    ours = key(runtime, f"ours {mode}", "shop/ch*")
    assert {one["service"] for one in ask(url, ours, mode=mode)["services"]} == {"shop/checkout"}
    hidden = ask(url, ours, mode=mode, service="shop/payments")
    assert hidden["error"].startswith("unknown service 'shop/payments'")


@pytest.mark.slow
def test_callers_at_the_same_time_get_what_is_theirs(with_keys: tuple[Runtime, str]) -> None:
    runtime, url = with_keys
    names = ["shop/cart", "shop/email", "shop/search", "shop/payments"]
    keys = {name: key(runtime, name.replace("/", " at once "), name) for name in names}
    seen: list[tuple[str, set[str]]] = []

    def look(name: str) -> None:
        for _ in range(5):
            answer = post(url, {"Authorization": f"Bearer {keys[name]}"}).json()["result"]["content"][0]["text"]
            seen.append((name, {one["service"] for one in json.loads(answer)["services"]}))

    threads = [threading.Thread(target=look, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 20
    assert [(name, services) for name, services in seen if services != {name}] == []


@pytest.mark.slow
def test_who_has_no_key_or_one_that_was_revoked_reads_nothing(with_keys: tuple[Runtime, str]) -> None:
    runtime, url = with_keys
    text = key(runtime, "soon gone")
    assert post(url, {"Authorization": f"Bearer {text}"}).status_code == 200
    authenticator_of(runtime).keys.revoke("soon gone")
    wrong = {"Authorization": f"Bearer {text[:-2]}xx"}
    for headers in ({}, {"Authorization": f"Bearer {text}"}, wrong, {"Authorization": "Basic eDp5"}):
        answer = post(url, headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="observatory"')
        assert "shop/" not in answer.text
        assert text not in answer.text
    wait_until(lambda: len(_refusals(runtime)) >= 4, HANGS_AFTER, "the refusals to be written down")
    assert all(text not in str(entry) for entry in _refusals(runtime))


def _refusals(runtime: Runtime) -> list[AuditEntry]:
    found = runtime.store.audit.read(runtime.clock() - timedelta(days=1))
    return [entry for entry in found if (entry.action, entry.result) == ("POST /mcp", "401")]


@pytest.mark.slow
def test_a_page_that_the_settings_list_may_ask_with_a_key(with_keys: tuple[Runtime, str]) -> None:
    runtime, url = with_keys
    by_key = {"Authorization": f"Bearer {key(runtime, 'page of ours')}"}
    assert post(url, {"Origin": "https://pages.example"} | by_key).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:80"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 400),
    ],
    ids=str,
)
def test_pages_of_other_sites_reach_nothing(
    open_to_all: tuple[Runtime, str], with_keys: tuple[Runtime, str], headers: dict[str, str], status: int
) -> None:
    assert post(open_to_all[1], headers).status_code == status
    runtime, url = with_keys
    by_key = {"Authorization": f"Bearer {key(runtime, f'page {abs(hash(str(headers)))}')}"}
    answer = post(url, headers | by_key)
    assert answer.status_code >= 400
    assert "shop/" not in answer.text


@pytest.mark.slow
def test_who_has_a_key_and_calls_another_name_is_told_how_it_may_be_called(with_keys: tuple[Runtime, str]) -> None:
    runtime, url = with_keys
    by_key = {"Authorization": f"Bearer {key(runtime, 'by name')}"}
    answer = post(url, {"Host": "observatory.example"} | by_key)
    assert answer.status_code == 421
    assert "ask for 127.0.0.1 or localhost or [::1] (OBSERVATORY_HOSTS adds names" in answer.json()["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["observatory.example", "observatory.example:443", "[::1]:5010", "localhost"])
def test_it_answers_to_the_names_of_the_settings(name: str) -> None:
    with served(hosts=("observatory.example",)) as (_, url):
        assert post(url, {"Host": name}).status_code == 200


@pytest.mark.slow
def test_the_check_of_names_of_the_sdk_is_on_behind_ours(open_to_all: tuple[Runtime, str]) -> None:
    app = sdk_app(open_to_all[0])

    async def asked(headers: dict[str, str]) -> int:
        transport = httpx2.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):
            return (await client.post("/mcp", json=QUESTION, headers=HEADERS | headers)).status_code

    assert anyio.run(asked, {"Host": "evil.example"}) == 421


@pytest.mark.slow
def test_there_is_one_path_and_one_method(open_to_all: tuple[Runtime, str]) -> None:
    _, url = open_to_all
    for method in ("GET", "DELETE", "OPTIONS"):
        answer = requests.request(method, url, headers=HEADERS, timeout=60)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    for path in ("/", "/mcp/", "/.well-known/oauth-protected-resource", "/api/health/summary"):
        assert requests.get(url.removesuffix("/mcp") + path, timeout=60).status_code == 404


@pytest.mark.slow
def test_a_request_that_is_too_large_is_refused(open_to_all: tuple[Runtime, str]) -> None:
    assert post(open_to_all[1], body={"x": "y" * LARGEST_REQUEST}).status_code == 413


@pytest.mark.slow
def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    with served(rate_limit="3/minute") as (_, url):
        answers = [post(url) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


@pytest.mark.slow
def test_through_a_proxy_of_ours_other_machines_must_sign_in() -> None:
    with served(trusted_proxies=("127.0.0.1",)) as (_, url):
        assert post(url, {"X-Forwarded-For": "203.0.113.9"}).status_code == 401
        assert post(url).status_code == 200


@pytest.mark.slow
def test_nobody_else_may_say_where_a_request_came_from() -> None:
    with served() as (_, url):
        assert post(url, {"X-Forwarded-For": "203.0.113.9"}).status_code == 200


@pytest.mark.slow
def test_a_client_goes_on_where_the_server_was_started_again() -> None:
    runtime = shop(port=free_port())
    fill(runtime)

    async def asked() -> list[int]:
        url = f"http://127.0.0.1:{runtime.settings.port}/mcp"
        found = []
        with serving(runtime):
            client = Client(streamable_http_client(url), mode="legacy")
            await client.__aenter__()
            found.append(len(json.loads(text_of(await client.call_tool("graph", {})))["edges"]))
        with serving(runtime):
            found.append(len(json.loads(text_of(await client.call_tool("graph", {})))["edges"]))
            await client.__aexit__(None, None, None)
        return found

    try:
        assert anyio.run(asked) == [3, 3]
    finally:
        runtime.close()


# -- the verb ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_program_serves_a_store_until_it_is_told_to_end(tmp_path: Path) -> None:
    store, port = tmp_path / "observatory.duckdb", free_port()
    runtime = Runtime(Settings(store=str(store), worker=False))
    runtime.store.register(runtime.sources[0].discover())
    text = ApiKeys(runtime.store, runtime.clock).create("assistant", Role.VIEWER, ["shop/c*"])[1]
    runtime.close()
    url = f"http://127.0.0.1:{port}/mcp"
    with (tmp_path / "errors").open("w+") as errors:
        process = subprocess.Popen(
            [str(PROGRAM), "mcp", "--http", "--port", str(port)],
            env={"OBSERVATORY_STORE": str(store), "PATH": "/usr/bin:/bin"},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            wait_until(lambda: _listens(url) or process.poll() is not None, HANGS_AFTER, "the server to listen")
            with requests.Session() as idle:  # a connection that stays open holds nothing up
                assert idle.post(url, json=QUESTION, headers=HEADERS, timeout=60).status_code == 401
                names = {one["service"] for one in ask(url, text, limit=50)["services"]}
                assert names == {"shop/cart", "shop/catalog", "shop/checkout"}
                process.send_signal(signal.SIGTERM)
                assert wait_for_exit(process) == 130
            assert process.stdout is not None
            assert process.stdout.read() == b""
            process.stdout.close()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        errors.seek(0)
        said = errors.read()
    assert f"assistants may ask at {url}" in said
    assert "Traceback" not in said
    assert text not in said
    assert not store.with_name(store.name + ".address").exists()


def _listens(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 405
    except requests.ConnectionError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--http", "--host", "0.0.0.0"], "other machines reach it, and nobody could sign in"),
        (["--http", "-s", "shop/*"], "over HTTP a key says which services are shown"),
    ],
    ids=str,
)
def test_wrong_use_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSERVATORY_STORE", ":memory:")
    code, out, err = caller(monkeypatch, capsys)("mcp", "--port", str(free_port()), *arguments)
    assert (code, out) == (2, "")
    assert says in " ".join(err.replace("│", " ").split())


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["observatory.cli.mcp"], "find_spec", lambda name: None)
    code, out, err = caller(monkeypatch, capsys)("mcp")
    assert (code, out) == (2, "")
    assert "pip install 'cloudwatch-observatory[mcp]'" in err
