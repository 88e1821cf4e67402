"""One object answers an exploring person's questions, about the demo shop's cascade of a night."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bokeh.models import GraphRenderer
from support.shop import NOON
from support.silences import a_silence

import observatory
from observatory import Workbench
from observatory.analysis.incident_report import likeness
from observatory.analysis.what_if import SENSITIVITIES
from observatory.errors import InvalidInputError, NotFoundError, UnknownServiceError
from observatory.views.charts.charts import telling

pytestmark = pytest.mark.slow

SERVICE = "shop/checkout"


@pytest.fixture(scope="module")
def wb() -> Iterator[Workbench]:
    with Workbench("demo", demo_days=1.0) as workbench:
        yield workbench


def test_it_is_imported_only_when_it_is_asked_for() -> None:
    code = "import sys, observatory; print('pandas' in sys.modules, 'Workbench' in dir(observatory))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "False True\n"
    with pytest.raises(AttributeError, match="no attribute 'Workbensh'"):
        _ = observatory.Workbensh


def test_it_introduces_itself_with_what_it_can_do(wb: Workbench) -> None:
    text, html = repr(wb), wb._repr_html_()
    for fact in ("12 services"[:2], "2026-03-01 12:00:00 UTC", "wb.what_if"):
        assert fact in text
        assert fact in html
    assert "shop/checkout" in wb._ipython_key_completions_()
    assert wb[SERVICE].name == SERVICE
    assert repr(wb[SERVICE]) == f"{SERVICE}: healthy, score 100, 0 open anomalies"


def test_tables_are_data_frames(wb: Workbench) -> None:
    assert wb.services.loc[SERVICE, "samples"] == 1441
    assert wb.history(SERVICE, "2h").shape == (121, 9)
    assert list(wb.history(SERVICE, "2h", ["cpu_usage"])) == ["cpu_usage"]
    assert len(wb.health()) == 12
    assert wb.health(SERVICE)["weight"].sum() == 100
    assert set(wb.anomalies(SERVICE)["service"]) == {SERVICE}
    assert set(wb.anomalies(severity="critical")["severity"]) == {"critical"}
    with pytest.raises(InvalidInputError, match="severity = 'loud': choose one of critical, high"):
        wb.anomalies(severity="loud")
    assert wb.explain(SERVICE)["metric"].iloc[0] == "errors"
    assert wb.explain(SERVICE, "5m").empty


def test_a_window_is_a_length_or_a_pair_of_times(wb: Workbench) -> None:
    assert wb.window("90m")[1] == NOON.replace(second=0)
    start, end = wb.window(("2026-03-01T08:00:00Z", "-1h"))
    assert (start.hour, end.hour) == (8, 11)
    for wrong in ("soon", ("now", "-1h"), ("yesterday", "now"), ("-2h", "-1h", "now")):
        with pytest.raises(InvalidInputError):
            wb.window(wrong)


def test_what_moved_together_is_found_across_services_without_the_daily_rhythm(wb: Workbench) -> None:
    table = wb.related(SERVICE, "6h", "error_rate", most=20)
    assert tuple(table.loc[0, ["service", "metric", "relation"]]) == (SERVICE, "error_rate", "itself")
    assert {"shop/inventory", "shop/catalog", "shop/frontend"} <= set(table["service"])
    assert "request_rate" not in set(table["metric"])  # it follows the hour in every service
    relation = dict(zip(table["service"], table["relation"], strict=True))
    assert relation["shop/inventory"] == "is called by it"
    assert relation["shop/frontend"] == "calls it"
    assert (table["correlation"].abs().diff().dropna() <= 0).all()
    with pytest.raises(InvalidInputError, match="has no samples then: choose from"):
        wb.related(SERVICE, "6h", "speed")


def test_a_higher_sensitivity_never_alarms_less(wb: Workbench) -> None:
    table = wb.what_if(SERVICE, "12h")
    assert (table["minutes"].diff().dropna() >= 0).all()
    assert np.isclose(table["highest"] / table["sensitivity"], table["highest"].iloc[2], atol=0.05).all()
    found = wb.anomalies(SERVICE, "12h")
    present = table.set_index("sensitivity").loc[1.0]
    assert present["alarms"] == len(found)
    assert f"{present['first']:%Y-%m-%d %H:%M}" == found["started"].iloc[-1]


def test_what_if_asks_the_detector_with_the_parameters_of_the_settings() -> None:
    deaf = {"young": 1e6}  # rows before the first score
    with Workbench("demo", demo_days=0.3, detector_parameters=deaf) as workbench:
        assert workbench.what_if(SERVICE, "2h")["highest"].tolist() == [0.0] * len(SENSITIVITIES)


def test_a_report_tells_where_it_began_and_what_changed(wb: Workbench) -> None:
    report = wb.incident(SERVICE, "6h")
    assert "The likeliest cause is shop/inventory: errors rose to" in repr(report)
    assert repr(report) in report._repr_html_()
    assert report.causes["service"].iloc[0] == "shop/inventory"
    assert report.causes["why"].iloc[0].endswith("are affected too; no callee explains it")
    assert list(report.changes["metric"])[:1] == ["errors"]
    assert report.changes["minutes outside"].iloc[0] > 5
    assert report.timeline["time"].is_monotonic_increasing
    assert {"shop/inventory", SERVICE} <= set(report.timeline["service"])
    first = report.timeline[report.timeline["service"] == "shop/inventory"].iloc[0]
    assert first["event"] == "deployment 6.3.0: Count stock by warehouse"


def test_incidents_are_listed_told_and_worked_on() -> None:
    with Workbench("demo", demo_days=0.5) as workbench:
        listed = workbench.incidents("6h").set_index("what")
        (cascade,) = listed[listed["services"] > 1]["incident"]
        assert listed.loc[listed["incident"] == cascade, "likeliest cause"].tolist() == ["shop/inventory"]
        report = workbench.incident(cascade)
        assert report.service == "shop/inventory"
        assert {one.id for one in report.incidents} == {cascade}
        assert workbench.reopen(cascade, "not over")["state"].tolist() == ["open"]
        assert workbench.acknowledge(cascade, "looking")["state"].tolist() == ["acknowledged"]
        assert workbench.assign(cascade, "ann")["assignee"].tolist() == ["ann"]
        workbench.note(cascade, "it was the pool")
        workbench.resolve(cascade)
        lines = workbench.timeline(cascade)
        assert lines["what"].tolist()[-5:] == ["reopened", "acknowledged", "assigned", "note", "resolved"]
        assert lines["who"].tolist()[-1].startswith("cli:")
        with pytest.raises(NotFoundError, match="there is no incident '000000000000'"):
            workbench.incident("000000000000")


def test_restarts_and_lost_pods_are_part_of_the_story(wb: Workbench) -> None:
    events = wb.incident("shop/shipping", "12h").timeline["event"]
    assert events.str.contains("running pods").any()
    assert events.str.contains("restarts").any()


def test_a_quiet_window_is_said_to_be_quiet(wb: Workbench) -> None:
    report = wb.incident("shop/payments", "1h")
    assert repr(report).startswith("Nothing unusual was found in shop/payments")
    assert report.timeline.empty
    assert repr(report.timeline) == "nothing happened"
    assert report.similar._repr_html_() == "<p>nothing was unusual</p>"


def test_a_table_without_rows_is_shown_as_a_sentence_and_computed_with_as_any_frame(wb: Workbench) -> None:
    calm = wb.anomalies("shop/payments", "1h")
    assert repr(calm) == "nothing was unusual"
    assert calm._repr_html_() == "<p>nothing was unusual</p>"
    assert type(calm[["service", "score"]]) is pd.DataFrame
    assert pd.concat([calm, wb.anomalies(SERVICE)])["service"].unique().tolist() == [SERVICE]
    assert repr(wb.anomalies(SERVICE)).startswith("         service")
    assert "<th>severity</th>" in wb.anomalies(SERVICE)._repr_html_()
    early = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    assert repr(wb.history(SERVICE, early)) == f"no samples of {SERVICE} from 2026-01-01 00:00 to 2026-01-02 00:00 UTC"
    assert repr(wb.related(SERVICE, early)) == f"no samples of {SERVICE} to compare with others"
    assert repr(wb.explain(SERVICE, "5m")) == "nothing was unusual"


def test_anomalies_of_the_same_metrics_are_alike(wb: Workbench) -> None:
    worst, *others = wb.store.anomalies(services=[SERVICE, "shop/inventory", "shop/payments"])
    assert likeness(worst, worst) == pytest.approx(1.0)
    assert all(0 <= likeness(worst, other) == likeness(other, worst) <= 1 for other in others)
    slow = next(anomaly for anomaly in others if anomaly.service_name == "shop/payments")
    assert likeness(worst, slow) == 0.0


def test_plots_show_the_metrics_of_the_worst_anomaly(wb: Workbench) -> None:
    history = wb.observed(SERVICE, "6h")
    metrics = telling(history)
    assert metrics[0] == "error_rate"
    layout = wb.plot(SERVICE, "6h").object
    assert len(layout) == len(metrics)
    picture = wb.still(SERVICE, "6h").data
    assert picture.startswith("<?xml") or "<svg" in picture
    assert ">errors" in picture
    assert telling(wb.observed("shop/payments", "1h")) == ["request_rate", "error_rate", "latency_p95"]


def test_who_calls_whom_is_drawn_with_a_picture_for_reports(wb: Workbench) -> None:
    pane = wb.graph(SERVICE, hops=1)
    names = pane.object.select_one({"type": GraphRenderer}).node_renderer.data_source.data["name"]
    assert SERVICE in names
    assert "shop/search" not in names
    picture = b64decode(re.search(r"base64,([^\"]+)", pane.still())[1]).decode()
    assert picture.startswith("<svg")
    assert f">{SERVICE.removeprefix('shop/')}</text>" in picture
    whole = wb.graph().object.select_one({"type": GraphRenderer}).node_renderer.data_source.data["name"]
    assert {"user", "shop/email", "products"} < set(whole)
    with pytest.raises(UnknownServiceError):
        wb.graph("shop/crat")
    with pytest.raises(InvalidInputError, match="hops = 99"):
        wb.graph(SERVICE, 99)


def test_plots_show_changes_where_they_were_made(wb: Workbench) -> None:
    import holoviews as hv

    (change,) = wb.store.changes.read(*wb.window("6h"), ["shop/inventory"])
    panels = list(wb.plot("shop/inventory", "6h").object)
    assert len(panels) > 1
    for panel in panels:
        (line,) = panel.traverse(specs=[hv.VLine])
        assert line.data == pd.Timestamp(change.at).tz_convert(None)
        (points,) = panel.traverse(specs=[hv.Points])
        assert list(points.dimension_values("title")) == ["Deployment 6.3.0"]
    hv.render(panels[0], backend="bokeh")


def test_views_of_the_dashboard_are_shown_by_name(wb: Workbench) -> None:
    assert type(wb.show("radar", severities=["high"])).__name__ == "AnomalyRadar"
    assert type(wb.show(SERVICE)).__name__ == "Drilldown"
    with pytest.raises(NotFoundError, match=r"unknown view 'rader': did you mean radar"):
        wb.show("rader")
    with pytest.raises(InvalidInputError, match="a view cannot be shown like that"):
        wb.show("radar", severity="high")


def test_what_comes_later_in_a_notebook_asks_no_other_machine_for_style_sheets(wb: Workbench) -> None:
    from bokeh.document import Document
    from bokeh.models import ImportedStyleSheet

    view = wb.show("health")
    root = view.__panel__().get_root(Document())
    view._state.service = SERVICE  # the drill-down is added to what is shown
    sheets = [sheet for model in root.select({}) for sheet in getattr(model, "stylesheets", [])]
    assert len(list(root.select({"type": ImportedStyleSheet}))) == 0
    assert sheets


def test_a_mistyped_service_is_refused_with_what_is_close(wb: Workbench) -> None:
    for ask in (wb.history, wb.related, wb.what_if, wb.incident, wb.anomalies):
        with pytest.raises(UnknownServiceError, match="did you mean shop/checkout"):
            ask("shop/chekout")


def test_the_store_of_the_settings_is_opened_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("observatory.toml").write_text('store = "mine.duckdb"')
    with Workbench() as mine:
        assert mine.store.url == "mine.duckdb"
        assert mine.services.empty
        assert mine.runtime.is_live
        assert "none yet: run `observatory collect`" in repr(mine)
        with pytest.raises(UnknownServiceError, match="there are none yet: run `observatory collect`"):
            mine.history(SERVICE)
    with Workbench(end="2026-03-01T12:00:00Z") as still:
        assert not still.runtime.is_live


def test_a_change_is_listed_and_compared(wb: Workbench) -> None:
    listed = wb.changes("shop/inventory", "6h")
    assert listed["version"].tolist() == ["6.3.0"]
    found = wb.change(listed["id"].iloc[0])
    assert {one.metric.name for one in found.differences if one.is_worse} >= {"error_rate", "latency_p95"}
    assert "More than noise" in found._repr_html_()
    assert wb.changes(window="7d")["at"].is_monotonic_decreasing
    with pytest.raises(NotFoundError, match="no change 'c9'"):
        wb.change("c9")


def test_silences_that_are_in_force_or_will_be_are_listed(wb: Workbench) -> None:
    now = wb.reader.clock()
    hour = timedelta(hours=1)
    wb.runtime.store.silences.write(
        [
            a_silence("shop/*", id="s1", starts_at=now - hour, ends_at=now + hour),
            a_silence("shop/*", id="s2", starts_at=now - 2 * hour, ends_at=now - hour),
        ]
    )
    assert wb.silences()[["id", "state", "covers"]].values.tolist() == [["s1", "active", "shop/*"]]
    wb.runtime.store.silences.write([a_silence("shop/*", id="s1", starts_at=now - hour, ends_at=now - hour / 2)])
