"""Real servers on loopback, each with a folder and a port of its own, and one that misbehaves on request."""

from __future__ import annotations

import getpass
import itertools
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import parse_qs

import pytest
import requests

HANGS_AFTER = 600.0
"""Time after which something hangs, on however busy a machine [s]: no test depends on how long it is."""


def wait_until(condition: Callable[[], object], timeout: float, what: str, log: Callable[[], str] = str) -> None:
    """Ask `condition` again and again until it holds; after `timeout` seconds fail, with what `log` has to say."""
    deadline, pause = time.monotonic() + timeout, threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {timeout:g} s in vain for {what}\n{log()}")
        pause.wait(0.05)


def wait_for_exit(process: subprocess.Popen[Any], log: Callable[[], str] = str) -> int:
    """Wait until a process that was told to end has ended; returns its exit code."""
    wait_until(lambda: process.poll() is not None, HANGS_AFTER, f"process {process.pid} to end", log)
    return int(process.returncode)


def free_port() -> int:
    """A port of loopback nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Server:
    """A program that answers HTTP at `address` while the block runs; only this process is ended."""

    names: tuple[str, ...]
    """What the program may be called; the first is also the name of its package."""
    ready = "/-/ready"
    package = ""
    ends_on = signal.SIGTERM
    user: str | None = None
    """Who it runs as, where it refuses to run as root."""

    def __init__(self) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._command: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def arguments(self, folder: Path) -> list[str]:
        """Command line after the program's name; files may be made in `folder`."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        program = next(filter(None, map(self._find, self.names)), None)
        if program is None:
            pytest.skip(f"{self.names[0]} is not installed: apt-get install {self.package or self.names[0]}")
        self._folder = tempfile.TemporaryDirectory(prefix=f"{self.names[0]}-", ignore_cleanup_errors=True)
        try:
            folder = Path(self._folder.name)
            self._log = (folder / "log").open("wb")
            self._command = [program, *self.arguments(folder)]
            self._begin()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def log(self) -> str:
        """The end of what the program said."""
        if self._folder is None:
            return ""
        lines = (Path(self._folder.name) / "log").read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-25:])

    def stop(self) -> None:
        """End the process; its folder and log stay until the block is left."""
        if self._process is not None:
            self._process.send_signal(self.ends_on)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def restart(self) -> None:
        """End the process and begin another on the same port and folder."""
        self.stop()
        self._begin()

    def _begin(self) -> None:
        assert self._folder is not None
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=self._folder.name,
            user=self.user,
        )
        wait_until(self._answers, 30, f"{self.names[0]} to answer", self.log)

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            pytest.fail(f"{self.names[0]} ended with {self._process.returncode}\n{self.log()}")
        return self._is_ready()

    def _is_ready(self) -> bool:
        try:
            return requests.get(self.url + self.ready, timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def _find(self, name: str) -> str | None:
        return shutil.which(name)

    def _end(self) -> None:
        self.stop()
        if self._log is not None:
            self._log.close()
        if self._folder is not None:
            self._folder.cleanup()


class NodeExporter(Server):
    """Facts about this machine, and about itself."""

    names = ("prometheus-node-exporter", "node_exporter")
    ready = "/"

    def arguments(self, folder: Path) -> list[str]:
        return [f"--web.listen-address={self.address}", "--collector.disable-defaults", "--collector.loadavg"]


class Alertmanager(Server):
    """An Alertmanager that sends what it hears to `webhook`, or nothing anywhere."""

    names = ("prometheus-alertmanager", "alertmanager")

    def __init__(self, webhook: str = "") -> None:
        super().__init__()
        self._webhook = webhook

    def arguments(self, folder: Path) -> list[str]:
        config = folder / "alertmanager.yml"
        hooks = [{"url": self._webhook, "send_resolved": True}] if self._webhook else []
        route = {"receiver": "us", "group_wait": "100ms", "group_interval": "1s"}
        config.write_text(json.dumps({"route": route, "receivers": [{"name": "us", "webhook_configs": hooks}]}))
        return [
            f"--config.file={config}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
        ]


class Prometheus(Server):
    """A Prometheus that scrapes `targets` (job → host:port) and, as job ``prometheus``, itself."""

    names = ("prometheus",)
    flags: Sequence[str] = ()
    scraped_with: Mapping[str, Any] = {}

    def __init__(self, targets: Mapping[str, str], scrape_interval: str = "1s") -> None:
        super().__init__()
        self._targets = {"prometheus": self.address} | dict(targets)
        self._interval = scrape_interval

    def arguments(self, folder: Path) -> list[str]:
        config = folder / "prometheus.yml"
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [at] if at else []}], **self.scraped_with}
            for job, at in self._targets.items()
        ]
        settings = {"global": {"scrape_interval": self._interval}, "scrape_configs": jobs}
        config.write_text(json.dumps(settings))  # JSON is YAML
        return [
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={self.address}",
            *self.flags,
        ]

    def scrape(self, targets: Mapping[str, str]) -> None:
        """Watch other targets from now on; a job whose target is empty has none, and its series are marked stale."""
        assert self._folder is not None
        assert self._process is not None
        self._targets = dict(targets)
        self.arguments(Path(self._folder.name))
        self._process.send_signal(signal.SIGHUP)


class History(Prometheus):
    """A Prometheus that scrapes nothing and has a past, given as OpenMetrics text."""

    block = "8760h"
    """A block's length; a year by default: promtool reads the text once for each."""

    def __init__(self, text: str) -> None:
        super().__init__({})
        self._targets = {}
        self._text = text

    def arguments(self, folder: Path) -> list[str]:
        source = folder / "history.txt"
        source.write_text(self._text)
        command = ["promtool", "tsdb", "create-blocks-from", f"--max-block-duration={self.block}", "openmetrics"]
        made = subprocess.run([*command, str(source), str(folder / "data")], capture_output=True, check=False)
        if made.returncode:
            pytest.fail(f"promtool failed: {made.stderr.decode()}")
        more = ["--storage.tsdb.retention.time=100y", "--query.max-samples=500000000"]
        return [*super().arguments(folder), *more]


class VictoriaMetrics(Server):
    """A VictoriaMetrics, which speaks Prometheus's API; `load` brings samples."""

    names = ("victoria-metrics",)
    ready = "/health"

    def arguments(self, folder: Path) -> list[str]:
        return [
            f"-storageDataPath={folder / 'data'}",
            f"-httpListenAddr={self.address}",
            "-retentionPeriod=100y",
            "-search.maxUniqueTimeseries=10000000",
        ]

    def load(self, text: str) -> None:
        """Take lines with times [ms], and see to it that queries find them."""
        for path, body in (("/api/v1/import/prometheus", text.encode()), ("/internal/force_flush", b"")):
            requests.post(self.url + path, data=body, timeout=300).raise_for_status()


class Postgres(Server):
    """A PostgreSQL that trusts everybody on its port, with as many databases as are asked for."""

    names = ("postgres",)
    package = "postgresql"
    ends_on = signal.SIGINT  # on SIGTERM it waits for its clients

    def __init__(self) -> None:
        super().__init__()
        self.user = "postgres" if os.geteuid() == 0 else None
        self.owner = self.user or getpass.getuser()
        self._databases = itertools.count()

    def arguments(self, folder: Path) -> list[str]:
        if self.user:
            shutil.chown(folder, self.user)
        data = folder / "data"
        self._call("initdb", "--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8", "-D", str(data))
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        return ["-D", str(data), "-p", str(self.port), *(f"--{name}={value}" for name, value in settings.items())]

    def database(self, template: str = "template1") -> str:
        """Make a database like `template`, which nobody may be connected to; returns how libpq finds it."""
        name = f"test_{next(self._databases)}"
        self._call("createdb", *self._as_owner(), "--template", template, name)
        return f"dbname={name} host=127.0.0.1 port={self.port} user={self.owner}"

    def run(self, database: str, sql: str) -> None:
        """Run a statement in a database."""
        self._call("psql", *self._as_owner(), "--quiet", "--set=ON_ERROR_STOP=1", "--command", sql, database)

    def _as_owner(self) -> list[str]:
        return ["--host=127.0.0.1", f"--port={self.port}", f"--username={self.owner}"]

    def _is_ready(self) -> bool:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        ready = self._find("pg_isready")
        command = [str(ready), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def _call(self, name: str, *arguments: str) -> None:
        program = self._find(name)
        assert program is not None
        done = subprocess.run([program, *arguments], user=self.user, cwd="/", capture_output=True, check=False)
        if done.returncode:
            pytest.fail(f"{name} failed: {done.stderr.decode()}")

    def _find(self, name: str) -> str | None:
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian keeps them off the path
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        return str(found) if found else shutil.which(name)


class Redis(Server):
    """A Redis that keeps nothing."""

    names = ("redis-server",)

    def arguments(self, folder: Path) -> list[str]:
        return ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]

    def _is_ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass(frozen=True)
class Reply:
    """What `FaultyServer` answers.

    With `cut`, only so many bytes of the body are sent before the connection is closed; with `stall`, the server
    falls silent there instead; with `drip`, a byte comes every so many seconds. With `silent`, nothing at all is
    answered; with status 0, the server hangs up.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    stall: int | None = None
    drip: float = 0.0
    silent: bool = False


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    path: str
    headers: Mapping[str, str]
    fields: Mapping[str, str]
    method: str = "POST"
    body: bytes = b""


class FaultyServer:
    """Answers each request with the next of `replies`, then with the last again and again, or as `choose` says.

    Its clock is `skew` seconds ahead; with `keep_alive`, connections stay open; with `tls`, they are encrypted.
    It listens at `port`, or at a free one.
    """

    def __init__(
        self,
        *replies: Reply,
        choose: Callable[[Request], Reply] | None = None,
        skew: float = 0.0,
        keep_alive: bool = False,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self._replies: Sequence[Reply] = replies
        self._choose = choose or self._next
        self._left = threading.Event()
        self.requests: list[Request] = []
        self.connections = 0
        self.most_at_once = 0
        self._inside: set[int] = set()
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10
            protocol_version = "HTTP/1.1" if keep_alive else "HTTP/1.0"

            def setup(self) -> None:
                super().setup()
                owner.connections += 1

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string(time.time() + skew)

            def do_POST(self) -> None:
                owner._answer(self)

            do_GET = do_PATCH = do_POST  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = False  # closing waits for them
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="faulty server")
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _next(self, request: Request) -> Reply:
        """The reply to the request that came last."""
        return self._replies[min(len(self.requests), len(self._replies)) - 1]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        fields = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        request = Request(handler.path, dict(handler.headers), fields, handler.command, body)
        with self._lock:
            self.requests.append(request)
            self._inside.add(threading.get_ident())
            self.most_at_once = max(self.most_at_once, len(self._inside))
        try:
            self._send(handler, self._choose(request))
        finally:
            self._leave()

    def _leave(self) -> None:
        """The request of this thread is under way no longer."""
        with self._lock:
            self._inside.discard(threading.get_ident())

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        try:
            if reply.silent:
                self._left.wait()
            if reply.silent or not reply.status:
                return
            handler.send_response(reply.status)
            for name, value in ({"Content-Length": str(len(reply.body))} | dict(reply.headers)).items():
                handler.send_header(name, value)
            handler.end_headers()
            if reply.drip:
                for place, byte in enumerate(reply.body, 1):
                    if place == len(reply.body):  # whoever has the last byte may ask again at once
                        self._leave()
                    handler.wfile.write(bytes([byte]))
                    handler.wfile.flush()
                    if self._left.wait(reply.drip):
                        break
                return
            handler.wfile.write(reply.body[: reply.cut if reply.stall is None else reply.stall])
            if reply.stall is not None:
                handler.wfile.flush()
                self._left.wait()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has seen enough


def success(result: object, kind: str = "vector", **more: object) -> Reply:
    """An answer as Prometheus gives it."""
    return Reply(
        body=json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()
    )


def refusal(status: int, error: str, kind: str = "bad_data", **headers: str) -> Reply:
    """A refusal as Prometheus words it."""
    body = json.dumps({"status": "error", "errorType": kind, "error": error}).encode()
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
