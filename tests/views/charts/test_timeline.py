"""The timeline has a row for each service with anomalies, and a bar for each anomaly."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
from views.conftest import NOW, anomaly

from observatory.model import Anomaly, Severity
from observatory.views.charts.timeline import Timeline, TimelineFigure, anomaly_key, timeline
from observatory.views.components.theme import palette

START = NOW - timedelta(hours=24)
COLOURS = palette(dark=True)


def drawn(*anomalies: Anomaly, marked: str = "") -> Timeline:
    return timeline(anomalies, START, NOW, NOW, COLOURS, marked)


def test_the_newest_service_is_on_top() -> None:
    assert drawn(anomaly("a", 10), anomaly("b", 500), anomaly("b", 300)).services == ("b", "a")


def test_bars_are_cut_to_the_range() -> None:
    bars = drawn(anomaly("a", 25 * 60, minutes=90)).bars
    assert bars["left"][0] == pd.Timestamp(START).tz_convert(None)
    assert "lasted 1 h 30 min" in bars["time"][0]


def test_an_open_anomaly_reaches_until_now_and_is_marked_as_open() -> None:
    bars = drawn(anomaly("a", 45, is_open=True), anomaly("b", 45)).bars
    assert bars["open"] == [1.0, 0.0]
    assert "ongoing for 45 min" in bars["time"][0]


def test_an_anomaly_of_one_sample_can_be_seen() -> None:
    bars = drawn(anomaly("a", 45, minutes=0)).bars
    assert bars["right"][0] > bars["left"][0]
    assert "a single sample" in bars["time"][0]


def test_worse_anomalies_are_thicker_and_drawn_later() -> None:
    bars = drawn(*(anomaly("a", 60, severity) for severity in Severity)).bars
    assert bars["severity"] == ["low", "medium", "high", "critical"]
    assert bars["width"] == sorted(bars["width"])


def test_the_chosen_anomaly_stands_out() -> None:
    one, other = anomaly("a", 60), anomaly("b", 60)
    bars = drawn(one, other, marked=anomaly_key(other)).bars
    assert bars["alpha"] == [0.35, 1.0]


def test_a_figure_follows_its_timeline() -> None:
    figure = TimelineFigure(COLOURS)
    content = drawn(anomaly("a", 60), anomaly("b", 30))
    figure.show(content)
    assert figure.figure.y_range.factors == ["a", "b"]
    assert figure.figure.height == content.height
    figure.show(drawn())
    assert figure.source.data["key"] == []
