"""Detectors are run series by series, and a set's row sums them up."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from support.labelled import table, write

from observatory import evaluation
from observatory.errors import UnknownPluginError
from observatory.evaluation.benchmark import benchmark, benchmark_one, series_table, summary, window_of
from observatory.evaluation.cases import case_table
from observatory.evaluation.explanation import Cause
from observatory.evaluation.folder import read_labelled
from observatory.evaluation.series import LabelledSeries

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledSeries]:
    """One with an event and its cause, and one in which nothing happens."""
    folder = tmp_path_factory.mktemp("labelled")
    eventful = read_labelled(write(table(), Path(folder / "mine" / "one.csv")), "mine")[0]
    calm = table(seed=1).assign(label=0)
    calm.loc[500:520, "m00"] -= 30
    quiet = read_labelled(write(calm, Path(folder / "mine" / "two.csv")), "mine")[0]
    quiet.frame.iloc[520:540, 1] = 40.0
    return [dataclasses.replace(eventful, causes=(Cause(100, 119, (0,)),)), quiet]


def test_an_event_found_at_once_and_its_cause_named(series: list[LabelledSeries]) -> None:
    result = benchmark_one(series[0], "seasonal", look_ahead=True)
    assert np.isnan(result.scores[:400]).all()
    assert result.at_line.found == result.at_line.events == 1
    assert result.vus_pr > 0.9
    assert result.best.f1 == 1.0
    assert result.days == pytest.approx(180 / 1440)
    assert result.looks_ahead_at is None
    assert result.explained is not None
    assert (result.explained.hit_rate_100, result.explained.ndcg) == (1.0, 1.0)


def test_a_series_without_events_counts_for_false_alarms_alone(series: list[LabelledSeries]) -> None:
    results, failures = benchmark(series, ["seasonal"])
    assert failures == []
    (row,) = summary(results).to_dict("records")
    assert (row["set"], row["detector"], row["series"], row["events"]) == ("mine", "seasonal", 2, 1)
    assert row["VUS-PR"] == results[0].vus_pr
    assert np.isnan(results[1].vus_pr)
    assert row["recall"] == 1.0
    assert row["hit@150%"] == 1.0
    assert results[1].at_line.false_alarms >= 1
    assert row["false alarms a day"] == pytest.approx(np.mean([one.false_alarms_per_day for one in results]))
    assert row["delay [s]"] == 60 * row["delay [rows]"] == 60 * results[0].at_line.delays[0]
    assert row["NAB"] >= row["NAB at line"]
    assert series_table(results)["series"].tolist() == ["one", "two"]


def test_processes_find_the_same_and_progress_is_told(series: list[LabelledSeries]) -> None:
    told: list[tuple[int, int, str]] = []
    alone, _ = benchmark(series, ["seasonal"])
    shared, failures = benchmark(
        series, ["seasonal"], 2, lambda done, total, what, detail="": told.append((done, total, what))
    )
    assert failures == []
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)
        assert (one.at_line, one.best) == (other.at_line, other.best)
    assert told == [(1, 2, "seasonal"), (2, 2, "seasonal")]


def test_a_series_that_fails_is_told_and_the_others_go_on(series: list[LabelledSeries]) -> None:
    short = dataclasses.replace(series[0], name="short", train_rows=1)
    results, failures = benchmark([short, series[1]], ["seasonal"])
    assert [one.name for one in results] == ["two"]
    assert failures[0].what == "seasonal on mine/short"
    assert "NotEnoughDataError" in failures[0].error


def test_an_unknown_detector_is_refused_before_anything_is_done(series: list[LabelledSeries]) -> None:
    with pytest.raises(UnknownPluginError):
        benchmark(series, ["seasonal", "oracle"])


def test_the_window_is_the_period_of_the_first_metric(series: list[LabelledSeries]) -> None:
    wave = series[0].frame.copy()
    wave["m00"] = np.sin(np.arange(600) * 2 * np.pi / 24)
    wave.iloc[100, 0] = np.nan
    assert window_of(dataclasses.replace(series[0], frame=wave)) == 24


def test_every_hit_miss_and_false_alarm_is_a_case(series: list[LabelledSeries]) -> None:
    results, _ = benchmark(series, ["seasonal"])
    scores = results[0].scores.copy()
    scores[400:] = 0.0
    scores[450:452] = 2.0
    labels = results[0].labels.copy()
    labels[10:15] = True  # of the rows that are learned from, which do not count
    missed = dataclasses.replace(results[0], detector="deaf", scores=scores, labels=labels)
    cases = case_table([results[0], missed, results[1]], series)
    hit = cases[cases["case"] == "hit"].iloc[0]
    assert (hit["detector"], hit["first row"], hit["last row"]) == ("seasonal", 500, 519)
    assert hit["start"] == series[0].frame.index[500]
    assert hit["highest score"] == results[0].scores[500:520].max()
    deaf = cases[cases["detector"] == "deaf"]
    assert deaf["case"].tolist() == ["false alarm", "miss"]
    assert deaf["first row"].tolist() == [450, 500]
    assert set(cases[cases["series"] == "two"]["case"]) == {"false alarm"}


def test_the_earlier_names_still_work() -> None:
    assert evaluation.judge is evaluation.benchmark
    assert evaluation.Judged is evaluation.BenchmarkResult
