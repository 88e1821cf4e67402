"""Every row of the server's real table and every route of the API, against everybody who may ask."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from bokeh.util.token import generate_jwt_token, generate_session_id
from support.gate import (
    OURS,
    SECRET,
    THEIRS,
    Guarded,
    Row,
    Who,
    acknowledged,
    connect,
    document,
    guarded,
    token_of,
    wrong,
)
from support.servers import HANGS_AFTER, free_port
from tornado.httpclient import HTTPClientError
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler
from tornado.websocket import WebSocketClosedError

from observatory.access import Role
from observatory.access.gate import Access
from observatory.config import Settings
from observatory.errors import ConfigError
from observatory.runtime import Runtime
from observatory.server import routes
from observatory.server.application import GateApplication
from observatory.server.routes import Kind, Route
from observatory.store import open_store
from observatory.store.engine.database import Statement

pytestmark = pytest.mark.servers

ROUNDS = int(os.environ.get("SOCKET_ROUNDS", "60"))
"""Broken messages that the fuzz sends; more for a thorough run."""


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("closed")) as server:
        yield server


def called(server: Guarded, name: str) -> Who:
    return next(who for who in server.everybody if who.name == name)


def run(work: Callable[[], Any]) -> Any:
    return IOLoop(make_current=False).run_sync(work, HANGS_AFTER)


def all_wrong(server: Guarded, rows: list[Row]) -> list[str]:
    return [found for row in rows for who in server.everybody if (found := wrong(server, row, who))]


def test_everybody_gets_what_they_may_and_nothing_else(
    closed: Guarded, record_property: Callable[[str, object], None]
) -> None:
    assert {row.kind for row in closed.rows} == set(Kind)
    assert all_wrong(closed, [row for row in closed.rows if row.kind is not Kind.LOGOUT]) == []
    record_property("rows", len(closed.rows))
    record_property("callers", len(closed.everybody))


def test_where_nobody_signs_in_only_this_machine_is_let_in(tmp_path: Path) -> None:
    with guarded(tmp_path, is_open=True) as server:
        assert all_wrong(server, server.rows) == []
        slash = requests.get(f"{server.base}/observatory/?view=health", timeout=HANGS_AFTER)
        assert slash.url == f"{server.base}/observatory?view=health"
        assert OURS in slash.text


class Hole(RequestHandler):  # type: ignore[misc]
    """What somebody adds in a hurry."""

    def get(self) -> None:
        self.finish(THEIRS)


def test_a_handler_that_nobody_declared_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "hole.py").write_text(
        "from tornado.web import RequestHandler\n\nclass Hole(RequestHandler):\n    pass\n\n"
        "ROUTES = [(r'/hole', Hole, {})]\n"
    )
    environment = os.environ | {"OBSERVATORY_STORE": str(tmp_path / "x.duckdb"), "OBSERVATORY_WORKER": "false"}
    script = Path(__file__).parents[2] / "dashboards" / "observatory.py"
    command = [sys.executable, "-m", "panel", "serve", str(script), "--plugins", "hole", "--port", str(free_port())]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANGS_AFTER)
    assert ended.returncode == 1
    assert "handler hole.Hole at '/hole$' is not declared" in ended.stdout + ended.stderr


def test_a_handler_that_is_added_later_is_not_there(tmp_path: Path) -> None:
    runtime = Runtime(Settings(store=":memory:", worker=False))
    application = GateApplication([], runtime=runtime)
    application.add_handlers(".*", [("/hole", Hole)])
    with pytest.raises(ConfigError, match="Hole"):
        application._guard()
    assert application.get_handler_delegate(_Asked(), Hole).handler_class.__name__ == "Missing"
    runtime.close()


class _Asked:
    connection = None
    headers: ClassVar[dict[str, str]] = {}


def test_a_hole_that_somebody_declared_open_is_found(
    closed: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of everybody is no better than what it finds."""
    from api.test_plugin import Server

    name = f"{Hole.__module__}.{Hole.__qualname__}"
    monkeypatch.setattr(routes, "ROUTES", [Route("/hole", name, Kind.FILE, Access.PUBLIC)])
    runtime = Runtime(Settings(store=":memory:", worker=False))
    server = Server(runtime, GateApplication([("/hole", Hole)], runtime=runtime))
    try:
        hole = Guarded(f"http://127.0.0.1:{server.port}", [], closed.everybody, tmp_path)
        row = Row("/hole", Kind.FILE, Access.READ, "/hole")
        found = [wrong(hole, row, who) for who in closed.everybody if not row.may(who) and not who.is_foreign]
        assert found
        assert all("though they may not" in what for what in found)
        assert "shows theirs/secret" in wrong(hole, row, called(closed, "team"))
    finally:
        server.stop()
        runtime.close()


def test_nobody_joins_anothers_page(closed: Guarded) -> None:
    """Neither with their token, nor with one of one's own making, nor by a link that names the session."""
    admin, team = called(closed, "admin outside"), called(closed, "team")
    page, socket = f"{closed.base}/observatory", f"{closed.base}/observatory/ws"
    theirs = token_of(requests.get(page, headers=admin.headers, timeout=HANGS_AFTER).text)
    forged = generate_jwt_token(generate_session_id(), signed=False)
    signed = generate_jwt_token(generate_session_id(b"x", True), secret_key=b"x", signed=True)
    for token in (theirs, forged, signed, "", ".", "x.y", "e30.x", "\xff"):
        with pytest.raises(HTTPClientError) as refused:
            run(lambda token=token: connect(socket, token, team.headers))
        assert refused.value.code == 403
    for query in ("bokeh-session-id=FIXED", f"bokeh-token={theirs}"):
        answer = requests.get(f"{page}?{query}", headers=admin.headers, timeout=HANGS_AFTER)
        assert (answer.status_code, OURS in answer.text) == (403, False)
    chosen = requests.get(page, headers=admin.headers | {"Bokeh-Session-Id": "FIXED"}, timeout=HANGS_AFTER)
    assert chosen.status_code == 403
    assert THEIRS in run(lambda: document(socket, theirs, admin.headers))


def test_what_a_page_knows_of_its_request_is_no_secret(closed: Guarded) -> None:
    from bokeh.util.token import get_token_payload

    admin = called(closed, "admin outside")
    headers = admin.headers | {
        "Cookie": admin.headers["Cookie"] + "; observatory-dark=false",
        "Authorization": "Basic x",
    }
    headers = {name: value for name, value in headers.items() if name != "Authorization"}
    for path in ("/observatory", "/observatory/autoload.js?bokeh-autoload-element=x"):
        answer = requests.get(closed.base + path, headers=headers, timeout=HANGS_AFTER)
        assert answer.status_code == 200
        known = get_token_payload(token_of(answer.text.replace('\\"', '"')))
        assert known["cookies"] == {"observatory-dark": "false"}
        assert set(known["headers"]) <= {"Host", "User-Agent", "Cookie"}
        assert "user" not in known["headers"].get("Cookie", "")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in answer.headers


def broken(chance: random.Random) -> str | bytes:
    """A part of a message that no browser sends."""
    kinds = ["PATCH-DOC", "PULL-DOC-REQ", "PUSH-DOC", "SERVER-INFO-REQ", "ACK", "ERROR", "OK", "nonsense", ""]
    numbers = [0, -1, 3, 1e9, "1"]
    whole = {"msgid": "1", "msgtype": chance.choice(kinds), "num_buffers": chance.choice(numbers)}
    event = {"kind": "ModelChanged", "model": {"id": "p1"}, "attr": "x", "new": 1}
    values = [None, [], {}, -1, "x" * 5000, {"events": [event]}, {"doc": {"roots": []}}, whole, [whole]]
    text = json.dumps(chance.choice(values))
    cut = text[: chance.randrange(len(text) + 1)]
    return chance.choice([text, json.dumps(whole), cut, chance.randbytes(20), "[" * 10_000, "\x00"])


def test_broken_messages_end_at_most_their_own_socket(closed: Guarded) -> None:
    chance = random.Random(16)
    team, admin = called(closed, "team"), called(closed, "admin outside")
    page, url = f"{closed.base}/observatory", f"{closed.base}/observatory/ws"
    token = token_of(requests.get(page, headers=admin.headers, timeout=HANGS_AFTER).text)
    mine = token_of(requests.get(page, headers=team.headers, timeout=HANGS_AFTER).text)

    async def fuzz() -> int:
        sent = 0
        for _ in range(ROUNDS):
            socket = await connect(url, mine, team.headers)
            await acknowledged(socket)
            with contextlib.suppress(WebSocketClosedError, StreamClosedError):
                for _ in range(chance.randrange(1, 7)):
                    part = broken(chance)
                    await socket.write_message(part, binary=isinstance(part, bytes))
                    sent += 1
                socket.ping(b"1")
            socket.close()
            while (said := await socket.read_message()) is not None:
                assert THEIRS not in str(said)
        return sent

    assert run(fuzz) >= ROUNDS
    assert THEIRS in run(lambda: document(url, token, admin.headers))
    told = closed.log.read_text()
    assert "cannot be read" in told
    assert "Unhandled exception" not in told
    assert [line[:300] for line in told.splitlines() if len(line) > 4200] == []


def test_a_sign_in_that_ends_closes_its_sockets(tmp_path: Path) -> None:
    """By sign-out, by a revoked key and by another role, each made known by the store alone."""
    with guarded(tmp_path) as server:
        page, url = f"{server.base}/observatory", f"{server.base}/observatory/ws"
        store = tmp_path / "x.duckdb"

        def revoke() -> None:
            with open_store(str(store)) as opened:
                opened.keys.revoke(
                    next(key.id for key in opened.keys.all() if key.name == "viewer"), opened.keys.all()[0].created_at
                )

        def demote() -> None:
            command = "UPDATE api_keys SET role = 'viewer' WHERE name = 'operator'"
            with open_store(str(store)) as opened:
                opened._database.write([Statement(command)])

        def sign_out() -> None:
            out = requests.get(f"{server.base}/logout", headers=called(server, "team").headers, timeout=HANGS_AFTER)
            assert out.url == f"{server.base}/login"

        async def until_closed(name: str, end: Callable[[], None]) -> str:
            headers = called(server, name).headers
            answer = await asyncio.to_thread(lambda: requests.get(page, headers=headers, timeout=HANGS_AFTER))
            socket = await connect(url, token_of(answer.text), headers)
            await acknowledged(socket)
            await asyncio.to_thread(end)
            while await socket.read_message() is not None:
                pass
            socket.close()
            return f"{socket.close_code} {socket.close_reason}"

        for name, end, why in (
            ("viewer", revoke, "revoked"),
            ("operator", demote, "has changed"),
            ("team", sign_out, "no longer signed in"),
        ):
            said = run(lambda name=name, end=end: until_closed(name, end))
            assert said.startswith("1008"), said
            assert why in said
            again = requests.get(page, headers=called(server, name).headers, timeout=HANGS_AFTER, allow_redirects=False)
            assert again.headers["Location"] == "./login?next=/observatory"
        assert all_wrong(server, [row for row in server.rows if row.kind is Kind.LOGOUT]) == []
        assert "/login" in requests.get(page, headers=called(server, "admin").headers, timeout=HANGS_AFTER).url


def test_the_first_key_ends_the_pages_of_those_who_did_not_sign_in(tmp_path: Path) -> None:
    with guarded(tmp_path, is_open=True) as server:
        page, url = f"{server.base}/observatory", f"{server.base}/observatory/ws"

        async def until_closed() -> int | None:
            answer = await asyncio.to_thread(lambda: requests.get(page, timeout=HANGS_AFTER))
            socket = await connect(url, token_of(answer.text), {})
            await acknowledged(socket)
            environment = os.environ | {"OBSERVATORY_STORE": str(tmp_path / "x.duckdb")}
            command = [sys.executable, "-m", "observatory", "keys", "create", "first", "--role", "admin"]
            await asyncio.to_thread(lambda: subprocess.run(command, env=environment, check=True, capture_output=True))
            while await socket.read_message() is not None:
                pass
            socket.close()
            return int(socket.close_code or 0)

        assert run(until_closed) == 1008
        assert "/login" in requests.get(page, timeout=HANGS_AFTER).url


def test_nothing_in_the_store_or_the_arguments_makes_a_cookie(closed: Guarded, tmp_path: Path) -> None:
    admin = called(closed, "admin outside")
    listed = subprocess.run(["ps", "-eo", "args", "-ww"], capture_output=True, text=True, check=True).stdout
    assert SECRET not in listed
    from tornado.web import decode_signed_value

    from observatory.server.cookies import COOKIE, secret_for

    secret = secret_for(Settings(cookie_secret=SECRET), "login")
    held = decode_signed_value(secret, COOKIE, admin.headers["Cookie"].partition('"')[2].rstrip('"'))
    assert held is not None
    with open_store(str(closed.log.with_name("x.duckdb"))) as store:
        rows = str(store._database.rows("FROM login_sessions")) + str(store._database.rows("FROM api_keys"))
    assert held.decode() not in rows
    assert admin.role is Role.ADMIN
