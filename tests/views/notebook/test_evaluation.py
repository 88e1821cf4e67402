"""Figures of an evaluation are drawn from what was scored, and survive having nothing to draw."""

from __future__ import annotations

from dataclasses import replace

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from support.labelled import table, write

from observatory.evaluation import BenchmarkResult, LabelledSeries, case_table
from observatory.evaluation.benchmark import benchmark_one
from observatory.evaluation.folder import read_labelled
from observatory.views.notebook.evaluation import gallery, precision_recall_figure


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> LabelledSeries:
    return read_labelled(write(table(), tmp_path_factory.mktemp("labelled") / "one.csv"), "mine")[0]


@pytest.fixture(scope="module")
def result(series: LabelledSeries) -> BenchmarkResult:
    return benchmark_one(series, "seasonal")


@pytest.mark.slow
def test_a_curve_a_detector_with_its_alarm_line(result: BenchmarkResult) -> None:
    random = replace(result, detector="random", scores=np.random.default_rng(0).random(600))
    figure = precision_recall_figure([result, random]).object
    curves = {item.label: item for item in figure.traverse(lambda item: item, [hv.Curve])}
    assert set(curves) == {"seasonal", "random"}
    assert curves["seasonal"]["precision"].max() == 1.0
    assert (np.diff(curves["random"]["recall"]) >= 0).all()
    points = figure.traverse(lambda item: item, [hv.Points])
    assert [len(point) for point in points] == [1, 1]
    assert hv.render(figure).title.text == "Rows: precision and recall"


@pytest.mark.slow
def test_each_case_shows_the_metrics_that_went_wrong_and_the_score(
    result: BenchmarkResult, series: LabelledSeries
) -> None:
    cases = case_table([result], [series])
    shown = gallery(cases, [result], [series]).object
    assert len(shown) == 2 * len(cases)
    hv.render(shown)
    place = cases["case"].tolist().index("hit")
    left, right = list(shown)[2 * place : 2 * place + 2]
    assert next(iter(left.traverse(lambda item: item.label, [hv.Curve]))) == "m00"
    (score,) = right.traverse(lambda item: item, [hv.Curve])
    assert score["score"].max() <= 20.0
    assert pd.Timestamp(score["time"][0]) < cases["start"].iloc[place].tz_localize(None)


def test_no_cases_are_said_to_be_none(result: BenchmarkResult, series: LabelledSeries) -> None:
    nothing = case_table([result], [series]).iloc[:0]
    assert "no cases" in gallery(nothing, [result], [series]).object.data


def test_without_anomalous_rows_there_is_no_curve_but_a_figure(result: BenchmarkResult) -> None:
    calm = replace(result, labels=np.zeros(600, bool))
    hv.render(precision_recall_figure([calm]).object)
