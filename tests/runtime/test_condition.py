"""How the workbench itself is: a source that is down is told apart from a store that cannot be written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from observatory.config import Settings
from observatory.errors import SourceError, StoreError
from observatory.model import Collected, Cycle, Failure
from observatory.runtime import Runtime
from observatory.runtime.condition import Condition, condition
from observatory.store.tables.states import KeptState

pytestmark = pytest.mark.slow

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime(Settings(store=":memory:", worker=False, detector="seasonal"), clock=lambda: NOON)
    yield made
    made.close()


def of(runtime: Runtime, *failures: Failure, names: tuple[str, ...] = ("eu", "us"), age: int = 0) -> Condition:
    runtime.store.write_cycle(Cycle(NOON - timedelta(minutes=age), 0.1, 0, 0, 0, failures))
    return condition(runtime.store, runtime.settings, runtime.overview(), names)


def test_a_source_is_down_that_did_not_answer_and_no_other(runtime: Runtime) -> None:
    assert of(runtime, Failure("eu", "no route")).sources == {"eu": False, "us": True}


def test_a_query_that_failed_leaves_its_source_up(runtime: Runtime) -> None:
    assert of(runtime, Failure("eu: latency_p95", "bad data")).sources == {"eu": True, "us": True}


def test_nothing_is_said_of_sources_while_no_cycle_ran(runtime: Runtime) -> None:
    assert condition(runtime.store, runtime.settings, runtime.overview(), ["eu"]).sources == {}
    assert of(runtime, age=10).sources == {}


@pytest.mark.parametrize(("error", "up"), [(SourceError("no route"), False), (StoreError("disk full"), True)])
def test_a_source_is_not_to_blame_for_what_cannot_be_kept(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, error: Exception, up: bool
) -> None:
    def fail(*_: object) -> Collected:
        raise error

    if isinstance(error, SourceError):
        monkeypatch.setattr(type(runtime.sources[0]), "collect", fail)
    else:
        monkeypatch.setattr(runtime.store, "write_samples", fail)
    runtime.cycle()
    found = condition(runtime.store, runtime.settings, runtime.overview(), runtime.source_names)
    assert found.sources == {"demo": up}


def test_the_oldest_state_is_of_a_service_that_reports(runtime: Runtime) -> None:
    runtime.cycle()
    names = [service.name for service in runtime.store.services()]
    kept = KeptState(names[0], runtime.settings.detector, "f", NOON, NOON - timedelta(hours=2), b"x")
    gone = replace(kept, service_name="shop/gone", kept_at=NOON - timedelta(days=9))
    other = replace(kept, detector="other", kept_at=NOON - timedelta(days=9))
    runtime.store.states.write([replace(kept, service_name=name, kept_at=NOON) for name in names[1:]])
    runtime.store.states.write([kept, gone, other])
    found = condition(runtime.store, runtime.settings, runtime.overview(), ())
    assert found.oldest_state == NOON - timedelta(hours=2)


def test_room_is_told_of_a_file_and_not_of_memory(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert condition(runtime.store, runtime.settings, runtime.overview(), ()).space is None
    in_file = Runtime(Settings(store=str(tmp_path / "a.duckdb"), worker=False), clock=lambda: NOON)
    try:
        space = condition(in_file.store, in_file.settings, in_file.overview(), ()).space
        assert space is not None
        assert 0 < space.size < space.filesystem
        assert 0 < space.available <= space.filesystem

        def fail(path: Path) -> None:
            raise PermissionError(f"no: {path}")

        monkeypatch.setattr(shutil, "disk_usage", fail)
        assert condition(in_file.store, in_file.settings, in_file.overview(), ()).space is None
        assert "the room for" in caplog.text
    finally:
        in_file.close()
