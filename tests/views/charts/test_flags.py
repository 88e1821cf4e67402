"""Changes are flagged in every chart: at their time, with what was done, and without markup of others."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from bokeh.models import HoverTool, Range1d, Span, VSpan
from views.conftest import NOW, anomaly

from observatory.analysis.history import ServiceHistory
from observatory.catalog import METRICS
from observatory.model import Change, ChangeKind, Service
from observatory.views.charts.charts import charts
from observatory.views.charts.figures import MetricFigure
from observatory.views.charts.flags import TOOLTIP, flags
from observatory.views.charts.navigator import Navigator
from observatory.views.charts.timeline import TimelineFigure, timeline
from observatory.views.components.theme import palette

DARK, LIGHT = palette(dark=True), palette(dark=False)
START = NOW - timedelta(hours=1)
AT = NOW - timedelta(minutes=20)
CHANGE = Change("c1", "shop/cart", AT, ChangeKind.DEPLOYMENT, "1.4.2", "faster", "", "key:ci")
PLAIN = pd.Timestamp(AT).tz_convert(None)


def history(*changes: Change) -> ServiceHistory:
    index = pd.date_range(START, NOW, freq="1min")
    samples = pd.DataFrame({"request_rate": np.full(len(index), 10.0)}, index=index)
    return ServiceHistory(Service("shop/cart"), START, NOW, 60, samples, None, (), (), changes=changes)


def test_a_flag_says_what_was_done_when_and_by_whom() -> None:
    data = flags([CHANGE])
    assert (data["time"], data["title"], data["text"]) == ([PLAIN], ["Deployment 1.4.2"], ["faster"])
    assert data["told"][0].endswith(f"{AT:%H:%M:%S} UTC · key:ci")
    assert "{safe}" not in TOOLTIP, "Bokeh escapes what others wrote"


def test_a_change_without_a_version_is_called_by_its_summary_once() -> None:
    data = flags(
        [Change("c2", "shop/cart", AT, ChangeKind.FLAG, "", "new carts on"), Change("c3", "a", AT, ChangeKind.RESTART)]
    )
    assert (data["title"], data["text"]) == (["New carts on", "Restart"], ["", ""])


def test_a_chart_has_a_dashed_line_and_a_flag_within_the_frame() -> None:
    drawn = MetricFigure(METRICS["request_rate"], Range1d(0, 1), Span(), DARK)
    (chart,) = charts(history(CHANGE), [METRICS["request_rate"]], DARK)
    drawn.show(chart)
    assert list(drawn.flags.source.data["time"]) == [PLAIN]
    assert drawn.figure.y_range.start < drawn.flags.source.data["top"][0] < drawn.figure.y_range.end
    (line,) = drawn.figure.select(VSpan)
    assert (line.line_dash, line.line_color) == ([4, 3], DARK["soft"])
    assert any(tool.renderers != "auto" and len(tool.renderers) == 2 for tool in drawn.figure.select(HoverTool))
    drawn.restyle(LIGHT)
    assert line.line_color == LIGHT["soft"]
    drawn.show(charts(history(), [METRICS["request_rate"]], LIGHT)[0])
    assert list(drawn.flags.source.data["time"]) == []


def test_the_strip_over_the_charts_has_them_too() -> None:
    strip = Navigator(Range1d(0, 1), DARK)
    strip.show(history(CHANGE), DARK)
    assert list(strip.flags.source.data["time"]) == [PLAIN]


def test_the_timeline_flags_changes_in_the_rows_of_their_services() -> None:
    other = Change("c2", "shop/quiet", AT, ChangeKind.DEPLOYMENT, "2")
    before = Change("c3", "shop/cart", START - timedelta(minutes=1), ChangeKind.DEPLOYMENT, "1")
    content = timeline([anomaly("shop/cart", 10)], START, NOW, NOW, DARK, "", [before, CHANGE, other])
    assert content.flags["title"] == ["Deployment 1.4.2"]
    figure = TimelineFigure(DARK)
    figure.show(content)
    assert figure.flags.source.data["low"] == [("shop/cart", -0.42)]
