"""Every write and every refused access is written down: who, what, when, from where, and how it ended."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from api.conftest import NOW
from support.api import problem, strict

from observatory.access import Role, authenticator_of
from observatory.access.audit import Audit
from observatory.api.app import create_app
from observatory.config import Settings
from observatory.errors import StoreError
from observatory.model import Service
from observatory.runtime import Runtime

pytestmark = pytest.mark.slow


@pytest.fixture
def watched(tmp_path):
    """A runtime over an empty store that also writes a file, with a client and the headers of an admin."""
    settings = Settings(store=":memory:", worker=False, audit_file=tmp_path / "audit.jsonl")
    runtime = Runtime(settings, clock=lambda: NOW)
    headers = {
        str(role): {"Authorization": f"Bearer {authenticator_of(runtime).keys.create(str(role), role, ['ours/*'])[1]}"}
        for role in (Role.VIEWER, Role.OPERATOR)
    }
    headers["admin"] = {
        "Authorization": f"Bearer {authenticator_of(runtime).keys.create('admin', Role.ADMIN, ['*'])[1]}"
    }
    yield create_app(runtime).test_client(), headers, tmp_path / "audit.jsonl", runtime
    runtime.close()


def test_writes_and_refusals_are_written_down_and_reads_are_not(watched):
    client, headers, file, _ = watched
    client.get("/api/services", headers=headers["viewer"])
    client.post("/api/services/register", json={"service_name": "ours/a"}, headers=headers["operator"])
    client.post("/api/services/register", json={"service_name": "theirs/a"}, headers=headers["operator"])
    client.post("/api/services/register", json={"service_name": "ours/b"}, headers=headers["viewer"])
    client.post("/api/collect/ours/none", headers=headers["operator"])
    client.get("/api/metrics/history?service=ours/a", environ_overrides={"REMOTE_ADDR": "10.0.0.9"})
    client.get("/api/audit", headers=headers["viewer"])
    entries = strict(client.get("/api/audit", headers=headers["admin"]))["entries"]
    found = {(e["who"], e["action"], e["target"], e["result"], e["address"]) for e in entries}
    register = "POST /api/services/register"
    assert found == {
        ("key:operator", register, "ours/a", "201", "127.0.0.1"),
        ("key:operator", register, "theirs/a", "403", "127.0.0.1"),
        ("key:viewer", register, "ours/b", "403", "127.0.0.1"),
        ("key:operator", "POST /api/collect/<name:service>", "ours/none", "404", "127.0.0.1"),
        ("nobody", "GET /api/metrics/history", "ours/a", "401", "10.0.0.9"),
        ("key:viewer", "GET /api/audit", "/api/audit", "403", "127.0.0.1"),
    }
    assert all(entry["at"] == "2026-03-02T09:15:00Z" for entry in entries)
    assert any("role operator" in entry["detail"] for entry in entries)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert {line["target"] for line in lines} == {entry["target"] for entry in entries}
    refused = strict(client.get("/api/audit?refused=true", headers=headers["admin"]))["entries"]
    assert len(refused) == 4
    assert len(strict(client.get("/api/audit?who=nobody", headers=headers["admin"]))["entries"]) == 1


def test_entries_hold_no_secret_and_one_line(watched):
    client, headers, file, runtime = watched
    client.get("/api/services", headers={"Authorization": "Bearer canary-in-a-header"})
    client.post("/api/collect/a%0Ab", headers=headers["operator"])
    authenticator_of(runtime).audit.flush()
    text = file.read_text()
    assert "canary" not in text
    assert len(text.splitlines()) == 2
    for key in headers.values():
        assert key["Authorization"][30:] not in text


def test_more_than_can_wait_is_counted(watched, monkeypatch):
    runtime = watched[3]
    monkeypatch.setattr("observatory.access.audit.MOST_WAITING", 100)
    audit = Audit(runtime)
    monkeypatch.setattr(audit, "_write_soon", lambda: None)
    for number in range(105):
        audit.record("nobody", f"GET {number}", "", 401)
    audit.flush()
    kept = runtime.store.audit.read(NOW, limit=1000)
    assert len(kept) == 101
    assert "5 entries came faster" in next(entry.detail for entry in kept if entry.who == "audit")


def test_a_flood_of_refusals_is_summed_up_by_network(watched):
    runtime = watched[3]
    audit = authenticator_of(runtime).audit
    for number in range(5000):
        audit.record("nobody", "GET /api/services", f"/api/services?{number}", 401, f"2001:db8::{number:x}")
    for number in range(5000):
        audit.record("nobody", "GET /api/services", "x", 401, f"2001:db9:0:{number:x}::1")
    audit.record("key:ann", "POST /api/feedback", "ours/a", 200)
    audit.flush(at_the_end=True)
    kept = runtime.store.audit.read(NOW, limit=10_000)
    assert [entry.result for entry in kept].count("200") == 1
    flood = [entry for entry in kept if entry.target.startswith("/api/services?") and not entry.detail]
    assert len(flood) == 10
    (total,) = [entry for entry in kept if entry.address == "2001:db8::/64"]
    assert total.detail == "4,990 more since 09:15:00, the last: /api/services?4999"
    (others,) = [entry for entry in kept if entry.address == "others"]
    assert others.detail.startswith("4,001 more")
    assert len(kept) < 1100


def test_a_flood_begins_anew_after_its_time(watched, monkeypatch):
    runtime = watched[3]
    audit = Audit(runtime)
    monkeypatch.setattr(audit, "_start", lambda: None)
    now = [0.0]
    monkeypatch.setattr("observatory.access.audit.time", SimpleNamespace(monotonic=lambda: now[0]))
    for _ in range(3):
        for _ in range(100):
            audit.record("nobody", "GET", "x", 401, "10.0.0.1")
        now[0] += 61
        audit.flush()
    kept = runtime.store.audit.read(NOW, limit=1000)
    assert sorted("90 more" in entry.detail for entry in kept) == [False] * 30 + [True] * 3


def test_old_entries_are_removed(watched):
    runtime = watched[3]
    audit = authenticator_of(runtime).audit
    audit.record("nobody", "GET", "old", 401)
    audit.flush()
    later = NOW.replace(year=2028)
    audit._clock = lambda: later
    audit.record("nobody", "GET", "new", 401)
    audit.flush()
    assert [entry.target for entry in runtime.store.audit.read(NOW.replace(year=2020))] == ["new"]


def test_a_store_that_fails_stops_no_request(watched, monkeypatch):
    client, headers, _, runtime = watched

    def fail(entries):
        raise StoreError("disk full")

    monkeypatch.setattr(runtime.store.audit, "add", fail)
    assert client.get("/api/services").status_code == 401
    problem(client.get("/api/audit", headers=headers["admin"]), 503)


@pytest.mark.parametrize(("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("", False)])
def test_every_answer_has_the_id_of_its_request(reader, given, kept):
    for path in ("/healthz", "/api/services", "/api/nope"):
        said = reader.get(path, headers={"X-Request-Id": given}).headers["X-Request-Id"]
        assert (said == given) is kept
        assert said


def test_who_may_change_names_is_asked_and_written_down(watched):
    client, headers, _, runtime = watched
    for name in ("ours/a", "ours/b", "theirs/a"):
        runtime.store.register([Service(name, "demo")])
    writes = [
        ("viewer", "POST", "ours/a/rename", {"new_name": "ours/c"}, 403),
        ("operator", "POST", "ours/a/rename", {"new_name": "theirs/c"}, 403),
        ("operator", "POST", "theirs/a/rename", {"new_name": "ours/c"}, 403),
        ("operator", "POST", "ours/a/merge", {"into": "theirs/a"}, 403),
        ("operator", "DELETE", "theirs/a", None, 403),
        ("operator", "POST", "ours/none/rename", {"new_name": "ours/c"}, 404),
        ("operator", "POST", "ours/a/rename", {"new_name": "ours/c"}, 200),
        ("operator", "POST", "ours/c/merge", {"into": "ours/b"}, 200),
        ("operator", "DELETE", "ours/b", None, 200),
    ]
    for who, method, path, body, status in writes:
        answer = client.open(f"/api/services/{path}", method=method, json=body, headers=headers[who])
        assert answer.status_code == status, (path, strict(answer))
        assert status == 200 or "theirs/a" not in str(strict(answer)) or "theirs/a" in path + str(body)
    assert [service.name for service in runtime.store.services()] == ["theirs/a"]
    entries = strict(client.get("/api/audit", headers=headers["admin"]))["entries"]
    told = {(e["action"], e["target"], e["detail"]) for e in entries if e["result"] == "200"}
    assert told == {
        ("POST /api/services/<name:service>/rename", "ours/a", "to ours/c"),
        ("POST /api/services/<name:service>/merge", "ours/c", "into ours/b, overlap: refuse"),
        ("DELETE /api/services/<name:service>", "ours/b", "excluded"),
    }
    assert sum(e["result"] == "403" for e in entries) == 5
    rules = strict(client.get("/api/services/names", headers=headers["viewer"]))["rules"]
    assert {rule["pattern"] for rule in rules} == {"ours/a", "ours/c", "ours/b"}
