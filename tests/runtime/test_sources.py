"""A store is read whatever source fills it; only who collects must have that source."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from support.shop import NOON, Clock, shop

from observatory import Workbench
from observatory.config import Settings
from observatory.errors import ConfigError, StoreError
from observatory.model import Service
from observatory.runtime import Runtime
from observatory.sources.demo.shop import SHOP
from observatory.store import open_store

pytestmark = pytest.mark.slow

ABSENT = "http://127.0.0.1:9"


@pytest.fixture
def demo(tmp_path: Path) -> str:
    """A store that the demo has filled."""
    runtime = shop(store=str(tmp_path / "x.duckdb"), demo_days=0.05)
    runtime.prepare()
    runtime.close()
    return str(tmp_path / "x.duckdb")


@pytest.fixture
def prometheus(tmp_path: Path) -> str:
    """A store that a Prometheus has filled."""
    path = str(tmp_path / "x.duckdb")
    with open_store(path) as store:
        store.write_note("source", "prometheus")
        store.register([Service("shop/cart", "prometheus")])
    return path


def read(store: str, **settings: Any) -> Runtime:
    return Runtime(Settings(store=store, worker=False, **settings), clock=Clock(NOON))


@pytest.mark.parametrize("settings", [{}, {"prometheus_url": ABSENT}, {"demo_seed": 8}])
def test_a_store_of_the_demo_is_read_by_whoever_names_it(demo: str, settings: dict[str, Any]) -> None:
    runtime = read(demo, **settings)
    assert len(runtime.overview().services) == len(SHOP)
    assert runtime.overview().source == "demo"
    assert len(runtime.history("shop/cart", NOON.replace(hour=11), NOON).samples) > 50
    runtime.close()


def test_a_store_of_a_prometheus_is_read_without_its_address(prometheus: str) -> None:
    runtime = read(prometheus)
    assert [status.name for status in runtime.overview().services] == ["shop/cart"]
    assert runtime.overview().source == "prometheus"
    runtime.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prometheus_url": ABSENT}, "holds samples of 'demo seed 7', not of 'prometheus'"),
        ({"demo_seed": 8}, "holds samples of 'demo seed 7', not of 'demo seed 8'"),
    ],
)
def test_to_collect_into_the_store_of_another_source_is_refused(
    demo: str, settings: dict[str, Any], message: str
) -> None:
    runtime = read(demo, **settings)
    before = runtime.store.sample_counts()["samples"].sum()
    for collect in (runtime.require_sources, runtime.collect, runtime.prepare, runtime.start, runtime.go_live):
        with pytest.raises(ConfigError, match=f"{message}: .*OBSERVATORY_STORE"):
            collect()
    assert runtime.store.sample_counts()["samples"].sum() == before
    runtime.close()


def test_reading_writes_nothing(demo: str, tmp_path: Path) -> None:
    def content() -> tuple[int, str | None, str]:
        with open_store(demo) as store:
            rows = "".join(str(store.backup(tmp_path / os.urandom(4).hex()).rows))
            return store.revision, store.note("source"), hashlib.sha256(rows.encode()).hexdigest()

    before = content()
    with Workbench(demo, "2026-03-01T12:00:00Z") as wb:
        assert len(wb.services) == len(SHOP)
        wb.health()
        wb.anomalies()
        wb.observed("shop/cart", "1h")
    assert content() == before


def test_a_new_store_that_is_only_read_belongs_to_nobody(tmp_path: Path) -> None:
    runtime = read(str(tmp_path / "new.duckdb"))
    assert runtime.overview().services == ()
    assert runtime.store.note("source") is None
    runtime.close()
    runtime = read(str(tmp_path / "new.duckdb"), prometheus_url=ABSENT)
    runtime.require_sources()
    assert runtime.store.note("source") == "prometheus"
    runtime.close()


@pytest.mark.parametrize("how", ["the settings say so", "the file may not be written"])
def test_a_read_only_file_is_read_and_collecting_says_why_not(
    demo: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"store_read_only": True} if how == "the settings say so" else {}
    if not settings:  # of a file's mode the superuser takes no notice
        monkeypatch.setattr("os.access", lambda path, mode: False)
    with Workbench(demo, "2026-03-01T12:00:00Z", **settings) as wb:
        assert len(wb.services) == len(SHOP)
        assert len(wb.health()) == len(SHOP)
        assert len(wb.history("shop/cart", "1h")) > 50
        assert wb.runtime.store.info()["opened"] == "by this process, for reading only"
        with pytest.raises(StoreError, match="open for reading only"):
            wb.runtime.collect()


def test_sources_are_made_once_and_only_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    runtime = shop(demo_days=0.05)
    honest = runtime._make_sources
    monkeypatch.setattr(runtime.sources, "_make", lambda: made.append(1) or honest())
    runtime.overview()
    assert runtime.source_names == ("demo",)
    assert made == []
    assert runtime.sources[0] is runtime.sources[0]
    assert len(runtime.sources[:]) == len(runtime.sources) == 1
    assert made == [1]
    runtime.close()
