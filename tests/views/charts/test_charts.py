"""Charts show display units, the expected band, extremes where samples are summarised, and gaps as gaps."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from bokeh.models import Range1d, Span
from views.conftest import NOW, anomaly

from observatory.analysis.history import ServiceHistory
from observatory.catalog import METRICS
from observatory.detectors.bands import Expected
from observatory.model import Anomaly, Service, Severity
from observatory.views.charts.charts import Chart, Scale, charts, scale, with_gaps
from observatory.views.charts.figures import MetricFigure, tooltip
from observatory.views.components.theme import palette

COLOURS = palette(dark=True)


def history(
    samples: pd.DataFrame, expected: Expected | None = None, anomalies: tuple[Anomaly, ...] = (), step: float = 60
) -> ServiceHistory:
    return ServiceHistory(Service("shop/cart"), NOW - timedelta(hours=1), NOW, step, samples, expected, anomalies, ())


def frame(**columns: list[float]) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.date_range(NOW - timedelta(minutes=length - 1), periods=length, freq="1min"))


def chart_of(name: str, content: ServiceHistory) -> Chart:
    return charts(content, [METRICS[name]], COLOURS)[0]


@pytest.mark.parametrize(
    ("metric", "highest", "expected"),
    [
        ("latency_p95", 0.4, Scale(1e3, "ms")),
        ("latency_p95", 12.0, Scale(1.0, "s")),
        ("error_rate", 0.02, Scale(100.0, "%")),
        ("memory_usage", 6e8, Scale(1e-6, "MB")),
        ("memory_usage", 8e9, Scale(1e-9, "GB")),
        ("cpu_usage", 2.0, Scale(1.0, "cores")),
        ("request_rate", 2.0, Scale(1.0, "req/s")),
        ("pod_count", 4.0, Scale(1.0, "")),
    ],
)
def test_metrics_are_drawn_in_units_people_read(metric: str, highest: float, expected: Scale) -> None:
    assert scale(METRICS[metric], highest) == expected


def test_values_are_scaled_and_missing_stays_missing() -> None:
    drawn = chart_of("latency_p95", history(frame(latency_p95=[0.1, np.nan, 0.3])))
    assert drawn.columns["actual"] == pytest.approx([100, np.nan, 300], nan_ok=True)
    assert np.isnan(drawn.columns["typical"]).all()
    assert drawn.columns["time"].dtype.kind == "M"


def test_the_expected_band_is_drawn_in_the_same_unit() -> None:
    samples = frame(latency_p95=[0.1, 0.2])
    expected = Expected(samples * 0 + 0.15, samples * 0 + 0.1, samples * 0 + 0.2)
    drawn = chart_of("latency_p95", history(samples, expected))
    assert [drawn.columns[key][0] for key in ("lower", "typical", "upper")] == pytest.approx([100, 150, 200])
    assert drawn.title == "p95 latency   200 ms  (typical 150 ms)"
    assert drawn.top > 200


def test_summarised_samples_show_their_extremes() -> None:
    samples = frame(error_rate=[0.01], error_rate__min=[0.0], error_rate__max=[0.5])
    drawn = chart_of("error_rate", history(samples))
    assert (drawn.columns["least"][0], drawn.columns["most"][0]) == (0, 50)
    assert drawn.top > 50


def test_a_line_breaks_where_samples_are_missing() -> None:
    samples = frame(cpu_usage=[1.0] * 10).drop(index=frame(cpu_usage=[1.0] * 10).index[4:8])
    drawn = chart_of("cpu_usage", history(samples))
    assert drawn.columns["actual"] == pytest.approx([1, 1, 1, 1, np.nan, 1, 1], nan_ok=True)
    assert (np.diff(drawn.columns["time"]) > np.timedelta64(0)).all()


def test_an_unbroken_series_has_no_gap() -> None:
    index = pd.DatetimeIndex(frame(x=[1.0] * 5).index)
    places, longer = with_gaps(index, 60)
    assert list(places) == list(range(5))
    assert longer.equals(index)


def test_no_samples_at_all_is_said() -> None:
    nothing = pd.DataFrame({"cpu_usage": []}, index=pd.DatetimeIndex([], tz="UTC"))
    drawn = chart_of("cpu_usage", history(nothing))
    assert drawn.title == "CPU: no samples"
    assert drawn.top > 0
    assert len(drawn.columns["time"]) == 0


def test_an_anomaly_is_shaded_strongly_only_where_the_metric_was_part_of_it() -> None:
    found = (anomaly("shop/cart", 30, is_open=True), anomaly("shop/cart", 50, Severity.LOW, metrics=("cpu_usage",)))
    content = history(frame(latency_p95=[0.1]), anomalies=found)
    drawn = chart_of("latency_p95", content)
    low, critical = drawn.spans["alpha"]
    assert critical > 2 * low
    assert drawn.spans["colour"] == [COLOURS["low"], COLOURS["critical"]]
    assert drawn.alarm == COLOURS["critical"]
    assert chart_of("cpu_usage", content).alarm is None


def test_a_figure_follows_its_chart_and_the_theme() -> None:
    figure = MetricFigure(METRICS["latency_p95"], Range1d(0, 1), Span(), COLOURS)
    drawn = chart_of("latency_p95", history(frame(latency_p95=[0.1, 0.2])))
    figure.show(drawn)
    assert list(figure.source.data["actual"]) == pytest.approx([100, 200])
    assert figure.figure.y_range.end == drawn.top
    assert " ms" in figure.hover.tooltips
    figure.restyle(palette(dark=False))
    assert figure.actual.line_color == palette(dark=False)["accent"]


@pytest.mark.parametrize("summarised", [True, False])
def test_the_extremes_are_told_where_there_are_some(summarised: bool) -> None:
    assert ("highest" in tooltip(METRICS["cpu_usage"], Scale(1, "cores"), 2, summarised)) is summarised
