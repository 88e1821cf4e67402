"""Roll-ups answer what the samples would have answered; sorting changes nothing but the place of rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from observatory.model import SERVICE, Anomaly, Evidence, Severity
from observatory.store import Store, open_store
from observatory.store.options import Retention
from observatory.store.upkeep import rollups as upkeep

pytestmark = pytest.mark.slow

START = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
NAMES = ["request_rate", "latency_p99", "restart_count"]


def samples(service: str = "a", minutes: int = 600, start: datetime = START, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.random((minutes, len(NAMES))), columns=NAMES).mask(random.random((minutes, 3)) < 0.2)
    frame.insert(0, "timestamp", pd.date_range(start, periods=minutes, freq="60s"))
    frame.insert(0, SERVICE, service)
    return frame


def answers(store: Store, seconds: float) -> list[pd.DataFrame]:
    """Buckets over ranges that begin and end anywhere."""
    ranges = [(0, 600), (13, 421), (60, 119), (598, 640), (-60, 3), (300, 301)]
    return [
        store.buckets("a", START + timedelta(minutes=a), START + timedelta(minutes=b), seconds, NAMES)
        for a, b in ranges
    ]


def test_a_roll_up_answers_what_the_samples_do(store: Store) -> None:
    store.write_samples(pd.concat([samples(), samples("b", seed=1)]))
    steps = (300, 900, 3600, 7200)
    before = {seconds: answers(store, seconds) for seconds in steps}
    for until in (95, 312, 640):
        store.maintain(START + timedelta(minutes=until))
        for seconds in steps:
            for one, other in zip(answers(store, seconds), before[seconds], strict=True):
                pd.testing.assert_frame_equal(one, other, obj=f"{seconds} s, rolled up until minute {until}")


def test_counts_go_on_while_samples_are_rolled_up(store: Store) -> None:
    store.write_samples(pd.concat([samples(), samples("b", 300)]))
    before = store.sample_counts()
    assert before["samples"].to_dict() == {"a": 600, "b": 300}
    store.maintain(START + timedelta(minutes=500))
    pd.testing.assert_frame_equal(store.sample_counts(), before)
    assert store.newest() == START + timedelta(minutes=599)


def test_late_samples_are_rolled_up_again(store: Store) -> None:
    late = samples(seed=2).iloc[100:130]
    store.write_samples(samples())
    store.maintain(START + timedelta(minutes=640))
    store.write_samples(late)
    expected = store.history("a", START, START + timedelta(hours=10), NAMES).resample("1h").mean()
    for _ in range(2):
        found = store.buckets("a", START, START + timedelta(hours=10), 3600, NAMES)
        np.testing.assert_allclose(found["request_rate"], expected["request_rate"])
        store.maintain(START + timedelta(minutes=640))


def test_upkeep_changes_no_answer_and_so_no_revision(store: Store) -> None:
    store.write_samples(samples())
    before = store.revision
    store.maintain(START + timedelta(minutes=640))
    assert store.revision == before


def test_rows_of_a_service_come_to_lie_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "FEW", 100)
    store = open_store(str(tmp_path / "x.duckdb"))
    for minute in range(90):
        at = START + timedelta(minutes=minute)
        store.write_samples(pd.DataFrame({SERVICE: ["b", "a"], "timestamp": at, "request_rate": float(minute)}))
    before = store.history_of_all(START, START + timedelta(days=1))
    store.maintain(START + timedelta(minutes=240))
    pd.testing.assert_frame_equal(store.history_of_all(START, START + timedelta(days=1)), before)
    store.close()
    with duckdb.connect(str(tmp_path / "x.duckdb")) as file:
        order = [row[0] for row in file.execute("SELECT service_name FROM service_metrics").fetchall()]
    changes = sum(one != other for one, other in pairwise(order))
    assert changes < 20, "in the order of arrival it changes with every row"


def test_a_store_from_before_services_had_keys_answers_as_it_did(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with open_store(str(path)) as store:
        store.write_samples(samples())
        store.maintain(START + timedelta(minutes=640))
        before = answers(store, 3600)
    with duckdb.connect(str(path)) as file:
        file.execute("UPDATE schema_migrations SET version = 10")
        file.execute("DROP VIEW samples")
        for table in ("service_metrics", "rollup_5m", "rollup_1h"):
            file.execute(f"ALTER TABLE {table} DROP COLUMN service_key")
        file.execute("CREATE VIEW samples AS FROM service_metrics")
        file.execute("DELETE FROM meta WHERE key = 'samples view'")
    with open_store(str(path)) as store:
        for one, other in zip(answers(store, 3600), before, strict=True):
            pd.testing.assert_frame_equal(one, other)


def test_roll_ups_stay_as_long_as_their_samples(store: Store) -> None:
    store.write_samples(samples())
    before = answers(store, 3600)
    store.maintain(START + timedelta(days=10), Retention(archive=None, rollups=5))
    for one, other in zip(answers(store, 3600), before, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_anomalies_that_ended_long_ago_are_removed(store: Store) -> None:
    evidence = (Evidence("error_rate", 0.2, 0.0, 0.0, 0.01, 1.0, "up"),)
    old = Anomaly("a", START, START, START, False, Severity.LOW, 1.1, "seasonal", "a: errors", evidence)
    still_open = replace(old, service_name="b", is_open=True)
    store.write_anomalies([old, still_open])
    store.maintain(START + timedelta(days=4), Retention(archive=None, anomalies=5))
    assert len(store.anomalies()) == 2
    store.maintain(START + timedelta(days=6), Retention(archive=None, anomalies=5))
    assert store.anomalies() == [still_open]
