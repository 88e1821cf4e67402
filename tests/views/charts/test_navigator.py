"""The strip shows the whole range with its anomalies, whatever of it has samples."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from bokeh.models import Range1d
from views.conftest import NOW, anomaly

from observatory.analysis.history import ServiceHistory
from observatory.model import Service
from observatory.views.charts.navigator import Navigator
from observatory.views.components.theme import palette

START = NOW - timedelta(hours=1)
DARK, LIGHT = palette(dark=True), palette(dark=False)


def shown(**columns: list[float]) -> Navigator:
    index = pd.date_range(START, periods=len(next(iter(columns.values()), [])), freq="1min")
    samples = pd.DataFrame(columns, index=index)
    strip = Navigator(Range1d(0, 1), DARK)
    found = (anomaly("shop/cart", 30),)
    strip.show(ServiceHistory(Service("shop/cart"), START, NOW, 60, samples, None, found, ()), DARK)
    return strip


def test_the_range_is_the_whole_one_and_anomalies_are_marked() -> None:
    strip = shown(request_rate=[1.0, 4.0])
    assert strip.figure.x_range.end - strip.figure.x_range.start == 3600 * 1000
    assert strip.spans.data["colour"] == [DARK["critical"]]
    assert list(strip.source.data["value"]) == [0.25, 1.0]


@pytest.mark.parametrize("rate", [[np.nan, np.nan], None])
def test_a_service_without_requests_is_known_by_what_it_uses(rate: list[float] | None) -> None:
    columns = {"cpu_usage": [0.5, 1.0]} | ({"request_rate": rate} if rate else {})
    assert list(shown(**columns).source.data["value"]) == [0.5, 1.0]


def test_a_service_that_does_nothing_or_nothing_is_known_of_draws_no_error() -> None:
    assert list(shown(request_rate=[0.0, 0.0]).source.data["value"]) == [0, 0]
    assert list(shown().source.data["value"]) == []


def test_the_strip_takes_the_colours_of_the_theme() -> None:
    strip = shown(request_rate=[1.0])
    strip.restyle(LIGHT)
    assert (strip.area.fill_color, strip.window.fill_color) == (LIGHT["accent"], LIGHT["page"])
