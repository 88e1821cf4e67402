"""What is written to the store comes back, once, and a store that cannot be opened says why."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observatory.catalog import METRICS, Metric
from observatory.errors import (
    InvalidInputError,
    StoreCorruptError,
    StoreError,
    StoreInUseError,
    StoreTooNewError,
    UnknownServiceError,
)
from observatory.model import Anomaly, Cycle, Evidence, Failure, Fault, Feedback, Service, Severity, Verdict
from observatory.store import Store, open_store
from observatory.store.engine.database import Statement
from observatory.store.options import StoreOptions

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def samples(service: str = "shop/cart", minutes: int = 3, **metrics: float | list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"service_name": service, "timestamp": pd.date_range(NOW, periods=minutes, freq="60s"), **metrics}
    )


def an_anomaly(service: str = "shop/cart", severity: Severity = Severity.HIGH, minutes: int = 0, **changes) -> Anomaly:
    at = NOW + timedelta(minutes=minutes)
    evidence = (Evidence("latency_p99", 4.1, 0.3, 0.2, 0.4, 1.0, "up"),)
    facts = {"is_open": True, "score": 3.5, "detector": "seasonal", "message": "slow", "evidence": evidence} | changes
    return Anomaly(service, at, at + timedelta(minutes=5), at, severity=severity, **facts)


def test_a_batch_twice_equals_once(store: Store) -> None:
    frame = samples(request_rate=[1.0, 2.0, 3.0])
    assert store.write_samples(frame) == 3
    assert store.write_samples(frame) == 3
    assert list(store.history("shop/cart", NOW, NOW + HOUR)["request_rate"]) == [1.0, 2.0, 3.0]


def test_the_last_of_equal_rows_wins_in_a_batch_and_between_batches(store: Store) -> None:
    twice = pd.concat([samples(minutes=1, request_rate=1.0), samples(minutes=1, request_rate=2.0)])
    store.write_samples(twice)
    assert list(store.history("shop/cart", NOW, NOW)["request_rate"]) == [2.0]
    store.write_samples(samples(minutes=1, request_rate=3.0))
    assert list(store.history("shop/cart", NOW, NOW)["request_rate"]) == [3.0]


@pytest.mark.slow
def test_a_partial_batch_keeps_the_values_it_does_not_have(store: Store) -> None:
    store.write_samples(samples(request_rate=1.0, error_rate=0.1))
    store.write_samples(samples(error_rate=[0.2, np.nan, 0.2]))
    frame = store.history("shop/cart", NOW, NOW + HOUR, ["request_rate", "error_rate"])
    assert frame["request_rate"].tolist() == [1.0, 1.0, 1.0]
    assert frame["error_rate"].tolist() == [0.2, 0.1, 0.2]


def test_infinite_and_missing_values_are_stored_as_missing(store: Store) -> None:
    store.write_samples(samples(request_rate=[np.inf, -np.inf, np.nan]))
    assert store.history("shop/cart", NOW, NOW + HOUR)["request_rate"].isna().all()


@pytest.fixture(scope="module")
def for_all_examples() -> Iterator[Store]:
    with open_store(":memory:") as store:
        yield store


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    name=st.text(min_size=1, max_size=300).filter(lambda text: "\x00" not in text and text.isprintable()),
    values=st.lists(st.floats(allow_infinity=False, allow_nan=True), min_size=1, max_size=20),
)
def test_what_is_written_comes_back(for_all_examples: Store, name: str, values: list[float]) -> None:
    store = for_all_examples
    store._database.write([Statement("DELETE FROM service_metrics")])  # an example may use a name again
    store.write_samples(samples(name, len(values), latency_p95=values))
    store.register([Service(name)])
    back = store.history(name, NOW, NOW + HOUR, ["latency_p95"])["latency_p95"]
    np.testing.assert_array_equal(back.to_numpy(), np.array(values))
    assert store.service(name).name == name


def test_frames_are_utc_and_ordered(store: Store) -> None:
    store.write_samples(samples(request_rate=[1.0, 2.0, 3.0]).iloc[::-1])
    index = store.history("shop/cart", NOW, NOW + HOUR).index
    assert str(index.tz) == "UTC"
    assert index.is_monotonic_increasing
    assert index[0] == NOW


def test_samples_without_a_zone_or_with_unknown_columns_are_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="no time zone"):
        store.write_samples(samples().assign(timestamp=pd.date_range("2026-01-01", periods=3)))
    with pytest.raises(StoreError, match="queue_depth"):
        store.write_samples(samples(queue_depth=1.0))
    assert store.sample_counts().empty


def test_an_empty_batch_writes_nothing(store: Store) -> None:
    before = store.revision
    assert store.write_samples(samples().iloc[:0]) == 0
    assert store.revision == before


def test_latest_does_not_mix_an_old_value_into_the_newest_sample(store: Store) -> None:
    store.write_samples(samples(request_rate=[1.0, 2.0, np.nan]))
    latest = store.latest(NOW - HOUR)
    assert latest.loc["shop/cart", "timestamp"] == NOW + timedelta(minutes=2)
    assert np.isnan(latest.loc["shop/cart", "request_rate"])


@pytest.mark.slow
def test_latest_finds_the_last_sample_of_a_service_that_fell_silent(store: Store) -> None:
    silent = samples("silent", minutes=5, request_rate=[1.0, 2.0, 3.0, 4.0, 5.0])
    store.write_samples(pd.concat([silent, samples("busy", minutes=60, request_rate=9.0)]))
    for until in (0, 30, 60):
        store.maintain(NOW + timedelta(minutes=until))
        latest = store.latest(NOW - HOUR)
        assert latest["request_rate"].to_dict() == {"silent": 5.0, "busy": 9.0}
        assert latest.at["silent", "timestamp"] == NOW + timedelta(minutes=4)
        assert list(store.latest(NOW + timedelta(minutes=4)).index) == ["busy", "silent"]
        assert list(store.latest(NOW + timedelta(minutes=5)).index) == ["busy"]
        assert store.latest(NOW + HOUR).empty


def test_buckets_carry_the_extremes(store: Store) -> None:
    store.write_samples(
        samples(minutes=10, request_rate=[float(i) for i in range(10)], restart_count=[0.0] * 9 + [2.0])
    )
    frame = store.buckets("shop/cart", NOW, NOW + HOUR, 300, ["request_rate", "restart_count"])
    assert frame["request_rate"].tolist() == [2.0, 7.0]
    assert frame["request_rate__min"].tolist() == [0.0, 5.0]
    assert frame["request_rate__max"].tolist() == [4.0, 9.0]
    assert frame["restart_count"].tolist() == [0.0, 2.0], "restarts are summarised by their maximum"


@pytest.mark.slow
def test_trends_and_counts_cover_all_services(store: Store) -> None:
    store.write_samples(pd.concat([samples("a", request_rate=1.0), samples("b", request_rate=2.0)]))
    trends = store.trends(NOW, NOW + HOUR, 3600, ["request_rate"]).set_index("service_name")
    assert trends["request_rate"].to_dict() == {"a": 1.0, "b": 2.0}
    assert (trends["timestamp"] == NOW).all()
    assert store.sample_counts()["samples"].to_dict() == {"a": 3, "b": 3}
    assert store.newest() == NOW + timedelta(minutes=2)
    assert store.sample_counts().at["b", "first"] == NOW
    assert len(store.history_of_all(NOW, NOW + HOUR, ["a"])) == 3
    assert len(store.history_of_all(NOW, NOW + HOUR)) == 6


def test_an_unknown_metric_is_refused_with_the_known_ones(store: Store) -> None:
    with pytest.raises(InvalidInputError, match=r"'x\"; DROP'.*request_rate"):
        store.history("shop/cart", NOW, NOW, ['x"; DROP'])


@pytest.mark.slow
def test_registering_again_adds_facts_and_loses_none(store: Store) -> None:
    store.register([Service("shop/cart", team="buy", cpu_limit=4.0)])
    store.register([Service("shop/cart", tier="1"), Service("shop/web")])
    assert store.service("shop/cart") == Service("shop/cart", team="buy", tier="1", cpu_limit=4.0)
    assert [service.name for service in store.services()] == ["shop/cart", "shop/web"]
    assert store.register([]) == 0


def test_an_unknown_service_is_named_with_those_that_are_close(store: Store) -> None:
    store.register([Service("shop/cart")])
    with pytest.raises(UnknownServiceError, match="'shop/cat': did you mean shop/cart"):
        store.service("shop/cat")


def test_an_episode_is_updated_and_not_repeated(store: Store) -> None:
    store.write_anomalies([an_anomaly()])
    worse = an_anomaly(severity=Severity.CRITICAL, score=9.0, is_open=False)
    store.write_anomalies([worse])
    assert store.anomalies() == [worse]


def test_anomalies_are_filtered_and_newest_first(store: Store) -> None:
    old, new = an_anomaly(), an_anomaly("shop/web", Severity.LOW, minutes=60, is_open=False)
    store.write_anomalies([old, new])
    assert store.anomalies() == [new, old]
    assert store.anomalies(services=["shop/web"]) == [new]
    assert store.anomalies(severities=[Severity.HIGH, Severity.CRITICAL]) == [old]
    assert store.anomalies(open_only=True) == [old]
    assert store.anomalies(start=NOW + timedelta(minutes=30)) == [new]
    assert store.anomalies(start=NOW + timedelta(minutes=3), end=NOW + timedelta(minutes=4)) == [old], "it overlaps"
    assert store.anomalies(limit=1) == [new]
    assert store.anomalies(services=[]) == []
    with pytest.raises(InvalidInputError, match="limit = -1"):
        store.anomalies(limit=-1)


def test_feedback_comes_back_and_the_last_verdict_stands(store: Store) -> None:
    first = Feedback("a", Verdict.RIGHT, NOW, NOW + HOUR, NOW + 2 * HOUR, "seasonal", "an outage")
    missed = Feedback("b", Verdict.MISSED, NOW - HOUR, NOW, NOW + 2 * HOUR)
    store.feedback.write([first, missed])
    store.feedback.write([replace(first, verdict=Verdict.FALSE_ALARM)])
    assert store.feedback.read() == [missed, replace(first, verdict=Verdict.FALSE_ALARM)]
    assert store.feedback.read(end=NOW - 2 * HOUR) == []
    assert store.feedback.read(services=["b"]) == [missed]


@pytest.mark.slow
def test_faults_cycles_calls_and_notes_come_back(store: Store) -> None:
    fault = Fault("shop/cart", "memory_leak", NOW, NOW + HOUR, ("memory_usage", "restart_count"), "shop/cart")
    cycle = Cycle(NOW, 1.5, 12, 12, 1, (Failure("error_rate", "bad query"),), ("partial",))
    store.write_faults([fault, fault])
    store.write_cycle(cycle)
    store.write_calls([("web", "cart"), ("web", "cart")])
    store.write_note("seed", "7")
    store.write_note("seed", "8")
    assert store.faults() == [fault]
    assert store.faults(start=NOW + 2 * HOUR) == []
    assert store.cycles() == [cycle]
    assert store.calls() == [("web", "cart")]
    assert (store.note("seed"), store.note("nothing")) == ("8", None)
    store.prune_cycles(NOW + HOUR)
    assert store.cycles() == []


def test_every_write_moves_the_revision(store: Store) -> None:
    before = store.revision
    store.write_samples(samples(request_rate=1.0))
    assert store.revision > before


def test_a_file_is_created_and_opened_again(tmp_path: Path) -> None:
    url = str(tmp_path / "new.duckdb")
    first = open_store(url)
    first.write_samples(samples(request_rate=1.0))
    first.close()
    second = open_store(url)
    assert second.sample_counts().at["shop/cart", "samples"] == 3
    second.close()
    with pytest.raises(StoreError):
        second.services()


@pytest.mark.slow
def test_a_metric_new_in_the_catalogue_gets_its_column(home: tuple[str, StoreOptions]) -> None:
    url, options = home
    extended = dict(METRICS) | {"queue_depth": Metric("queue_depth", "queue", "", "up", "sqrt", 5.0, 0.5)}
    with open_store(url, options=options) as old:
        old.write_samples(samples(request_rate=1.0))
        old.history("shop/cart", NOW, NOW)
        with open_store(url, extended, options) as new:
            new.write_samples(samples(queue_depth=4.0))
            assert new.history("shop/cart", NOW, NOW)["queue_depth"].tolist() == [4.0]
            old.write_samples(samples(request_rate=2.0))
            assert old.history("shop/cart", NOW, NOW)["request_rate"].tolist() == [2.0]
            if url != ":memory:":  # each of those is a store of its own
                assert len(new.sample_counts()) == 1
                assert new.history("shop/cart", NOW, NOW)["request_rate"].tolist() == [2.0]


def test_a_failed_write_changes_nothing(store: Store) -> None:
    store.write_samples(samples(request_rate=1.0))
    revision = store.revision
    with pytest.raises(StoreError, match="nothing was changed"):
        store.write_samples(samples(request_rate=2.0).assign(service_name=None))
    assert store.history("shop/cart", NOW, NOW + HOUR)["request_rate"].tolist() == [1.0] * 3
    assert store.revision == revision


@pytest.mark.slow
def test_threads_share_a_store(store: Store) -> None:
    failures: list[Exception] = []

    def write(name: str) -> None:
        try:
            for _ in range(5):
                store.write_samples(samples(name, request_rate=1.0))
                store.latest(NOW - HOUR)
        except Exception as error:  # noqa: BLE001 - whatever it is must fail the test
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"s{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.sample_counts()["samples"].tolist() == [3] * 6


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_text("hello\n" * 2000)
    with pytest.raises(StoreCorruptError, match=r"notes\.duckdb is not a DuckDB database: .*OBSERVATORY_STORE"):
        open_store(str(path))
    assert path.read_text().startswith("hello"), "it is left as it was"


def test_an_empty_file_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "empty.duckdb"
    path.touch()
    open_store(str(path)).close()


def test_a_folder_or_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_store(str(tmp_path))
    with pytest.raises(StoreError, match="there is no folder"):
        open_store(str(tmp_path / "none" / "a.duckdb"))


def test_a_store_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    url = str(tmp_path / "new.duckdb")
    open_store(url).close()
    with duckdb.connect(url) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, now())")
    with pytest.raises(StoreTooNewError, match=r"schema 9999.*upgrade the program"):
        open_store(url)


@pytest.mark.slow
def test_a_store_held_by_another_process_is_said_to_be_in_use(tmp_path: Path) -> None:
    url = str(tmp_path / "held.duckdb")
    hold = f"import duckdb, sys; c = duckdb.connect({url!r}); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreInUseError, match=rf"in use by another process \(PID {holder.pid}\).*: stop that"):
            open_store(url, options=StoreOptions(patience=0.2))
    finally:
        holder.communicate()
