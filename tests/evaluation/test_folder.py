"""Labelled files are read as their layout says, and what cannot be used is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.labelled import table, write

from observatory.errors import InvalidInputError
from observatory.evaluation.folder import labelled_folder, read_labelled

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.mark.parametrize("name", ["one.parquet", "one.csv"])
def test_a_file_is_a_series_with_its_truth(tmp_path: Path, name: str) -> None:
    (one,) = read_labelled(write(table(), tmp_path / "mine" / name), "mine")
    assert (one.group, one.name, one.train_rows, one.step) == ("mine", "one", 400, 60.0)
    assert list(one.frame.columns) == ["m00", "m01", "m02"]
    assert str(one.frame.index.tz) == "UTC"
    assert np.flatnonzero(one.labels).tolist() == list(range(500, 520))
    np.testing.assert_allclose(one.frame, table()[["m00", "m01", "m02"]])


def test_rows_that_are_only_numbered_are_minutes_or_what_the_set_is_known_for(tmp_path: Path) -> None:
    numbered = table().drop(columns="timestamp").assign(t=range(600))
    path = write(numbered, tmp_path / "one.parquet")
    assert read_labelled(path, "mine")[0].step == 60
    assert read_labelled(path, "asd")[0].step == 300


def test_seconds_since_1970_are_times(tmp_path: Path) -> None:
    seconds = table().drop(columns="timestamp").assign(t=1_661_140_279 + 30 * np.arange(600))
    (one,) = read_labelled(write(seconds, tmp_path / "one.parquet"), "mine")
    assert one.frame.index[0] == pd.Timestamp(1_661_140_279, unit="s", tz="UTC")
    assert one.step == 30


def test_a_file_may_hold_several_series_and_leave_the_split_open(tmp_path: Path) -> None:
    both = pd.concat([table(seed=i).drop(columns="split").assign(series=name) for i, name in enumerate("ba")])
    first, second = read_labelled(write(both, tmp_path / "pods.parquet"), "mine")
    assert (first.name, second.name) == ("pods/a", "pods/b")
    assert first.train_rows == 90
    assert not np.allclose(first.frame, second.frame)


def test_a_folder_of_sets_may_have_them_under_dev_and_a_set_may_be_given_itself(tmp_path: Path) -> None:
    write(table(), tmp_path / "data" / "dev" / "b" / "one.csv")
    write(table(), tmp_path / "data" / "dev" / "a" / "two.parquet")
    write(table(), tmp_path / "data" / "dev" / "a" / "calls.csv")  # beside Parquet, a table of another kind
    (tmp_path / "data" / "dev" / "a" / "interpretation").mkdir()
    (tmp_path / "data" / "dev" / "a" / "interpretation" / "two.txt").write_text("100-119:1\n")
    found = labelled_folder(tmp_path / "data")
    assert [(one.group, one.name) for one in found] == [("a", "two"), ("b", "one")]
    assert found[0].causes[0].metrics == (0,)
    assert found[1].causes == ()
    assert [one.group for one in labelled_folder(tmp_path / "data", ["b"])] == ["b"]
    assert [one.group for one in labelled_folder(tmp_path / "data" / "dev" / "b")] == ["b"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="label"), "has no column label: it has series, timestamp, m00"),
        (lambda t: t.drop(columns="timestamp"), r"no column timestamp \(or t\)"),
        (lambda t: t[["series", "timestamp", "label", "split"]], "has no metric"),
        (lambda t: t.assign(m01="high"), "column m01: holds .*, a metric must be numeric"),
        (lambda t: t.assign(label=2), "column label: must be 0 or 1"),
        (lambda t: t.assign(label="no"), "column label: must be 0 or 1"),
        (lambda t: t.assign(timestamp="soon"), "column timestamp: holds no times"),
        (lambda t: t.iloc[::-1].assign(split="test"), "column timestamp: times must be there and never go back"),
        (lambda t: t.assign(split="test"), "column split: needs rows marked train and others, 0 of 600 are"),
        (lambda t: t.assign(split=t["split"].to_numpy()[::-1]), "column split: rows marked train must come first"),
    ],
)
def test_a_column_that_cannot_be_used_is_named(tmp_path: Path, change: Change, message: str) -> None:
    path = write(change(table()), tmp_path / "bad.parquet")
    with pytest.raises(InvalidInputError, match=rf"bad\.parquet.*{message}"):
        read_labelled(path, "mine")


@pytest.mark.parametrize("name", ["letter.parquet", "letter.csv"])
def test_a_file_that_is_something_else_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe Dear reader, \x00\n" * 30)
    with pytest.raises(InvalidInputError, match=rf"{name} (cannot be read|has no column label)"):
        read_labelled(tmp_path / name, "mine")


def test_a_folder_without_files_or_without_the_set_says_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="nowhere is no folder"):
        labelled_folder(tmp_path / "nowhere")
    with pytest.raises(InvalidInputError, match=r"holds no labelled files: expected SET/SERIES\.parquet or \.csv"):
        labelled_folder(tmp_path)
    write(table(), tmp_path / "mine" / "one.csv")
    with pytest.raises(InvalidInputError, match=r"unknown set 'yours': .* has mine"):
        labelled_folder(tmp_path, ["yours"])
