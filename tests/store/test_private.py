"""What is kept is the user's alone, whatever the umask says."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from support.commands import Call, caller
from support.every_table import archive, fill

from observatory.access import OPEN, authenticator_of
from observatory.config import Settings
from observatory.private import exposed, make_private
from observatory.runtime import Runtime
from observatory.store import open_store


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    """The least careful one; and it is as before after the test."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def all_private(folder: Path) -> set[str]:
    """Names of what is in `folder`, none of which others may touch."""
    found = modes(folder)
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}
    return set(found)


@pytest.mark.slow
def test_a_store_its_log_its_archive_and_its_backup(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.duckdb")) as store:
        fill(store)
        archive(store)
        store.write_note("source", "later")  # in the log, until the next checkpoint
        names = all_private(tmp_path)
        assert {"a.duckdb", "a.duckdb.wal", "a.duckdb.address", "a.duckdb.archive"} <= names
        store.backup(tmp_path / "saved")
    assert "saved/store.duckdb" in all_private(tmp_path)
    (tmp_path / "a.duckdb").unlink()
    shutil.rmtree(tmp_path / "a.duckdb.archive")


@pytest.mark.slow
def test_what_an_earlier_version_left_open_is_closed_when_it_is_opened(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.duckdb")) as store:
        fill(store)
        archive(store)
    for path in tmp_path.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert len(exposed(tmp_path / "a.duckdb", tmp_path / "a.duckdb.archive")) >= 3
    open_store(str(tmp_path / "a.duckdb")).close()
    all_private(tmp_path)


@pytest.mark.slow
def test_a_backup_is_restored_for_the_user_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSERVATORY_STORE", "a.duckdb")
    call: Call = caller(monkeypatch, capsys)
    with open_store("a.duckdb") as store:
        fill(store)
        archive(store)
    assert call("store", "backup", "saved")[0] == 0
    for path in (tmp_path / "saved").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    os.umask(0)
    assert call("store", "restore", "saved", "--force")[0] == 0
    shutil.rmtree(tmp_path / "saved")
    assert "a.duckdb" in all_private(tmp_path)


@pytest.mark.slow
def test_runs_of_notebooks(tmp_path: Path) -> None:
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), tmp_path / "one.ipynb")
    (tmp_path / "one.ipynb").chmod(0o600)
    command = [sys.executable, "-m", "observatory", "run", "one.ipynb"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert {"runs", "observatory-demo.duckdb"} <= all_private(tmp_path)


def test_the_audit_file(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.touch(0o644)
    runtime = Runtime(Settings(store=":memory:", worker=False, audit_file=file))
    audit = authenticator_of(runtime).audit
    audit.record(OPEN, "POST /api/feedback", "shop/cart", 200)
    audit.flush()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.unlink()
    audit.record(OPEN, "POST /api/feedback", "shop/cart", 200)
    audit.flush()
    runtime.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").touch(0o644)
    (tmp_path / "ours").mkdir(0o755)
    (tmp_path / "ours" / "link").symlink_to(tmp_path / "theirs")
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    make_private(tmp_path / "ours", tmp_path / "link")
    assert stat.S_IMODE((tmp_path / "theirs").stat().st_mode) == 0o644
    assert exposed(tmp_path / "ours") == []


OTHER = """
import duckdb, sys
from observatory.store.engine.extensions import load
connection = duckdb.connect()
load(connection, "httpfs", "quack")
try:
    connection.execute(f"ATTACH '{sys.argv[1]}' AS theirs (TYPE quack, TOKEN '{sys.argv[2]}')")
except duckdb.Error as error:
    print(str(error).splitlines()[0])
else:
    print("let in")
"""


@pytest.mark.slow
def test_only_who_may_read_the_address_is_let_in_at_the_owners_port(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.duckdb")) as store:
        store.write_note("source", datetime.now(UTC).isoformat())
        note = tmp_path / "a.duckdb.address"
        address = json.loads(note.read_text())
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        assert len(address["token"]) >= 43  # 256 bits
        host, port = address["url"].removeprefix("quack:").split(":")
        assert host == "127.0.0.1"
        with socket.create_connection((host, int(port)), timeout=30):
            pass
        for token, answer in ((address["token"], "let in"), ("guessed" * 8, "Authentication failed"), ("", "")):
            command = [sys.executable, "-c", OTHER, address["url"], token]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            assert answer in said
            assert (said == "let in\n") == (answer == "let in")
