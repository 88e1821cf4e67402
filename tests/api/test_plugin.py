"""The API on Tornado: threads keep the loop free, and what WSGI stumbles over never reaches it."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.api import strict
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from observatory.api import plugin
from observatory.runtime.current import use
from observatory.server.application import GateApplication

pytestmark = pytest.mark.slow


class Server:
    """The API of a runtime on a free loopback port, in a thread."""

    def __init__(self, runtime, application=None):
        self.application = application or GateApplication(plugin.routes(runtime), runtime=runtime)
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()))
        self.thread.start()
        assert self.ready.wait(30)

    async def serve(self):
        self.loop, self.stopped = IOLoop.current(), asyncio.Event()
        sockets = bind_sockets(0, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        server = HTTPServer(self.application)
        server.add_sockets(sockets)
        self.ready.set()
        await self.stopped.wait()
        server.stop()
        await server.close_all_connections()

    def stop(self):
        self.loop.add_callback(self.stopped.set)
        self.thread.join(30)

    def request(self, method, path, body=None, headers=None, **more):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {}, **more)
            response = connection.getresponse()
            return response.status, response.headers, json.loads(response.read())
        finally:
            connection.close()

    def raw(self, text):
        """The answer to bytes no client would send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(text.encode("latin-1"))
            return connection.makefile("rb").read().decode()


@pytest.fixture
def server(runtime):
    server = Server(runtime)
    yield server
    server.stop()


def test_answers_are_those_of_the_application(server, reader):
    status, headers, body = server.request("GET", "/api/services")
    assert (status, body) == (200, strict(reader.get("/api/services")))
    assert headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/api", "/api/nope"):
        status, headers, body = server.request("GET", path)
        assert (status, headers["Content-Type"], body["status"]) == (404, "application/problem+json", 404)


def test_a_name_with_a_quoted_slash_arrives(server, names):
    name = next(name for name in names if "/" in name)
    status, _, body = server.request("POST", "/api/collect/" + name.replace("/", "%2F"))
    assert (status, body["service_name"]) == (200, name)


def test_probes_answer_while_every_thread_is_held_by_a_slow_query(server, runtime, monkeypatch):
    go, waiting = threading.Event(), threading.Semaphore(0)
    overview = runtime.overview

    def slow():
        waiting.release()
        assert go.wait(30)
        return overview()

    monkeypatch.setattr(runtime, "overview", slow)
    with ThreadPoolExecutor(plugin.THREADS + 2) as clients:
        asked = [clients.submit(server.request, "GET", "/api/health/summary") for _ in range(plugin.THREADS + 2)]
        for _ in range(plugin.THREADS):
            assert waiting.acquire(timeout=30)
        try:
            assert server.request("GET", "/healthz")[0] == 200
            assert server.request("GET", "/readyz")[0] == 200
        finally:
            go.set()
        assert [answer.result()[0] for answer in asked] == [200] * len(asked)


def test_a_chunked_body_is_read(server):
    body = json.dumps({"service_name": "chunked"}).encode()
    headers = {"Content-Type": "application/json"}
    path = "/api/services/register"
    assert server.request("POST", path, iter([body[:5], body[5:]]), headers, encode_chunked=True)[0] == 201
    assert server.request("POST", path, iter([b" " * 1_100_000]), headers, encode_chunked=True)[0] == 413


@pytest.mark.parametrize("host", ["127.0.0.1:port", "evil.example", "127.0.0.1:99999999999", ":", "[", "a b"])
def test_odd_host_names_are_refused_and_leave_nothing_hanging(server, host):
    answer = server.raw(f"GET /api/services HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert answer.split()[1] in ("400", "421")


def test_a_method_nobody_knows_is_a_problem_too(server):
    answer = server.raw("BREW /api/services HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert answer.split()[1] == "405"
    assert "application/problem+json" in answer


def test_importing_the_plugin_opens_nothing():
    with pytest.raises(AttributeError):
        plugin.ROUTE  # noqa: B018


def test_a_store_that_cannot_be_opened_ends_the_server_in_one_line(tmp_path, monkeypatch):
    use(None)
    monkeypatch.setenv("OBSERVATORY_STORE", str(tmp_path / "missing" / "x.duckdb"))
    with pytest.raises(SystemExit, match=r"error: store .* cannot be made: there is no folder"):
        _ = plugin.ROUTES
