"""Nobody takes more than a share, other origins stay out, and nothing keeps the server waiting."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import socket
import subprocess
import sys
import threading

import pytest
import requests
from api.conftest import NOW
from api.test_plugin import Server
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.api import problem
from support.servers import HANGS_AFTER, free_port, wait_until

from observatory.access import Role, authenticator_of
from observatory.api.app import create_app
from observatory.api.middleware import rate_limits
from observatory.config import Settings
from observatory.runtime import Runtime
from observatory.server import hardening

pytestmark = pytest.mark.slow


@pytest.fixture
def small():
    """A runtime over an empty store, with settings of the test."""
    made = []

    def make(**settings):
        made.append(Runtime(Settings(store=":memory:", worker=False, **settings), clock=lambda: NOW))
        return made[-1]

    yield make
    for runtime in made:
        runtime.close()


def test_too_many_requests_are_a_429_that_says_when_to_come_back(small):
    runtime = small(rate_limit="3/hour")
    client = create_app(runtime).test_client()
    left = [client.get("/api/services").headers["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = client.get("/api/services")
    problem(refused, 429)
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert client.get("/healthz").status_code == 200
    assert client.get("/api/nope").status_code == 429


def test_each_key_has_an_allowance_and_strangers_share_that_of_their_address(small):
    runtime = small(rate_limit="2/hour")
    client = create_app(runtime).test_client()
    texts = [authenticator_of(runtime).keys.create(name, Role.VIEWER, ["*"])[1] for name in ("a", "b")]
    for text in texts:
        headers = {"Authorization": f"Bearer {text}"}
        assert [client.get("/api/services", headers=headers).status_code for _ in range(3)] == [200, 200, 429]
    assert [client.get("/api/services").status_code for _ in range(3)] == [401, 401, 429]
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    assert client.get("/api/services", environ_overrides=elsewhere).status_code == 401


def test_who_guesses_keys_waits_and_the_right_one_passes_from_the_same_address(small):
    runtime = small(sign_in_limit="3/hour")
    client = create_app(runtime).test_client()
    _, text = authenticator_of(runtime).keys.create("a", Role.VIEWER, ["*"])
    wrong, right = ({"Authorization": f"Bearer {key}"} for key in ("obs_0123456789ab_" + "x" * 43, text))
    assert client.get("/api/services", headers=right).status_code == 200
    assert [client.get("/api/services", headers=wrong).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert "Retry-After" in client.get("/api/services", headers=wrong).headers
    assert client.get("/api/services", headers=right).status_code == 200
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    assert client.get("/api/services", headers=wrong, environ_overrides=elsewhere).status_code == 401


@pytest.mark.slow
def test_slow_queries_wait_for_each_other_and_not_for_ever(small, monkeypatch):
    runtime = small(slow_queries=1)
    app = create_app(runtime)
    monkeypatch.setattr(rate_limits, "PATIENCE", 0.01)
    began, go = threading.Event(), threading.Event()
    anomalies = runtime.store.anomalies

    def slow(*how, **more):
        if not began.is_set():  # the first alone: others ask for anomalies too
            began.set()
            go.wait(HANGS_AFTER)
        return anomalies(*how, **more)

    monkeypatch.setattr(runtime.store, "anomalies", slow)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(app.test_client().get("/api/health/anomalies")))
    thread.start()
    assert began.wait(HANGS_AFTER)
    refused = app.test_client().get("/api/health/anomalies")
    assert "slow queries" in problem(refused, 503)["detail"]
    assert refused.headers["Retry-After"] == "2"
    assert app.test_client().get("/api/services").status_code == 200
    go.set()
    thread.join(HANGS_AFTER)
    assert [answer.status_code for answer in answers] == [200]
    assert app.test_client().get("/api/health/anomalies").status_code == 200


LISTED = {"Origin": "https://grafana.example"}


def test_only_origins_that_are_listed_may_call(small):
    runtime = small(cors_origins=("https://grafana.example",))
    client = create_app(runtime).test_client()
    ask = {"Access-Control-Request-Method": "POST"}
    wanted = {"Access-Control-Request-Headers": "authorization,content-type,x-of-theirs"}
    granted = client.options("/api/services/register", headers=LISTED | ask | wanted)
    assert granted.status_code == 204
    assert granted.headers["Access-Control-Allow-Origin"] == "https://grafana.example"
    assert granted.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert granted.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST"
    assert granted.headers["Access-Control-Max-Age"] == "600"
    assert "Access-Control-Allow-Credentials" not in granted.headers
    assert {"Origin"} <= set(granted.vary)
    shown = client.get("/api/services", headers=LISTED)
    assert shown.headers.getlist("Access-Control-Allow-Origin") == [LISTED["Origin"]]
    assert {"ETag", "Retry-After", "X-Request-Id"} <= set(shown.headers["Access-Control-Expose-Headers"].split(", "))
    assert shown.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    refused = client.get("/api/nope", headers=LISTED)  # a page may read why
    problem(refused, 404)
    assert refused.headers.getlist("Access-Control-Allow-Origin") == [LISTED["Origin"]]
    bare = client.get("/api/services")
    assert "Access-Control-Allow-Origin" not in bare.headers
    assert "Origin" in bare.vary
    for origin in ("https://evil.example", "https://grafana.example.evil.example", "https://grafanaxexample", "null"):
        problem(client.options("/api/services", headers={"Origin": origin} | ask), 403)
        shown = client.get("/api/services", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in shown.headers
        assert "Origin" in shown.vary


def test_an_origin_with_brackets_is_itself_and_no_pattern(small):
    origin = "http://[::1]:3000"
    client = create_app(small(cors_origins=(origin,))).test_client()
    for asked, answered in ((origin, origin), ("http://1:3000", None)):
        shown = client.get("/api/services", headers={"Origin": asked})
        assert shown.headers.get("Access-Control-Allow-Origin") == answered


def test_without_listed_origins_nothing_is_said_of_them(small):
    shown = create_app(small()).test_client().get("/api/services", headers=LISTED)
    assert "Access-Control-Allow-Origin" not in shown.headers
    assert "Origin" not in shown.vary


def test_a_listed_origin_writes_with_a_key_and_never_with_a_cookie(small):
    runtime = small(cors_origins=("https://grafana.example",))
    client = create_app(runtime).test_client()
    body = {"service_name": "a"}
    problem(client.post("/api/services/register", json=body, headers=LISTED), 403)
    _, text = authenticator_of(runtime).keys.create("a", Role.OPERATOR, ["*"])
    with_key = LISTED | {"Authorization": f"Bearer {text}", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/services/register", json=body, headers=with_key).status_code == 201


@pytest.fixture
def bounded(runtime, monkeypatch, request):
    monkeypatch.setattr(hardening, "PATIENCE", getattr(request, "param", 30))
    monkeypatch.setattr("api.test_plugin.HTTPServer", hardening.BoundedServer)
    server = Server(runtime)
    yield server
    server.stop()


@pytest.mark.parametrize("bounded", [0.3], indirect=True)
@pytest.mark.parametrize(
    "beginning",
    ["GET /api/services HT", "POST /api/services/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n{"],
)
def test_who_sends_too_slowly_is_cut_off_while_others_are_served(bounded, beginning):
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", bounded.port), 30)) for _ in range(50)]
        for connection in slow:
            connection.sendall(beginning.encode())
        assert bounded.request("GET", "/api/services")[0] == 200
        for connection in slow:
            with contextlib.suppress(ConnectionResetError):
                assert b"200 OK" not in connection.recv(4096)


def test_a_body_of_ten_megabytes_is_a_413_and_a_larger_one_is_not_read(bounded):
    headers = {"Content-Type": "application/json"}
    status, _, body = bounded.request("POST", "/api/services/register", b"x" * (10 << 20), headers)
    assert (status, body["status"]) == (413, 413)
    head = f"POST /api/services/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {1 << 40}\r\n\r\n"
    assert bounded.raw(head).split()[1] == "400"


def certificate(folder):
    """A certificate of 127.0.0.1 by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(text)
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.servers
def test_pages_and_api_are_served_over_tls_with_safe_headers(tmp_path):
    cert, key = certificate(tmp_path)
    port = free_port()
    settings = {"STORE": "x.duckdb", "DEMO_DAYS": "0.01", "WORKER": "false", "TLS_CERT": cert, "TLS_KEY": key}
    environment = os.environ | {f"OBSERVATORY_{name}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "observatory", "serve", "--port", str(port)]
    base = f"https://127.0.0.1:{port}"

    def ask(path):
        return requests.get(base + path, verify=str(cert), timeout=30)

    def answers():
        with contextlib.suppress(requests.ConnectionError):
            return ask("/healthz").ok

    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until(answers, HANGS_AFTER, "the server", (tmp_path / "log").read_text)
            assert strict_ok(ask("/api/health/summary"))
            page = ask("/observatory")
            assert page.status_code == 200
            for name in hardening.PAGE_HEADERS:
                assert name in page.headers, name
            assert "max-age" in page.headers["Strict-Transport-Security"]
            assert "Server" not in page.headers
        finally:
            process.terminate()
            process.wait()


def strict_ok(response):
    return response.status_code == 200 and response.json()


def test_a_certificate_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"there is no file .*cert\.pem"):
        Settings(tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem")
    (tmp_path / "cert.pem").touch()
    with pytest.raises(ValueError, match="belong together"):
        Settings(tls_cert=tmp_path / "cert.pem")


def test_the_window_of_a_request_is_bounded(reader):
    body = problem(reader.get("/api/incidents?start=1971-01-01T00:00:00Z"), 400)
    assert "more than 400 days" in body["detail"]
