"""Everybody who may ask a real server for anything it serves, and what each of them may get."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from support.servers import HANGS_AFTER, free_port, wait_until
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.ioloop import IOLoop
from tornado.web import create_signed_value
from tornado.websocket import websocket_connect

from observatory.access import Role, authenticator_of
from observatory.access.gate import Access
from observatory.config import Settings
from observatory.model import Service
from observatory.runtime import Runtime
from observatory.server.cookies import COOKIE, secret_for
from observatory.server.routes import Kind

SECRET = "a secret of these tests, for cookies"
OURS, THEIRS = "ours/api", "theirs/secret"
REFUSED = (401, 403, 421)
DUMP = """
import json, sys
from observatory.server import application, routes
place = sys.argv.pop(1)
guard = application.GateApplication._guard
def dump(self):
    found = [(routes.pattern_of(rule), routes.declared(rule, self.pages)) for rule in routes.rows(self.default_router)]
    rows = [[pattern, route.kind, route.access] for pattern, route in found]
    open(place, "w").write(json.dumps(rows))
    guard(self)
application.GateApplication._guard = dump
from observatory.cli import main
main()
"""
"""`observatory`, which also tells a file what table its server was really made with."""


@dataclass(frozen=True)
class Who:
    """Somebody who asks: their headers, the address they seem to ask from, and what they may do."""

    name: str
    role: Role | None = None
    headers: dict[str, str] = field(default_factory=dict)
    sees: tuple[str, ...] = ()
    is_foreign: bool = False
    """Whether the page of another site, or a name of another server, has them ask."""


@dataclass(frozen=True)
class Row:
    """A row of the server's table, or a route of the API behind one."""

    pattern: str
    kind: Kind
    access: Access
    path: str
    method: str = "GET"

    def may(self, who: Who) -> bool:
        """Whether somebody may get it."""
        if self.kind is Kind.REFUSED:
            return False
        if who.is_foreign:
            return self.kind is Kind.API and self.access is Access.PUBLIC
        if self.access is Access.PUBLIC:
            return True
        return who.role is not None and who.role.includes(self.access.role) and not self._is_too_wide(who)

    def _is_too_wide(self, who: Who) -> bool:
        is_wide = self.access is Access.ADMIN or self.pattern.startswith("/api/runs/")
        return is_wide and THEIRS not in who.sees


@dataclass
class Guarded:
    """A server with a key of each kind, its table, and everybody."""

    base: str
    rows: list[Row]
    everybody: list[Who]
    log: Path


def token_of(page: str) -> str:
    """The token with which a page joins its session."""
    found = re.search(r'"token":"([^"]+)"', page)
    assert found is not None, page[:500]
    return found[1]


def path_of(pattern: str) -> str:
    """A path that leads to a row of the table."""
    path = pattern.removesuffix("$")
    examples = {"(?:/.*)?": "/services", "/?": "", "(?!extensions/)": "", "(?:healthz|readyz)": "healthz"}
    for part, example in examples.items():
        path = path.replace(part, example)
    is_static = "/static" in path and "extensions" not in path
    path = path.replace("(.*)", "js/bokeh.min.js" if is_static else "venv.__main__/a/b/c") or "/"
    assert re.fullmatch(pattern, path), f"no example for {pattern}"
    return path


def everybody(folder: Path, settings: Settings) -> list[Who]:
    """Everybody who may have a session, made in the store of `settings`; the server needs not run."""
    runtime = Runtime(settings)
    authenticator = authenticator_of(runtime)
    found = [Who("nobody")]
    now = runtime.clock()

    def cookie(text: str) -> str:
        secret = secret_for(runtime.settings, "login")
        return f'{COOKIE}="{create_signed_value(secret, COOKIE, text).decode()}"'

    def signed_in(name: str, role: Role, *patterns: str, **more: Any) -> str:
        _, text = authenticator.keys.create(name, role, patterns, **more)
        return cookie(authenticator.sign_in(authenticator.keys.session(text))[0])

    both = (OURS, THEIRS)
    found += [Who(str(role), role, {"Cookie": signed_in(str(role), role, "*")}, both) for role in Role]
    found.append(Who("team", Role.OPERATOR, {"Cookie": signed_in("team", Role.OPERATOR, "ours/*")}, (OURS,)))
    admin = found[-2]
    for name, end in (("revoked", authenticator.keys.revoke), ("rotated", authenticator.keys.rotate)):
        found.append(Who(name, None, {"Cookie": signed_in(name, Role.ADMIN, "*")}))
        end(name)
    found.append(Who("signed out", None, {"Cookie": signed_in("out", Role.ADMIN, "*")}))
    authenticator.sessions.end(runtime.store.sessions.all()[-1].id_hash)
    runtime.clock = authenticator.keys._clock = authenticator.sessions._clock = lambda: now - timedelta(days=3)
    found.append(Who("expired", None, {"Cookie": signed_in("old", Role.ADMIN, "*")}))
    late = {"Cookie": signed_in("key", Role.ADMIN, "*", expires=timedelta(days=1))}
    found.append(Who("expired key", None, late))
    of_row = cookie(runtime.store.sessions.all()[0].id_hash)
    found.append(Who("reader of the store", None, {"Cookie": of_row}))
    forged = create_signed_value("another secret", COOKIE, "x").decode()
    found.append(Who("forger", None, {"Cookie": f'{COOKIE}="{forged}"'}))
    script = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    beside = {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}
    outside = {"X-Forwarded-For": "203.0.113.9"}
    return [
        *found,
        Who("another site", Role.ADMIN, admin.headers | script, both, is_foreign=True),
        Who("another port", Role.ADMIN, admin.headers | beside, both, is_foreign=True),
        Who("another name", Role.ADMIN, admin.headers | {"Host": "evil.example"}, both, is_foreign=True),
        Who("outside", None, outside),
        Who("admin outside", Role.ADMIN, admin.headers | outside, both),
    ]


def api_rows(runtime: Runtime) -> list[Row]:
    """Every route of the API."""
    from observatory.api.app import create_app
    from observatory.api.middleware.authorization import declared

    app, found = create_app(runtime), []
    examples = {"<name:service>": OURS, "<file>": "swagger-ui.css", "<run_id>": "none"}
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for part, example in examples.items():
            path = path.replace(part, example)
        access = declared(app, rule.endpoint)
        assert access is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            named = path.replace(OURS, "ours/none") if method == "DELETE" else path
            found.append(Row(rule.rule, Kind.API, access, named, method))
    return found


@contextmanager
def guarded(folder: Path, *, is_open: bool = False) -> Iterator[Guarded]:
    """A real server with everybody's keys and sessions; or one where nobody has to sign in, behind a proxy."""
    store = str(folder / "x.duckdb")
    common = {"store": store, "worker": False, "rate_limit": "100000/minute", "sign_in_limit": "100000/minute"}
    runtime = Runtime(Settings(**common))
    runtime.store.register([Service(OURS), Service(THEIRS)])
    api = api_rows(runtime)
    runtime.close()
    local = [
        Who("nobody", Role.ADMIN, {}, (OURS, THEIRS)),
        Who("outside", None, {"X-Forwarded-For": "203.0.113.9"}),
        Who("another name", Role.ADMIN, {"Host": "evil.example"}, is_foreign=True),
        Who("another site", Role.ADMIN, {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, (), True),
    ]
    people = local if is_open else everybody(folder, Settings(**common, cookie_secret=SECRET))
    port, place = free_port(), folder / "table.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    more = {"COOKIE_SECRET": SECRET, "TRUSTED_PROXIES": "127.0.0.1", "DEMO_DAYS": "0.01", "DETECTOR": "seasonal"}
    environment |= {f"OBSERVATORY_{name.upper()}": str(value) for name, value in (common | more).items()}
    command = [sys.executable, "-c", DUMP, str(place), "serve", "--port", str(port)]
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT)
        base = f"http://127.0.0.1:{port}"

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return requests.get(f"{base}/readyz", timeout=HANGS_AFTER).ok
            except requests.ConnectionError:
                return False

        try:
            wait_until(is_ready, HANGS_AFTER, "the server", log.read_text)
            table = [
                Row(row[0], Kind(row[1]), Access(row[2]), path_of(row[0])) for row in json.loads(place.read_text())
            ]
            yield Guarded(base, [row for row in table if row.kind is not Kind.API] + api, people, log)
        finally:
            process.terminate()
            process.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


def wrong(server: Guarded, row: Row, who: Who) -> str:
    """What is wrong with the answer that somebody gets; empty where nothing is."""
    if row.kind is Kind.SOCKET:
        return _wrong_socket(server, row, who)
    body: Any = {} if row.method in ("POST", "PATCH", "PUT") and row.kind is Kind.API else None
    options: dict[str, Any] = {"timeout": HANGS_AFTER, "allow_redirects": False, "stream": True}
    with requests.request(row.method, server.base + row.path, headers=who.headers, json=body, **options) as answer:
        is_endless = answer.headers.get("Content-Type", "").startswith("text/event-stream")
        text = "" if is_endless else answer.text  # of a stream only whether it opens
    login = answer.status_code == 302 and answer.headers["Location"].startswith("./login?")
    what = f"{row.method} {row.path} for {who.name}: {answer.status_code}"
    if row.kind is Kind.REFUSED:
        return "" if answer.status_code == 404 else f"{what}, though it is refused to everybody"
    if row.may(who) and (answer.status_code in REFUSED or login or answer.status_code >= 500):
        return f"{what}, though they may"
    if not row.may(who) and answer.status_code not in REFUSED and not login:
        return f"{what}, though they may not"
    told = (text + str(answer.headers)).replace(row.path, "")  # problems repeat what was asked for
    return _leak(what, told, who)


def _wrong_socket(server: Guarded, row: Row, who: Who) -> str:
    page = server.base + (row.path.removesuffix("/ws") or "/")
    owner = who if row.may(who) else next(one for one in server.everybody if one.role is Role.ADMIN)
    token = token_of(requests.get(page, headers=owner.headers, timeout=HANGS_AFTER).text)
    what = f"the socket {row.path} for {who.name}"
    try:
        said = IOLoop(make_current=False).run_sync(lambda: document(server.base + row.path, token, who.headers))
    except HTTPClientError as error:
        if error.code not in REFUSED:
            return f"{what}: {error.code}"
        return f"{what}: {error.code}, though they may" if row.may(who) else ""
    return _leak(what, said, who) if row.may(who) else f"{what} is open, though they may not"


def _leak(what: str, text: str, who: Who) -> str:
    seen = [name for name in (OURS, THEIRS) if name in text and name not in who.sees]
    known = [SECRET, who.headers["Cookie"][len(COOKIE) + 2 : -1]] if "Cookie" in who.headers else [SECRET]
    secrets = [word for word in known if word in text]
    return f"{what} shows {', '.join(seen + secrets)}" if seen or secrets else ""


async def document(url: str, token: str, headers: dict[str, str]) -> str:
    """The document of a session, as it comes over a socket."""
    socket = await connect(url, token, headers)
    await acknowledged(socket)
    for part in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
        await socket.write_message(json.dumps(part))
    while (part := await socket.read_message()) is not None:
        if "PULL-DOC-REPLY" in part:
            await socket.read_message()
            found = str(await socket.read_message())
            socket.close()
            return found
    raise AssertionError("the server closed the socket")


async def acknowledged(socket: Any) -> None:
    """Wait until the server takes messages, as a browser does."""
    for part in ("ACK", "{}", "{}"):
        said = await socket.read_message()
        assert said is not None, f"the socket was closed: {socket.close_reason}"
        assert part in said


async def connect(url: str, token: str, headers: dict[str, str]) -> Any:
    """An open socket of Bokeh; raises HTTPClientError where the server refuses it."""
    request = HTTPRequest(url.replace("http", "ws", 1), headers=headers, request_timeout=HANGS_AFTER)
    return await websocket_connect(request, subprotocols=["bokeh", token], max_message_size=200 << 20)
