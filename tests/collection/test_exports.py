"""Files of other programs are read as they are: one command a file, and what is not plain is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from observatory.collection.files.formats import FORMATS
from observatory.collection.importing import ImportOptions, ImportReport, import_file
from observatory.errors import InvalidInputError
from observatory.model import SERVICE, TIMESTAMP
from observatory.store import Store

EXPORTS = Path(__file__).parent / "exports"
NOW = datetime(2026, 2, 1, tzinfo=UTC)
START = datetime(2025, 1, 1, tzinfo=UTC)
AT = 1769846400
"""2026-01-31T08:00:00Z, the first time in all of the files [s]."""
Import = Callable[..., ImportReport]
RATE = {"metric": "request_rate"}


@pytest.fixture
def import_export(store: Store) -> Import:
    """Import one of the files: options by name."""

    def call(name: str, *, dry_run: bool = False, **options) -> ImportReport:
        return import_file(store, EXPORTS / name, ImportOptions(**options), NOW, dry_run=dry_run)

    return call


def values(store: Store, metric: str = "request_rate") -> dict[tuple[str, int], float]:
    """Stored values by service and seconds after the first time."""
    frame = store.history_of_all(START, NOW)
    return {
        (row[SERVICE], round(row[TIMESTAMP].timestamp() - AT)): row[metric]
        for row in frame.to_dict("records")
        if not math.isnan(row[metric])
    }


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidInputError) as caught:
        call()
    return str(caught.value)


TWO = {("cart", 0): 10.5, ("cart", 60): 11.5}
THREE = {**TWO, ("pay", 0): 4.0}
LATENCY = "latency_p95"
FILES = [
    ("grafana_joined.csv", "grafana", {}, LATENCY, {("cart", 0): 0.12, ("cart", 60): 0.13, ("pay", 0): 0.3}),
    ("grafana_services.csv", "grafana", RATE, "request_rate",
     {("shop/cart", 0): 10.5, ("shop/cart", 60): 11.5, ("shop/pay", 0): 5}),
    ("grafana_formatted.csv", "grafana", {"metric": LATENCY, "zone": "Europe/Berlin"}, LATENCY,
     {("cart", 0): 0.12, ("cart", 60): 0.00098, ("pay", 0): 1.2, ("pay", 60): 120}),
    ("grafana_excel.csv", "grafana", {**RATE, "zone": "Europe/Berlin"}, "request_rate",
     {("cart", 0): 1200, ("cart", 60): 980}),
    ("grafana_table.csv", "grafana", {"columns": {"request_rate": "Value #A", LATENCY: "Value #B"}}, LATENCY,
     {("cart", 0): 0.2, ("pay", 0): 0.1}),
    ("grafana_rows.csv", "grafana", RATE, "request_rate", {("cart", 0): 10.5, ("pay", 60): 7}),
    ("grafana_rows.csv", "grafana", {"columns": {"service": "Series", "request_rate": "Value"}}, "request_rate",
     {("cart", 0): 10.5, ("pay", 60): 7}),
    ("datadog.csv", "datadog", RATE, "request_rate", {("cart", 0): 10, ("cart", 60): 11, ("pay", 0): 4}),
    ("datadog_rows.csv", "table", {**RATE, "zone": "UTC"}, "request_rate", {("cart", 0): 10, ("pay", 43260): 4}),
    ("datadog.json", "datadog-json", {"metric": LATENCY}, LATENCY, {("cart", 0): 0.12}),
    ("cloudwatch.json", "cloudwatch-json",
     {"columns": {"request_rate": "RequestCount:count", "latency_p50": "m2"}, "service": "cart"}, "request_rate",
     {("cart", 0): 10, ("cart", 60): 11}),
    ("cloudwatch_statistics.json", "cloudwatch-json",
     {"columns": {LATENCY: "p95"}, "service": "cart", "ignore_unknown": True}, LATENCY, {("cart", 0): 0.3}),
    ("cloudwatch_console.csv", "cloudwatch",
     {"columns": {"request_rate": "m1:count", LATENCY: "TargetResponseTime"}, "service": "cart", "zone": "UTC"},
     "request_rate", {("cart", 0): 10, ("cart", 60): 11}),
    ("influx.csv", "influxdb", {"columns": {"request_rate": "rate"}}, "request_rate", THREE),
    ("influx.csv", "influxdb", {"columns": {"request_rate": "http.rate", "time": "_time"}}, "request_rate", THREE),
    ("influx_plain.csv", "influxdb", {**RATE, "columns": {"service": "host"}}, "request_rate", {("cart", 0): 10.5}),
    ("influx_pivoted.csv", "influxdb", {}, "pod_count", {("cart", 0): 2}),
    ("influxql.csv", "influxql", RATE, "request_rate", {("cart", 0): 10.5, ("pay", 60): 4}),
    ("openmetrics.txt", "openmetrics", {}, LATENCY, {("cart", 0): 0.12, ("cart", 60): 0.13, ("pay", 60): 0.3}),
    ("promtool_query.txt", "promtool", RATE, "request_rate", {("cart", 0): 10, ("cart", 60): 11.5, ("pay", 0): 4}),
    ("query_range.json", "prometheus-json", RATE, "request_rate", {("cart", 0): 10.5, ("pay", 0): 4}),
    ("victoriametrics.jsonl", "victoriametrics", {}, "request_rate", {("cart", 0): 10.5, ("cart", 120): 12}),
    ("victoriametrics.csv", "victoriametrics-csv", RATE, "request_rate", THREE),
    ("victoriametrics_labels.csv", "victoriametrics-csv", {"columns": {"service": "column 3"}}, "request_rate",
     {("cart", 0): 10.5, ("pay", 0): 4}),
    ("pandas_index.csv", "table", {}, "request_rate", TWO),
    ("pandas_count.csv", "table", {}, "request_rate", TWO),
    ("pandas_columns.csv", "columns", RATE, "request_rate", THREE),
    ("excel_german.csv", "table", {"zone": "Europe/Berlin"}, "request_rate", {("cart", 0): 1210.5, ("cart", 60): 12}),
    ("excel_american.csv", "table", {"zone": "UTC"}, "request_rate", {("cart", 0): 1210.5, ("cart", 43260): 1300}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "options", "metric", "expected"), FILES)
def test_an_export_is_read_with_one_command(
    import_export: Import, store: Store, name: str, kind: str, options: dict, metric: str, expected: dict
) -> None:
    report = import_export(name, **options)
    assert report.format == "a table" if kind == "table" else report.format.endswith(f"({kind})")
    assert values(store, metric) == pytest.approx(expected)


def test_each_format_has_a_file_here() -> None:
    assert {kind for _, kind, *_ in FILES} - {"table"} == set(FORMATS)


# -- series and what they are -----------------------------------------------------------------


def test_series_whose_metric_is_not_plain_are_refused_with_their_names_and_the_option_to_write(
    import_export: Import, store: Store
) -> None:
    message = refused(lambda: import_export("grafana_services.csv"))
    assert "is Grafana's CSV" in message
    assert "no metric is named for 2 series:\n    shop/cart\n    shop/pay\n" in message
    assert "(--metric request_rate), or say it of one (-m request_rate=shop/cart)" in message
    assert store.services() == []


@pytest.mark.slow
def test_a_counter_is_proposed_as_one_and_its_rate_is_stored(import_export: Import, store: Store) -> None:
    assert "(-m request_rate=http_requests_total:counter)" in refused(lambda: import_export("dump.txt"))
    import_export(
        "dump.txt",
        columns={"request_rate": 'http_requests_total{code="200"}:counter', "pod_count": "up"},
        ignore_unknown=True,
    )
    # 60 requests in a minute; then it was reset, and counts from 0; then an hour that nobody knows of
    assert values(store) == {("cart", 60): 1, ("cart", 120): 0.5}


@pytest.mark.slow
def test_two_series_of_one_service_and_metric_are_never_put_together_unasked(
    import_export: Import, store: Store
) -> None:
    options = {"columns": {"request_rate": "http_requests_total:counter"}, "ignore_unknown": True}
    message = refused(lambda: import_export("dump.txt", **options))
    assert "2 series would be request_rate of cart" in message
    assert "add them up (--sum)" in message
    import_export("dump.txt", **options, add_up=True)
    assert values(store) == pytest.approx({("cart", 60): 1.1, ("cart", 120): 0.6})


def test_quantiles_are_not_added_up(import_export: Import) -> None:
    message = refused(lambda: import_export("query_range.json", metric=LATENCY, service="shop", add_up=True))
    assert "2 series would be latency_p95 of shop" in message
    assert "--sum" not in message


@pytest.mark.slow
def test_series_read_at_different_moments_are_added_up_by_period(store: Store, tmp_path: Path) -> None:
    lines = [f'r{{job="cart",pod="a"}} {n} {AT + 60 * n}003\n' for n in range(4)]
    lines += [f'r{{job="cart",pod="b"}} {10 * n} {AT + 60 * n}031\n' for n in (0, 1, 3)]
    (tmp_path / "x.txt").write_text("".join(lines))
    options = ImportOptions(columns={"request_rate": "r"}, add_up=True)
    report = import_file(store, tmp_path / "x.txt", options, NOW)
    assert values(store) == {("cart", 0): 0, ("cart", 60): 11, ("cart", 180): 33}
    assert report.warnings == ("1 sums are missing: at their times one of the series has no value",)


@pytest.mark.slow
def test_what_is_left_out_is_said_with_the_reason(import_export: Import) -> None:
    report = import_export("influx.csv", dry_run=True, columns={"request_rate": "rate"})
    assert report.warnings == ("left out: 1 row whose _value is no number but string, such as ok",)
    report = import_export("dump.txt", dry_run=True, columns={"pod_count": "up"}, ignore_unknown=True)
    assert 'left out: http_requests_total{code="500", job="cart"}: no metric is named for it' in report.warnings
    assert any("1 native histogram" in warning for warning in report.warnings)
    report = import_export("query_range.json", dry_run=True, **RATE)
    assert any("histograms, or without values" in warning for warning in report.warnings)


def test_the_preview_shows_what_each_series_became_and_the_first_samples(import_export: Import, store: Store) -> None:
    report = import_export("datadog.csv", dry_run=True, **RATE)
    assert report.series.to_dict("records")[0] == {
        "series": "avg:trace.http.request.hits{service:cart,env:prod}",
        "service": "cart",
        "metric": "request_rate",
        "unit": "req/s",
    }
    assert report.preview["request_rate"].tolist() == [10, 11, 4]
    assert "services are named by: label service" in report.notes
    assert (report.stored, store.services()) == (False, [])


def test_a_unit_that_the_file_states_holds_or_is_contradicted_aloud(import_export: Import, store: Store) -> None:
    console = {"service": "cart", "zone": "UTC", "ignore_unknown": True}
    count = refused(lambda: import_export("cloudwatch_console.csv", columns={"request_rate": "m1"}, **console))
    assert "is in 'Count' in the file, a count in each period" in count
    assert "(-m request_rate=RequestCount:count" in count
    other = refused(lambda: import_export("cloudwatch_console.csv", columns={"memory_usage": "m2"}, **console))
    assert "'TargetResponseTime' is in 'Seconds' in the file, which is no unit of memory_usage (bytes)" in other
    twice = refused(lambda: import_export("cloudwatch_console.csv", columns={LATENCY: "m2:ms"}, **console))
    assert "is in 'Seconds' in the file, and in ms as you say" in twice


def test_services_that_nothing_names_are_asked_for(import_export: Import) -> None:
    message = refused(lambda: import_export("influx_plain.csv", **RATE))
    assert "(-m service=host; there are host), or name the one that all are of (--service NAME)" in message
    assert "choose from host" in refused(lambda: import_export("influx_plain.csv", **RATE, columns={"service": "pod"}))


@pytest.mark.slow
def test_a_series_may_be_said_to_be_of_a_service(import_export: Import, store: Store) -> None:
    columns = {"a:request_rate": "shop/cart", "b:cpu_usage": "shop/pay:millicores"}
    import_export("grafana_services.csv", columns=columns)
    assert values(store) == {("a", 0): 10.5, ("a", 60): 11.5}
    assert values(store, "cpu_usage") == {("b", 0): 0.005}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("legend", "service"), [("cart.request_rate", "cart"), ("request_rate pay", "pay"), ("a/b: request_rate", "a/b")]
)
def test_a_legend_that_holds_the_name_of_a_metric_says_both(
    store: Store, tmp_path: Path, legend: str, service: str
) -> None:
    (tmp_path / "x.csv").write_text(f'"Time","{legend}"\n{AT}000,3\n')
    import_file(store, tmp_path / "x.csv", ImportOptions(), NOW)
    assert values(store) == {(service, 0): 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "speed"}, "--metric 'speed' is no metric: choose from request_rate"),
        ({"metric": "latency_p95:MB"}, "latency_p95 cannot be in 'MB': choose from s, ms"),
        ({"columns": {"request_rate": "shop/crat"}}, "no series 'shop/crat' for request_rate: did you mean shop/cart"),
        ({"columns": {"time": "When"}, "metric": "cpu_usage"}, "there is no column 'When' for time"),
        ({"columns": {"value": "shop/cart"}}, "'value' is nothing a series can be"),
        ({"format": "csv"}, "unknown format 'csv': choose one of"),
        ({"format": "influxdb"}, "names no column '_time'"),
    ],
)
def test_an_option_that_does_not_fit_is_refused_with_what_would(
    import_export: Import, options: dict, message: str
) -> None:
    from observatory.errors import ObservatoryError

    with pytest.raises(ObservatoryError) as caught:
        import_export("grafana_services.csv", **options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", '{"status":"error","error":"bad query"}{"resultType"', "is no answer of Prometheus"),
        ("x.json", '{"status":"error","error":"bad query","resultType":0}', "is an error of the server: bad query"),
        ("x.json", '{"MetricDataResults": [{"Id": "a", "Timestamps": ["x"], "Values": []}]}', "is no answer of Cloud"),
        ("x.json", '{"data":{"resultType":"matrix","result":[]}}', "has no series"),
        ("x.txt", '# TYPE a gauge\na{b="c"} 1\n', "line 2 has no time: this is a scrape"),
        ("x.txt", 'a{b="c"} 1 1769846400000\nhello\n', "line 2 is no sample: 'hello'"),
        ("x.csv", '"Time","a"\n1769846400000,1,2\n', "row 1 has 3 cells, the first line names 2"),
        ("x.csv", '"Time","a","a"\n1769846400000,1,2\n', "column 'a' is there twice"),
        ("x.csv", 'Full label,a\n2026-01-31 08:00:00,1\nsum,2\n', "row 2 begins with 'sum', which is no time"),
        ("x.csv", '"Time","a"\n1769846400000,fast\n', "series 'a', row 1: 'fast' is no number"),
        ("x.csv", '"Time","a"\n1769846400000,120 MB\n', "'120 MB' is no number of cpu_usage: its units are cores"),
        ("x.csv", '"Time","a"\n2026-01-31 08:00:00,1\n', "has no time zone: say which it is in (--timezone"),
        ("x.csv", '"Time","a"\n1769846400,1\n', "1970-01-21 11:37:26.4+00: say its unit (--time-unit s, ms"),
        ("x.csv", '"Time","a"\n1769846400000,1\n1769846400000,2\n', "rows 1 and 2 are both of a 2026-01-31"),
    ],
)  # fmt: skip
def test_a_file_that_is_broken_is_refused_with_the_place(
    store: Store, tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    assert message in refused(lambda: import_file(store, tmp_path / name, ImportOptions(metric="cpu_usage"), NOW))
    assert store.services() == []


def test_an_answer_that_is_not_whole_is_said_to_be_a_part(store: Store, tmp_path: Path) -> None:
    whole = (EXPORTS / "cloudwatch.json").read_text()
    part = whole.replace('"Complete"', '"PartialData"', 1).replace('"Messages"', '"NextToken": "x", "Messages"')
    (tmp_path / "x.json").write_text(part)
    options = ImportOptions(columns={"latency_p50": "m2"}, service="cart", ignore_unknown=True)
    warnings = import_file(store, tmp_path / "x.json", options, NOW).warnings
    assert "the answer has a NextToken: there is more, which this file does not hold" in warnings
    assert "'RequestCount' is not whole: its status is PartialData" in warnings


@pytest.mark.slow
def test_a_table_of_ours_may_write_time_with_a_capital(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Time,app,p95\n2026-01-31T08:00:00Z,cart,120\n")
    columns = {"service": "app", LATENCY: "p95:ms"}
    assert import_file(store, tmp_path / "x.csv", ImportOptions(columns=columns), NOW).format == "a table"
    (tmp_path / "y.csv").write_text("Time,Service,request_rate\n2026-01-31T08:00:00Z,cart,3\n")
    assert import_file(store, tmp_path / "y.csv", ImportOptions(), NOW).format == "a table"
    assert (values(store), values(store, LATENCY)) == ({("cart", 0): 3}, {("cart", 0): 0.12})
