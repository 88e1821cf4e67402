"""`doctor --security` finds what makes a set-up unsafe, says what to change, and is content once it is changed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support.commands import caller
from support.secure import Certificates
from support.servers import free_port

from observatory.access import Role, authenticator_of
from observatory.config import Settings
from observatory.runtime import Runtime
from observatory.runtime.doctor import Finding, Level
from observatory.runtime.security import examine_security
from observatory.server.hardening import PAGE_HEADERS

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
STORE = "a.duckdb"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)


def look(now: datetime = NOW, **settings: Any) -> list[Finding]:
    return list(examine_security(Settings(**{"store": STORE, "port": free_port()} | settings), now))


def bad(found: list[Finding], level: Level = Level.BROKEN) -> list[str]:
    assert all(one.todo for one in found if one.level is not Level.OK)
    return [f"{one.what}: {one.detail}" for one in found if one.level is level]


def make_key(role: Role = Role.ADMIN, expires: timedelta | None = timedelta(days=30)) -> None:
    runtime = Runtime(Settings(store=STORE, worker=False))
    authenticator_of(runtime).keys.create(str(role), role, ["*"], expires)
    runtime.close()


def test_a_fresh_set_up_on_loopback_is_told_that_it_is_open() -> None:
    found = look()
    assert bad(found) == []
    assert "sign-in: not asked for: whoever is on this machine may read and change everything" in bad(
        found, Level.WARNING
    )


def test_other_machines_without_https_or_a_way_to_sign_in() -> None:
    told = bad(look(host="0.0.0.0"))
    assert any("cookies go over the network unencrypted" in one for one in told)
    assert any("not asked for, and others reach the server" in one for one in told)
    make_key()
    told = bad(look(host="0.0.0.0"))
    assert len(told) == 1
    assert bad(look()) == []


def test_keys_without_an_end_and_keys_nobody_uses() -> None:
    make_key(expires=None)
    assert bad(look(), Level.WARNING)[0] == "keys: may write and never expire: admin"
    later = bad(look(NOW + timedelta(days=91)), Level.WARNING)
    assert "keys: not used for 90 days: admin" in later


def test_files_that_others_may_read_or_replace(tmp_path: Path) -> None:
    make_key()
    assert bad(look()) == []
    (tmp_path / "runs").mkdir(0o700)
    (tmp_path / "runs" / "report.html").touch(0o600)
    for name, mode in ((STORE, 0o640), ("runs/report.html", 0o604)):
        before = (tmp_path / name).stat().st_mode
        (tmp_path / name).chmod(mode)
        (told,) = bad(look())
        assert f"others may read or write {name}" in told
        (tmp_path / name).chmod(before & 0o777)
    tmp_path.chmod(0o777)
    assert bad(look()) == [f"files: others may replace files in {tmp_path}"]
    tmp_path.chmod(0o700)


def test_a_certificate_that_ends_and_a_key_of_another_one(certificates: Certificates, tmp_path: Path) -> None:
    make_key()
    cert, key = certificates.of("server")
    tls = {"tls_cert": cert, "tls_key": key}
    assert [one for one in bad(look(**tls)) if "certificate" in one] == []
    assert any("certificate: expired on" in one for one in bad(look(NOW + timedelta(days=9999), **tls)))
    other = tls | {"tls_key": certificates.of("client")[1]}
    assert any("the key is another one's" in one for one in bad(look(**other)))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"trusted_proxies": ["0.0.0.0/0"], "hosts": ["x"]}, "may pretend to be anybody"),
        ({"prometheus_url": "http://10.1.2.3", "prometheus_token": "canary"}, "its log-in goes over the network"),
        ({"prometheus_url": "https://10.1.2.3", "prometheus_verify": False}, "its certificate is not checked"),
    ],
)
def test_settings_that_let_others_in(settings: dict[str, Any], told: str) -> None:
    make_key()
    found = bad(look(**settings))
    assert any(told in one for one in found)
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"prometheus_url": "https://10.1.2.3"}, "it is asked without a log-in"),
        ({"cors_origins": ["http://x.example"]}, "anybody on its way may change that page"),
        ({"trusted_proxies": ["10.0.0.1"]}, "no public name is set"),
        ({"limits_store": "redis://:canary@10.0.0.1/0"}, "Redis is spoken to unencrypted"),
    ],
)
def test_settings_that_are_worth_a_word(settings: dict[str, Any], told: str) -> None:
    make_key()
    found = bad(look(**settings), Level.WARNING)
    assert any(told in one for one in found)
    assert "canary" not in str(found)


@contextmanager
def serving(headers: dict[str, str], statuses: dict[str, int], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that sends `headers`, and the status of ``own`` or ``foreign`` names."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses["foreign" if "elsewhere" in self.headers["Host"] else "own"])
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_server_is_asked_as_a_stranger_would() -> None:
    make_key()
    good = {**PAGE_HEADERS}
    with serving(good, {"own": 401, "foreign": 421}) as port:
        assert bad(look(port=port)) == []
    with serving({}, {"own": 401, "foreign": 421}) as port:
        assert "lacks headers: Content-Security-Policy at /observatory" in bad(look(port=port))[0]
    with serving(good, {"own": 200, "foreign": 421}) as port:
        assert "shows /observatory, /api/services to whoever does not sign in" in bad(look(port=port))[0]
    with serving(good, {"own": 401, "foreign": 200}) as port:
        assert "answers under any name" in bad(look(port=port))[0]


def test_the_command_says_it_as_json_and_fails_where_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_key()
    monkeypatch.setenv("OBSERVATORY_STORE", STORE)
    monkeypatch.setenv("OBSERVATORY_PORT", str(free_port()))
    call = caller(monkeypatch, capsys)
    assert call("doctor", "--security")[0] == 0
    monkeypatch.setenv("OBSERVATORY_HOST", "0.0.0.0")
    code, out, _ = call("doctor", "--security", "--json")
    assert code == 1
    assert json.loads(out)[0]["what"] == "binding"
