"""Each home says what is wrong, and what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from support.servers import Postgres, free_port

from observatory.config import Settings
from observatory.errors import StoreError, StoreExtensionError, StoreInUseError, StoreUnreachableError
from observatory.model import Service
from observatory.store import open_store
from observatory.store.engine import extensions
from observatory.store.engine.homes.address import read_address
from observatory.store.engine.homes.lake import LakeHome
from observatory.store.options import GIB, StoreOptions, default_memory

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


@pytest.mark.slow
def test_an_owner_can_be_told_its_port_and_token(tmp_path: Path) -> None:
    port = free_port()
    owner = open_store(str(tmp_path / "x.duckdb"), options=StoreOptions(token="a long token", port=port))
    owner.register([Service("a")])
    client = open_store(f"quack://127.0.0.1:{port}", options=StoreOptions(token="a long token"))
    assert [service.name for service in client.services()] == ["a"]
    client.close()
    owner.close()


@pytest.mark.slow
def test_a_thread_that_comes_while_another_leaves_a_lost_home_finds_the_next(tmp_path: Path) -> None:
    options = StoreOptions(token="a long token", port=free_port())
    with (
        open_store(str(tmp_path / "x.duckdb"), options=options) as owner,
        open_store(f"quack://127.0.0.1:{options.port}", options=options) as client,
        ThreadPoolExecutor(1) as another,
    ):
        owner.register([Service("a")])
        client._database.home.close()  # a thread that found it lost does so before it opens the next
        assert [service.name for service in another.submit(client.services).result()] == ["a"]


@pytest.mark.slow
def test_without_the_extension_one_process_works_and_the_second_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "x.duckdb")
    monkeypatch.setattr(extensions.importlib.util, "find_spec", lambda name: None)
    store = open_store(url)
    store.register([Service("a")])
    asks = r"cannot share it: DuckDB .* pip install 'duckdb-extension-httpfs==\S+' 'duckdb-extension-quack==\d"
    check = (
        "import sys; from observatory.store import open_store; from observatory.errors import StoreError\n"
        "try: open_store(sys.argv[1])\nexcept StoreError as error: print(error)"
    )
    found = subprocess.run([sys.executable, "-c", check, url], capture_output=True, text=True, check=True)
    assert re.search(asks, found.stdout), "it also knows where the extensions are"
    store.close()
    with pytest.raises(StoreExtensionError, match=r"pip install 'duckdb-extension-httpfs==\d"):
        open_store("quack://127.0.0.1:1", options=BRIEF)
    with pytest.raises(StoreExtensionError, match=r"pip install 'cloudwatch-observatory\[lake\]'"):
        open_store("ducklake:postgres:dbname=x")


@pytest.mark.slow
def test_any_number_of_readers_need_no_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, readers = str(tmp_path / "x.duckdb"), StoreOptions(read_only=True, patience=0.2)
    with open_store(url) as store:
        store.register([Service("a")])
    read = f"import duckdb, sys; c = duckdb.connect({url!r}, read_only=True); print(1, flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", read], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()
    monkeypatch.setattr(extensions.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StoreInUseError, match="OBSERVATORY_STORE_READ_ONLY=true where both only read"):
        open_store(url, options=BRIEF)
    with open_store(url, options=readers) as store:
        assert [service.name for service in store.services()] == ["a"]
        with pytest.raises(StoreError, match="is open for reading only: set OBSERVATORY_STORE_READ_ONLY=false"):
            store.register([Service("b")])
    other.communicate()


def test_a_store_that_is_only_read_must_be_there_and_up_to_date(tmp_path: Path) -> None:
    url, readers = str(tmp_path / "x.duckdb"), StoreOptions(read_only=True)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(url, options=readers)
    open_store(url).close()
    with duckdb.connect(url) as file:
        file.execute("UPDATE schema_migrations SET version = 1")
    with pytest.raises(StoreError, match="older version: open it once without OBSERVATORY_STORE_READ_ONLY"):
        open_store(url, options=readers)


@pytest.mark.slow
def test_every_home_refuses_to_write_when_told(home: tuple[str, StoreOptions]) -> None:
    url, options = home
    with open_store(url, options=options) as store:
        store.register([Service("a")])
    if url != ":memory:":
        with open_store(url, options=replace(options, read_only=True)) as store:
            assert [service.name for service in store.services()] == ["a"]
            with pytest.raises(StoreError, match="for reading only"):
                store.register([Service("b")])


def test_what_a_query_found_once_does_not_stay_its_answer(home: tuple[str, StoreOptions]) -> None:
    url, options = home
    with open_store(url, options=options) as store:
        database = store._database
        database.run("CREATE TABLE numbers AS SELECT range AS i FROM range(100)")
        count = "SELECT count(*) FROM numbers WHERE i > 200"
        total = "SELECT sum(i) FROM numbers JOIN (SELECT max(i) AS i FROM numbers) USING (i) WHERE i != ?"
        assert (database.value(count), database.value(total, [7])) == (0, 99)
        database.run("INSERT INTO numbers VALUES (250)")
        assert (database.value(count), database.value(total, [7])) == (1, 250)


def test_a_question_mark_in_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="DuckDB takes no question mark in a path"):
        open_store(str(tmp_path / "what?.duckdb"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["with space", "ünïcödé ☃", 'it\'s "quoted"', "glob [1] *", "semi;colon", "a%20b#c"])
def test_a_path_may_have_any_other_character(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with open_store(str(tmp_path / name / f"{name}.duckdb")) as store:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        store.write_samples(pd.DataFrame({"service_name": ["a"], "timestamp": [at], "request_rate": [1.0]}))
        store.archive.move(datetime(2026, 2, 1, tzinfo=UTC))
        store.backup(tmp_path / name / "backup")
        assert len(store.history("a", at, at)) == 1
        assert all(finding.ok for finding in store.check())


def test_settings_for_s3_reach_duckdb(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(LakeHome, "_attach", lambda home, statement, patience: said.append(statement))
    facts = {
        "key_id": "me",
        "secret": "it's hush",
        "region": "eu-north-1",
        "endpoint": "minio:9000",
        "use_ssl": "false",
    }
    settings = Settings(store_s3=facts, store_data_path="s3://bucket/lake")
    lake = LakeHome("ducklake:postgres:dbname=x", StoreOptions.of(settings))
    kept = lake._connection.execute("SELECT secret_string FROM duckdb_secrets()").fetchall()
    assert said == ["ATTACH 'ducklake:postgres:dbname=x' AS lake (DATA_PATH 's3://bucket/lake')"]
    for part in ("key_id=me", "region=eu-north-1", "endpoint=minio:9000", "use_ssl=false"):
        assert part in kept[0][0]
    lake.close()


@pytest.mark.servers
def test_a_lake_puts_small_files_together_every_hour(tmp_path: Path, postgres: Postgres) -> None:
    at = datetime(2026, 1, 1, 10, tzinfo=UTC)
    with open_store(
        f"ducklake:postgres:{postgres.database()}", options=StoreOptions(data_path=str(tmp_path / "lake"))
    ) as lake:

        def files() -> int:
            return int(lake._database.value("SELECT count(*) FROM ducklake_list_files('lake', 'service_metrics')"))

        def write(minute: int) -> None:
            names = [f"s{i}" for i in range(30)]
            lake.write_samples(
                pd.DataFrame({"service_name": names, "timestamp": at + timedelta(minutes=minute), "pod_count": 1.0})
            )

        for hour in (0, 1):
            for minute in range(3):
                write(60 * hour + minute)
            assert files() >= 3
            lake.maintain(at + timedelta(hours=hour, minutes=30))
            assert files() == 1


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
    assert GIB // 2 <= default_memory() <= 4 * GIB


def test_secrets_are_not_shown() -> None:
    assert "a token" not in repr(BRIEF)
