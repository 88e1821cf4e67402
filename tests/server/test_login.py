"""The real dashboard asks who somebody is, by key, password or a provider elsewhere; the API takes its login."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from support.servers import HANGS_AFTER, FaultyServer, Reply, Request, free_port, wait_until

from observatory.access import Role, authenticator_of
from observatory.config import Settings
from observatory.config.login_file import remove_password, write_password
from observatory.errors import ConfigError
from observatory.model import Service
from observatory.runtime import Runtime
from observatory.server.login import safe_next
from observatory.server.panel import panel_arguments
from observatory.server.preflight import require_free_port, require_sign_in

pytestmark = pytest.mark.servers

CROSSED = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


@contextmanager
def served(folder: Path, *arguments: str, **more: str) -> Iterator[str]:
    """Address of a server whose store is in `folder`, with a service of ours and one of theirs, and its log."""
    store = str(folder / "x.duckdb")
    runtime = Runtime(Settings(store=store, worker=False))
    runtime.store.register([Service("ours/api"), Service("theirs/secret")])
    runtime.close()
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVATORY_")}
    quick = {"STORE": store, "WORKER": "false", "DEMO_DAYS": "0.01", "DETECTOR": "seasonal"}
    environment |= {f"OBSERVATORY_{name}": value for name, value in quick.items()} | more
    command = [sys.executable, "-m", "observatory", "serve", *arguments, "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        base = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _alive(base), HANGS_AFTER, "the server", (folder / "log").read_text)
            yield base
        finally:
            process.terminate()
            process.wait()
    said = (folder / "log").read_text()
    assert "Traceback" not in said, said


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """Address of a server on every address of the machine, the key of one team, and its log."""
    folder = tmp_path_factory.mktemp("guarded")
    runtime = Runtime(Settings(store=str(folder / "x.duckdb"), worker=False))
    _, text = authenticator_of(runtime).keys.create("team", Role.OPERATOR, ["ours/*"])
    runtime.close()
    with served(folder, "--host", "0.0.0.0") as base:
        yield base, text, folder / "log"


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of a server with a login by name and password, and the file of these."""
    folder = tmp_path_factory.mktemp("named")
    (folder / "observatory.toml").write_text(
        '[users.ann]\nrole = "operator"\nservices = ["ours/*"]\n[users.eve]\nrole = "admin"\n'
    )
    file = folder / "passwords.json"
    for user, password in {"ann": "correct horse ", "bob": "b", "eve": "e"}.items():
        write_password(file, user, password)
    settings = {"LOGIN": "basic", "LOGIN_FILE": str(file), "SIGN_IN_LIMIT": "3/minute", "TRUSTED_PROXIES": "127.0.0.1"}
    with served(folder, **{f"OBSERVATORY_{name}": value for name, value in settings.items()}) as base:
        yield base, file


def _alive(base: str) -> bool:
    try:
        return requests.get(f"{base}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


def sign_in(base: str, user: str, password: str, **headers: str) -> tuple[requests.Session, requests.Response]:
    """A session after it sent the form of names and passwords, and the answer."""
    session, form = requests.Session(), {"username": user, "password": password}
    login = f"{base}/login?next=/observatory"
    return session, session.post(login, data=form, headers=headers, timeout=30, allow_redirects=False)


def register(session: requests.Session, base: str, service: str, **headers: str) -> int:
    """The status of registering a service."""
    body = {"service_name": service}
    return session.post(f"{base}/api/services/register", json=body, headers=headers, timeout=30).status_code


def names_of(session: requests.Session, base: str) -> list[str]:
    """The services that the API shows."""
    found = session.get(f"{base}/api/services", timeout=30).json()["services"]
    return [service["service_name"] for service in found]


def sees_only_ours(session: requests.Session, base: str) -> None:
    """Page and API show our services and no others, and another site's page may not write with this login."""
    page = session.get(f"{base}/observatory", timeout=60).text
    assert "ours/api" in page
    assert "secret" not in page
    assert names_of(session, base) == ["ours/api"]
    assert register(session, base, "ours/b", **CROSSED) == 403


def is_bound_to_this_site(cookie: str) -> bool:
    return "HttpOnly" in cookie and "SameSite=Lax" in cookie


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
        assert is_bound_to_this_site(answer.headers["Set-Cookie"])
        sees_only_ours(session, base)
        session.get(f"{base}/logout", timeout=30)
        assert session.get(f"{base}/api/services", timeout=30).status_code == 401
    assert text[17:] not in log.read_text()


def test_a_password_signs_in_with_the_role_and_services_of_its_user(named: tuple[str, Path]) -> None:
    base, _ = named
    form = requests.get(f"{base}/observatory", timeout=30)
    assert "/login" in form.url
    assert 'name="password"' in form.text
    assert requests.get(f"{base}/api/services", timeout=30).status_code == 401
    session, answer = sign_in(base, "ann", "correct horse ")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/observatory")
    assert is_bound_to_this_site(answer.headers["Set-Cookie"])
    sees_only_ours(session, base)
    assert register(session, base, "theirs/b") == 403
    assert register(session, base, "ours/b") == 201
    assert session.get(f"{base}/api/audit", timeout=30).status_code == 403
    admin, _ = sign_in(base, "eve", "e")
    entries = admin.get(f"{base}/api/audit?who=login:ann", timeout=30).json()["entries"]
    told = {(entry["action"], entry["target"], entry["result"]) for entry in entries}
    assert {("sign in", "dashboard", "302"), ("POST /api/services/register", "ours/b", "201")} <= told
    session.get(f"{base}/logout", timeout=30)
    assert session.get(f"{base}/api/services", timeout=30).status_code == 401


def test_a_password_is_not_to_be_guessed(named: tuple[str, Path]) -> None:
    base, _ = named
    there = {"X-Forwarded-For": "203.0.113.9"}
    for user, password in (("ann", "correct horse"), ("ann", ""), ("ann", "correct horse  ")):
        session, answer = sign_in(base, user, password, **there)
        assert (answer.status_code, dict(session.cookies)) == (401, {})
        assert "The user or the password is unknown." in answer.text
    _, answer = sign_in(base, "ann", "correct horse ", **there)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    session, answer = sign_in(base, "eve", "e", **there)  # somebody else at the same address
    assert answer.status_code == 302
    session, answer = sign_in(base, "ann", "correct horse ", **CROSSED)
    assert (answer.status_code, dict(session.cookies)) == (403, {})
    session, answer = sign_in(base, "bob", "b")  # the password is right, and grants nothing
    assert (answer.status_code, dict(session.cookies)) == (403, {})
    assert "an entry [users] in the settings grants it" in answer.text
    admin, _ = sign_in(base, "eve", "e")
    refused = admin.get(f"{base}/api/audit?who=nobody&refused=true", timeout=30).json()["entries"]
    assert [entry["result"] for entry in refused if entry["action"] == "sign in"] == ["403", "401", "401", "401"]


@pytest.mark.parametrize(
    "change", [lambda file: remove_password(file, "eve"), lambda file: write_password(file, "eve", "another")]
)
def test_who_is_taken_out_of_the_file_or_has_another_password_is_signed_out(
    named: tuple[str, Path], change: Callable[[Path], None]
) -> None:
    base, file = named
    known = file.read_text()
    session, _ = sign_in(base, "eve", "e")
    assert session.get(f"{base}/api/services", timeout=30).ok
    change(file)
    try:
        assert session.get(f"{base}/api/services", timeout=30).status_code == 401
        assert "/login" in session.get(f"{base}/observatory", timeout=30).url
    finally:
        file.write_text(known)


def test_a_provider_signs_in_and_the_api_takes_the_session(tmp_path: Path) -> None:
    who = "ann@example.com"

    def provider(request: Request) -> Reply:
        parts = urlsplit(request.path)
        if parts.path == "/authorize":
            asked = dict(parse_qsl(parts.query))
            back = urlencode({"code": "once", "state": asked["state"]})
            return Reply(302, headers={"Location": f"{asked['redirect_uri']}?{back}"})
        if parts.path == "/token":
            knows = (request.fields["client_id"], request.fields["client_secret"], request.fields["code"])
            return json_reply({"access_token": "granted"} if knows == ("us", "between us", "once") else {"error": "no"})
        return json_reply({"email": who} if request.headers["Authorization"] == "Bearer granted" else {})

    def json_reply(content: dict[str, str]) -> Reply:
        return Reply(body=json.dumps(content).encode(), headers={"Content-Type": "application/json"})

    (tmp_path / "observatory.toml").write_text('[users."ann@example.com"]\nrole = "operator"\nservices = ["ours/*"]\n')
    with FaultyServer(choose=provider) as elsewhere:
        settings = {
            "OBSERVATORY_LOGIN": "generic",
            "OBSERVATORY_LOGIN_ROLE": "viewer",
            "PANEL_OAUTH_KEY": "us",
            "PANEL_OAUTH_SECRET": "between us",
            "PANEL_OAUTH_ENCRYPTION": urlsafe_b64encode(b"x" * 32).decode(),
            "PANEL_OAUTH_AUTHORIZE_URL": f"{elsewhere.url}/authorize",
            "PANEL_OAUTH_TOKEN_URL": f"{elsewhere.url}/token",
            "PANEL_OAUTH_USER_URL": f"{elsewhere.url}/user",
        }
        with served(tmp_path, **settings) as base, requests.Session() as session:
            assert session.get(f"{base}/api/services", timeout=30).status_code == 401
            page = session.get(f"{base}/observatory", timeout=60)
            assert page.url == f"{base}/observatory"
            assert "ours/api" in page.text
            assert "secret" not in page.text
            granted = next(answer for answer in page.history if "user" in answer.cookies)
            assert all(map(is_bound_to_this_site, granted.raw.headers.getlist("Set-Cookie")[-3:]))
            assert names_of(session, base) == ["ours/api"]
            assert register(session, base, "ours/b") == 201
            assert register(session, base, "ours/c", **CROSSED) == 403
            assert register(session, base, "theirs/b") == 403
            who = "dan@example.com"  # of whom the settings say nothing
            with requests.Session() as other:
                other.get(f"{base}/observatory", timeout=60)
                assert {"ours/api", "theirs/secret"} <= set(names_of(other, base))
                assert register(other, base, "ours/c") == 403
            forged = requests.get(f"{base}/login", params={"code": "once", "state": "forged"}, timeout=30)
            assert (forged.status_code, "user" in forged.cookies) == (401, False)


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""])
def test_the_login_leads_nowhere_else(to: str) -> None:
    assert safe_next(to) == "/"
    assert safe_next("/observatory?view=radar") == "/observatory?view=radar"


def test_other_addresses_are_bound_only_where_one_must_sign_in() -> None:
    runtime = Runtime(Settings(store=":memory:", host="0.0.0.0"))
    with pytest.raises(ConfigError, match=r"host = '0\.0\.0\.0'.*nobody could sign in: make a key first"):
        require_sign_in(runtime)
    authenticator_of(runtime).keys.create("a", Role.VIEWER, ["*"])
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


@pytest.mark.parametrize(
    ("login", "message"),
    [("nosuch", "choose one of basic, auth0, .*github"), ("github", "set PANEL_OAUTH_KEY, and PANEL_OAUTH_SECRET")],
)
def test_a_login_that_cannot_work_is_refused_at_the_start(
    login: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PANEL_OAUTH_KEY", raising=False)
    runtime = Runtime(Settings(store=":memory:", login=login))
    with pytest.raises(ConfigError, match=rf"login = '{login}': {message}"):
        require_sign_in(runtime)
    runtime.close()


def test_panel_is_told_how_to_sign_in_and_no_secret() -> None:
    secret = "-" + "c" * 32
    oauth = panel_arguments(Settings(login="github", login_hours=6, cookie_secret=secret, hosts=("obs.example",)))
    assert oauth[oauth.index("--oauth-provider") + 1] == "github"
    assert oauth[oauth.index("--oauth-expiry-days") + 1] == "0.25"
    assert secret not in "".join(oauth)
