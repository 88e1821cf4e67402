"""Each home says what is wrong, and what to do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from servers import Postgres, free_port

from observatory.config import Settings
from observatory.errors import StoreError, StoreExtensionError, StoreUnreachableError
from observatory.model import Service
from observatory.store import extensions, open_store
from observatory.store.homes.address import read_address
from observatory.store.options import GIB, StoreOptions, sane_memory

BRIEF = StoreOptions(token="a token", patience=0.2)


def test_an_unknown_kind_of_url_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StoreError, match=r"mysql://… cannot be opened: .*quack://host:port") as caught:
        open_store("mysql://me:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_server_nobody_runs_is_said_to_be_out_of_reach() -> None:
    with pytest.raises(StoreUnreachableError, match="cannot be reached: is its owner running"):
        open_store(f"quack://127.0.0.1:{free_port()}", options=BRIEF)


def test_a_served_store_wants_its_token(tmp_path: Path) -> None:
    owner = open_store(str(tmp_path / "x.duckdb"))
    address = read_address(tmp_path / "x.duckdb")
    assert address is not None
    with pytest.raises(StoreUnreachableError, match="refuses the token: set OBSERVATORY_STORE_TOKEN"):
        open_store(address.url, options=BRIEF)
    with pytest.raises(StoreError, match="needs its token: set OBSERVATORY_STORE_TOKEN"):
        open_store(address.url)
    owner.close()


def test_an_owner_can_be_told_its_port_and_token(tmp_path: Path) -> None:
    port = free_port()
    owner = open_store(str(tmp_path / "x.duckdb"), options=StoreOptions(token="a long token", port=port))
    owner.register([Service("a")])
    client = open_store(f"quack://127.0.0.1:{port}", options=StoreOptions(token="a long token"))
    assert [service.name for service in client.services()] == ["a"]
    client.close()
    owner.close()


def test_without_the_extension_one_process_works_and_the_second_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "x.duckdb")
    monkeypatch.setattr(extensions.importlib.util, "find_spec", lambda name: None)
    store = open_store(url)
    store.register([Service("a")])
    assert read_address(tmp_path / "x.duckdb") is None
    store.close()
    with pytest.raises(StoreExtensionError, match=r"pip install 'duckdb-extension-httpfs==\d"):
        open_store("quack://127.0.0.1:1", options=BRIEF)
    with pytest.raises(StoreExtensionError, match=r"pip install 'cloudwatch-observatory\[lake\]'"):
        open_store("ducklake:postgres:dbname=x")


def test_a_catalogue_that_does_not_answer_is_named_without_its_password() -> None:
    url = f"ducklake:postgres:host=127.0.0.1 port={free_port()} user=me password=hush dbname=x"
    with pytest.raises(StoreUnreachableError, match="catalogue cannot be reached") as caught:
        open_store(url)
    assert "hush" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.servers
def test_a_lake_remembers_where_its_files_are(tmp_path: Path, postgres: Postgres) -> None:
    url = f"ducklake:postgres:{postgres.database()}"
    first = open_store(url, options=StoreOptions(data_path=str(tmp_path / "lake")))
    first.register([Service("a")])
    first.close()
    second = open_store(url)
    assert [service.name for service in second.services()] == ["a"]
    second.close()


@pytest.mark.servers
def test_a_lake_survives_a_restart_of_its_catalogue(tmp_path: Path) -> None:
    with Postgres() as server:
        url = f"ducklake:postgres:{server.database()}"
        store = open_store(url, options=StoreOptions(data_path=str(tmp_path / "lake")))
        store.register([Service("a")])
        server.restart()
        store.register([Service("b")])
        assert [service.name for service in store.services()] == ["a", "b"]
        store.close()


def test_limits_reach_duckdb(tmp_path: Path) -> None:
    options = StoreOptions.of(Settings(store_memory=0.25, store_threads=1, store_s3={"key_id": "k", "secret": "s"}))
    assert dict(options.s3) == {"key_id": "k", "secret": "s"}
    store = open_store(str(tmp_path / "x.duckdb"), options=options)
    with duckdb.connect(str(tmp_path / "x.duckdb"), config=options.config()) as same:
        assert same.sql("SELECT current_setting('threads'), current_setting('memory_limit')").fetchone() == (
            1,
            "256.0 MiB",
        )
    store.close()
    assert GIB // 2 <= sane_memory() <= 4 * GIB


def test_secrets_are_not_shown() -> None:
    assert "a token" not in repr(BRIEF)
