"""Fault cases beside a long record of normal operation become series."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from support.labelled import write

from observatory.errors import InvalidInputError
from observatory.evaluation.folder import labelled_folder

CASES = [
    {"scenario": "busy", "case": "issue_0", "target": {"node": "site"}},
    {"scenario": "calm", "case": "issue_0", "target": {"node": "site"}},
]


def rows(scenario: str, case: str, first: int, count: int, node: str = "site") -> pd.DataFrame:
    times = [first + 300 * i for i in range(count)]
    one = pd.DataFrame({"scenario": scenario, "case": case, "t": times, "node": node, "metric": "latency"})
    parts = [one.assign(stat="p50", value=0.1), one.assign(stat="p99", value=0.2)]
    return pd.concat([*parts, one.assign(metric="requests", stat="Sum", value=9.0)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    day = 86_400
    parts = [
        rows("busy", "noissue", 1_700_000_100, 300),
        rows("busy", "noissue", 1_700_000_100, 300, node="other"),
        rows("busy", "issue_0", 1_700_000_100 - 40 * day + 7200, 5).assign(value=7.0),
        rows("calm", "issue_0", 1_700_000_100, 5),
    ]
    write(pd.concat(parts, ignore_index=True), tmp_path / "shop" / "metrics_long.parquet")
    (tmp_path / "shop" / "cases.json").write_text(json.dumps(CASES))
    return tmp_path


def test_a_case_follows_the_normal_record_of_its_node_at_its_own_time_of_day(folder: Path) -> None:
    (one,) = labelled_folder(folder)  # nothing normal is known of the calm scenario
    assert (one.group, one.name, one.train_rows) == ("shop", "busy/issue_0", 200)
    assert list(one.frame.columns) == ["latency_p50", "latency_p99", "requests_Sum"]
    assert one.labels.tolist() == [False] * 300 + [True] * 5
    assert (one.frame[one.labels] == 7.0).all(axis=None)
    assert one.frame.index.is_monotonic_increasing
    gap = one.frame.index[300] - one.frame.index[299]
    assert pd.Timedelta(0) < gap < pd.Timedelta(days=1, seconds=301)
    assert (one.frame.index[300] - one.frame.index[0]) % pd.Timedelta(days=1) == pd.Timedelta(seconds=7200)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("cases.json", "[{}]", r"cases\.json: cases need scenario, case and target\.node"),
        ("cases.json", "{", r"cases\.json: cases need"),
        ("cases.json", json.dumps([CASES[0] | {"case": "issue_9"}]), "no rows of busy, issue_9, site"),
    ],
)
def test_what_cannot_be_used_is_named(folder: Path, file: str, content: str, message: str) -> None:
    (folder / "shop" / file).write_text(content)
    with pytest.raises(InvalidInputError, match=message):
        labelled_folder(folder)


def test_a_missing_column_is_named(folder: Path) -> None:
    write(rows("busy", "noissue", 0, 9).drop(columns="stat"), folder / "shop" / "metrics_long.parquet")
    with pytest.raises(InvalidInputError, match=r"metrics_long\.parquet has no column stat"):
        labelled_folder(folder)
