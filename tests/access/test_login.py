"""The real dashboard asks for a key once there is one, and the API takes its login."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from servers import free_port, wait_until

from observatory.access import Role, gate_of
from observatory.access.login import safe_next
from observatory.config import Settings
from observatory.errors import ConfigError
from observatory.model import Service
from observatory.runtime import Runtime
from observatory.serve import panel_arguments, require_free_port, require_sign_in

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """Address of a server on every address of the machine, the key of one team, and its log."""
    folder = tmp_path_factory.mktemp("guarded")
    store = str(folder / "x.duckdb")
    runtime = Runtime(Settings(store=store, worker=False))
    runtime.store.register([Service("ours/api"), Service("theirs/secret")])
    _, text = gate_of(runtime).keys.create("team", Role.OPERATOR, ["ours/*"])
    runtime.close()
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    environment |= {"OBSERVATORY_STORE": store, "OBSERVATORY_WORKER": "false", "OBSERVATORY_DEMO_DAYS": "0.01"}
    command = [sys.executable, "-m", "observatory", "serve", "--host", "0.0.0.0", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        base = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _alive(base), 60, "the server", (folder / "log").read_text)
            yield base, text, folder / "log"
        finally:
            process.terminate()
            process.wait()


def _alive(base: str) -> bool:
    try:
        return requests.get(f"{base}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_pages_lead_to_the_login_and_the_api_is_closed(guarded: tuple[str, str, Path]) -> None:
    base, _, _ = guarded
    shown = requests.get(f"{base}/observatory", timeout=30)
    assert "/login" in shown.url
    assert "API key" in shown.text
    assert not re.search(r'(src|href)="https?:', shown.text)
    refused = requests.get(f"{base}/api/services", timeout=30)
    assert (refused.status_code, refused.json()["status"]) == (401, 401)
    forged = {"user": "admin", "id_token": "x"}
    assert "/login" in requests.get(f"{base}/observatory", cookies=forged, timeout=30).url
    assert requests.get(f"{base}/api/services", cookies=forged, timeout=30).status_code == 401


@pytest.mark.parametrize(
    "key", ["", "admin", "obs_000000000000_" + "x" * 43, "<script>alert(1)</script>", "a" * 10_000]
)
def test_only_a_key_signs_in(guarded: tuple[str, str, Path], key: str) -> None:
    refused = requests.post(f"{guarded[0]}/login", data={"key": key}, timeout=30)
    assert refused.status_code == 401
    assert "unknown" in refused.text
    assert "<script>alert" not in refused.text
    assert "user" not in refused.cookies


def test_another_site_signs_nobody_in(guarded: tuple[str, str, Path]) -> None:
    base, text, _ = guarded
    refused = requests.post(f"{base}/login", data={"key": text}, headers={"Sec-Fetch-Site": "cross-site"}, timeout=30)
    assert (refused.status_code, dict(refused.cookies)) == (403, {})


def test_a_key_signs_in_to_the_dashboard_and_the_api_of_its_services(guarded: tuple[str, str, Path]) -> None:
    base, text, log = guarded
    with requests.Session() as session:
        answer = session.post(f"{base}/login?next=/observatory", data={"key": text}, timeout=30, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/observatory")
        assert "HttpOnly" in answer.headers["Set-Cookie"]
        assert "SameSite=Lax" in answer.headers["Set-Cookie"]
        page = session.get(f"{base}/observatory", timeout=60).text
        assert "ours/api" in page
        assert "secret" not in page
        found = session.get(f"{base}/api/services", timeout=30).json()
        assert [service["service_name"] for service in found["services"]] == ["ours/api"]
        crossed = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        post = session.post(
            f"{base}/api/services/register", json={"service_name": "ours/b"}, headers=crossed, timeout=30
        )
        assert post.status_code == 403
        session.get(f"{base}/logout", timeout=30)
        assert session.get(f"{base}/api/services", timeout=30).status_code == 401
    assert text[17:] not in log.read_text()


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""])
def test_the_login_leads_nowhere_else(to: str) -> None:
    assert safe_next(to) == "/"
    assert safe_next("/observatory?view=radar") == "/observatory?view=radar"


def test_other_addresses_are_bound_only_where_one_must_sign_in() -> None:
    runtime = Runtime(Settings(store=":memory:", host="0.0.0.0"))
    with pytest.raises(ConfigError, match=r"host = '0\.0\.0\.0'.*nobody could sign in: make a key first"):
        require_sign_in(runtime)
    gate_of(runtime).keys.create("a", Role.VIEWER, ["*"])
    require_sign_in(runtime)
    runtime.close()
    runtime = Runtime(Settings(store=":memory:"))
    require_sign_in(runtime)
    runtime.close()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1|no address of this machine"):
        require_free_port("192.0.2.1", 5006)
    with pytest.raises(ConfigError, match="no address of this machine"):
        require_free_port("no such host", 5006)


def test_panel_is_told_how_to_sign_in(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    basic = panel_arguments(Settings(login="basic", login_file=file, hosts=("obs.example",)))
    assert basic[basic.index("--basic-auth") + 1] == str(file)
    assert {"--allow-websocket-origin=obs.example", "--allow-websocket-origin=obs.example:5006"} <= set(basic)
    oauth = panel_arguments(Settings(login="github", cookie_secret="-" + "c" * 32))
    assert oauth[oauth.index("--oauth-provider") + 1] == "github"
    assert f"--cookie-secret=-{'c' * 32}" in oauth  # one word, or a leading dash is taken for an option
    assert "--auth-module" in panel_arguments(Settings())
