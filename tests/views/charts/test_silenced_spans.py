"""Charts shade the time in which a service was silenced."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
from support.incidents import NOON
from support.silences import HOUR, a_silence

from observatory.analysis.history import ServiceHistory
from observatory.model import Effect, Service, Silence
from observatory.views.charts.charts import quiet_spans
from observatory.views.components.theme import palette


def shaded(metric: str, *silences: Silence) -> list[tuple[float, float, float]]:
    """From when to when [h after noon], and how strongly."""
    empty = pd.DataFrame(index=pd.DatetimeIndex([], tz="UTC"))
    history = ServiceHistory(
        Service("shop/cart"), NOON, NOON + 6 * HOUR, 60, empty, None, (), (), silences=tuple(silences)
    )
    noon, hour = pd.Timestamp(NOON).tz_convert(None), pd.Timedelta(hours=1)
    data = quiet_spans(history, metric, palette(True))
    assert set(data["colour"]) <= {palette(True)["soft"]}
    return [
        ((left - noon) / hour, (right - noon) / hour, alpha)
        for left, right, alpha in zip(data["left"], data["right"], data["alpha"], strict=True)
    ]


def test_once_again_and_again_and_cut_by_what_is_shown() -> None:
    assert shaded("cpu_usage", a_silence(starts_at=NOON - HOUR)) == [(0.0, 1.0, 0.12)]
    again = a_silence(
        cron="0 */2 * * *",
        duration=timedelta(minutes=30),
        starts_at=NOON - HOUR,
        ends_at=NOON + 24 * HOUR,
        effect=Effect.DO_NOT_JUDGE,
    )
    assert shaded("cpu_usage", again) == [(0.0, 0.5, 0.22), (2.0, 2.5, 0.22), (4.0, 4.5, 0.22)]


def test_one_of_some_metrics_is_shown_in_their_charts_only() -> None:
    one = a_silence(metrics=("cpu_usage",))
    assert len(shaded("cpu_usage", one)) == 1
    assert shaded("error_rate", one) == []
