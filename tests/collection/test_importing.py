"""A file is stored whole or not at all, and what is wrong with it is told with column and row."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from observatory.collection.collect import collect_once
from observatory.collection.importing import ImportOptions, ImportReport, import_file
from observatory.config import load_settings
from observatory.errors import InvalidInputError, StoreError
from observatory.model import SERVICE, TIMESTAMP, Service, is_usable_name
from observatory.runtime import Runtime
from observatory.sources.demo.shop import DemoSource
from observatory.store import Store, open_store

NOW = datetime(2026, 2, 1, tzinfo=UTC)
AT = datetime(2026, 1, 31, 8, tzinfo=UTC)
WIDE = """service,time,latency_p95,error_rate
shop/cart,2026-01-31T08:00:00Z,0.12,0.01
shop/pay,2026-01-31T09:00:00+01:00,0.3,0
"""
Import = Callable[..., ImportReport]


@pytest.fixture
def import_text(store: Store, tmp_path: Path) -> Import:
    """Import a text as a file: options by name."""

    def call(text: str, name: str = "x.csv", *, dry_run: bool = False, **options) -> ImportReport:
        (tmp_path / name).write_text(text)
        return import_file(store, tmp_path / name, ImportOptions(**options), NOW, dry_run=dry_run)

    return call


def everything(store: Store) -> pd.DataFrame:
    return store.history_of_all(AT - timedelta(days=9000), AT + timedelta(days=9000))


def refused(call: Callable[[], object]) -> list[str]:
    """The lines of what it was refused for."""
    with pytest.raises(InvalidInputError) as caught:
        call()
    return [line.rpartition(".csv: ")[2] for line in str(caught.value).splitlines()]


# -- what is taken ----------------------------------------------------------------------------


def test_a_wide_file_is_stored_in_base_units_at_utc(import_text: Import, store: Store) -> None:
    report = import_text(
        "app;when;p95;err\nshop/cart;2026-01-31T08:00:00Z;120;1\n shop/pay ;2026-01-31T09:00:00+01:00;300;\n",
        columns={"service": "app", "time": "when", "latency_p95": "p95:ms", "error_rate": "err:%"},
    )
    assert (report.layout, report.rows, report.samples, report.services) == ("wide", 2, 2, ("shop/cart", "shop/pay"))
    assert (report.first, report.last, report.warnings, report.stored) == (AT, AT, (), True)
    frame = everything(store).set_index(SERVICE)
    assert frame[TIMESTAMP].tolist() == [AT, AT]
    assert frame["latency_p95"].tolist() == [0.12, 0.3]
    assert frame.loc["shop/cart", "error_rate"] == 0.01
    assert np.isnan(frame.loc["shop/pay", "error_rate"])
    assert store.services() == [Service("shop/cart", "import"), Service("shop/pay", "import")]


@pytest.mark.slow
def test_a_long_file_is_stored_like_a_wide_one(import_text: Import, store: Store) -> None:
    rows = [("latency_p95", "0.12"), ("err", "1"), ("latency_p50", "NaN")]
    text = "".join(f"shop/cart,2026-01-31T08:00:00Z,{metric},{value}\n" for metric, value in rows)
    report = import_text(f"service,time,metric,value\n{text}", columns={"error_rate": "err:%"})
    assert (report.layout, report.rows, report.samples) == ("long", 3, 1)
    assert report.warnings == ("column 'value', row 3: nan is stored as missing",)
    (row,) = everything(store).to_dict("records")
    assert (row["latency_p95"], row["error_rate"]) == (0.12, 0.01)
    assert np.isnan(row["latency_p50"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("time", "options"),
    [
        ("2026-01-31 08:00:00+00", {}),
        ("2026-01-31T08:00Z", {}),
        ("2026-01-31 09:00:00", {"zone": "Europe/Berlin"}),
        ("2026-01-31T08:00:00Z", {"zone": "Europe/Berlin"}),  # its own zone counts
        ("1769846400", {"time_unit": "s"}),
        ("1769846400000", {"time_unit": "ms"}),
        ("1769846400.0", {"time_unit": "s"}),
        ("1.7698464e18", {"time_unit": "ns"}),
    ],
)
def test_times_are_read_as_they_are_written(import_text: Import, store: Store, time: str, options: dict) -> None:
    import_text(f"service,time,cpu_usage\na,{time},1\n", **options)
    assert everything(store)[TIMESTAMP].tolist() == [AT]


@pytest.mark.slow
def test_parquet_keeps_its_types(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    duckdb.execute(
        f"COPY (SELECT 'a' AS service_name, TIMESTAMP '2026-01-31 08:00:00' + INTERVAL (i) MINUTE AS timestamp, "
        f"i::INTEGER AS pod_count, (i / 10)::DECIMAL(9, 3) AS cpu_usage FROM range(5) t(i)) TO '{file}'"
    )
    assert "has no time zone" in refused(lambda: import_file(store, file, ImportOptions(), NOW))[0]
    assert import_file(store, file, ImportOptions(zone="UTC"), NOW).samples == 5
    frame = everything(store)
    assert frame["pod_count"].tolist() == [0, 1, 2, 3, 4]
    assert frame["cpu_usage"].tolist() == [0, 0.1, 0.2, 0.3, 0.4]
    assert frame[TIMESTAMP].iloc[-1] == AT + timedelta(minutes=4)


@pytest.mark.slow
def test_a_compressed_file_and_one_with_a_byte_order_mark_are_read(store: Store, tmp_path: Path) -> None:
    packed, marked = tmp_path / "x.csv.gz", tmp_path / "y.csv"
    packed.write_bytes(gzip.compress(WIDE.encode()))
    marked.write_bytes(b"\xef\xbb\xbf" + WIDE.encode())
    for file in (packed, marked):
        assert import_file(store, file, ImportOptions(), NOW).samples == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_name_with_brackets_is_one_file(store: Store, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "a[bc]d*?"
    folder.mkdir()
    for name, service in (("w1", "theirs"), ("w[1]", "mine")):
        frame = pd.DataFrame({"service_name": [service], "timestamp": [pd.Timestamp(AT)], "request_rate": [1.0]})
        path = folder / f"{name}.{kind}"
        frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    import_file(store, folder / f"w[1].{kind}", ImportOptions(), NOW)
    assert everything(store)["service_name"].tolist() == ["mine"]


@pytest.mark.slow
def test_what_is_not_in_the_file_replaces_nothing_and_twice_is_once(import_text: Import, store: Store) -> None:
    import_text(WIDE)
    import_text("time,cpu_usage,latency_p95\n2026-01-31T08:00:00Z,2,\n", service="shop/cart")
    once = everything(store)
    import_text("time,cpu_usage,latency_p95\n2026-01-31T08:00:00Z,2,\n", service="shop/cart")
    pd.testing.assert_frame_equal(everything(store), once)
    row = once.set_index(SERVICE).loc["shop/cart"]
    assert (row["cpu_usage"], row["latency_p95"], row["error_rate"]) == (2, 0.12, 0.01)


@pytest.mark.parametrize(("which", "kept"), [("first", 1), ("last", 2)])
def test_of_duplicates_the_first_or_the_last_counts(import_text: Import, store: Store, which: str, kept: float) -> None:
    rows = "service,time,cpu_usage\na,2026-01-31T08:00:00Z,1\na,2026-01-31T08:00:00Z,2\n"
    assert import_text(rows, duplicates=which).samples == 1
    assert everything(store)["cpu_usage"].tolist() == [kept]


def test_a_dry_run_tells_all_and_stores_nothing(import_text: Import, store: Store) -> None:
    report = import_text(WIDE, dry_run=True)
    assert (report.samples, report.stored, store.revision, store.services()) == (2, False, 0, [])
    latency = report.metrics.set_index("metric").loc["latency_p95"]
    assert latency.tolist() == ["latency_p95", "s", 2, 0.12, 0.21, 0.3]


names = st.text(min_size=1, max_size=12).filter(lambda name: is_usable_name(name) and not name.startswith("#"))
values = st.one_of(st.none(), st.floats(0, 1e12), st.sampled_from([float("nan"), float("inf")]))


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(st.tuples(names, st.integers(0, 99)), values, min_size=1, max_size=8),
    st.sampled_from([".csv", ".parquet"]),
)
def test_what_is_written_comes_back(tmp_path: Path, rows: dict[tuple[str, int], float | None], ending: str) -> None:
    frame = pd.DataFrame(
        [(name, pd.Timestamp(AT) + pd.Timedelta(minutes=minute), value) for (name, minute), value in rows.items()],
        columns=[SERVICE, TIMESTAMP, "memory_usage"],
    ).astype({"memory_usage": float})
    file = tmp_path / f"x{ending}"
    if ending == ".csv":
        frame.to_csv(file, index=False)
    else:
        with duckdb.connect() as connection:
            connection.register("frame", frame)
            connection.execute(f"COPY frame TO '{file}'")
    known = frame[np.isfinite(frame["memory_usage"])].sort_values([SERVICE, TIMESTAMP])
    with open_store(":memory:") as store:
        if known.empty:
            assert "no value in any" in refused(lambda: import_file(store, file, ImportOptions(), NOW))[0]
            return
        import_file(store, file, ImportOptions(), NOW)
        back = everything(store).sort_values([SERVICE, TIMESTAMP])
    assert back[SERVICE].tolist() == known[SERVICE].tolist()
    assert back[TIMESTAMP].tolist() == known[TIMESTAMP].tolist()
    np.testing.assert_allclose(back["memory_usage"], known["memory_usage"], rtol=1e-15)


# -- what is refused --------------------------------------------------------------------------

HEAD = "service,time,latency_p95,error_rate\n"
GOOD = "a,2026-01-31T08:00:00Z,1,0\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,2026-01-31T08:00:00Z,fast,0\n", "column 'latency_p95', row 2: 'fast' is no number"),
        ('a,2026-01-31T08:00:00Z,"1,500",0\n', "row 2: '1,500': the comma may be a decimal one"),
        ("a,2026-01-31T08:01:00Z,-1,0\n", "column 'latency_p95', row 2: latency_p95 = -1.0 is negative"),
        ("a,2026-01-31T08:01:00Z,1,12\n", "(--map error_rate='error_rate:%')"),
        (",2026-01-31T08:00:00Z,1,0\n", "column 'service', row 2: no service is named"),
        ('"a\nb",2026-01-31T08:00:00Z,1,0\n', "cannot be printed"),
        (f"{'n' * 300},2026-01-31T08:00:00Z,1,0\n", "it has more than 200 characters"),
        ("a,,1,0\n", "column 'time', row 2: there is no time"),
        ("a,2026-01-31 08:00:00,1,0\n", "has no time zone: say which it is in (--timezone"),
        ("a,1769846400,1,0\n", "is a number: say its unit since 1970"),
        ("a,yesterday,1,0\n", "column 'time', row 2: 'yesterday' is no time such as"),
        ("a,2026-13-31T08:00:00Z,1,0\n", "is no time"),
        ("a,2027-01-31T08:00:00Z,1,0\n", "is not between 1970 and now"),
        ("a,1960-01-31T08:00:00Z,1,0\n", "is not between 1970 and now"),
        ("a,2026-01-31T08:00:00Z,2,0\n", "rows 1 and 2 are both of a 2026-01-31 08:00:00+00:00 (1 such)"),
        ("a,2026-01-31T08:00:00Z\n", "line 3: Expected Number of Columns: 4 Found: 2"),
        ("a,2026-01-31T08:00:00Z,1,0,9\n", "line 3: Expected Number of Columns: 4 Found: 5"),
    ],
)
def test_a_bad_row_is_told_by_column_and_row_and_nothing_is_stored(
    import_text: Import, store: Store, rows: str, message: str
) -> None:
    assert message in "\n".join(refused(lambda: import_text(HEAD + GOOD + rows)))
    assert (store.revision, store.services(), len(everything(store))) == (0, [], 0)


@pytest.mark.parametrize(
    ("head", "options", "message"),
    [
        ("app,time,cpu_usage", {}, "no column names the service (columns: 'app', 'time', 'cpu_usage')"),
        ("service,when,cpu_usage", {}, "no column has the time"),
        ("service,time,cpu", {}, "nothing is known of column 'cpu': say what it is (--map cpu_usage='cpu')"),
        ("service,time", {}, "no column is a metric"),
        ("service,time,cpu", {"columns": {"cpu_usage": "cup"}}, "no column 'cup' for cpu_usage: did you mean cpu?"),
        ("service,time,cpu", {"columns": {"cpu_usage": "cpu:parsec"}}, "cannot be in 'parsec': choose from cores"),
        ("service,time,cpu", {"columns": {"speed": "cpu"}}, "'speed' is nothing a column can be"),
        ("service,time,value", {"columns": {"value": "value"}}, "but where is metric?"),
        ("service,time,cpu_usage,cpu_usage", {}, "column 'cpu_usage' is there twice"),
        ("", {}, "is empty"),
        ("service,time,cpu_usage", {"zone": "Mars/Base"}, "time zone = 'Mars/Base': there is no such time zone"),
        ("service,time,cpu_usage", {"time_unit": "h"}, "time unit 'h': choose from s, ms, us, ns"),
        ("service,time,cpu_usage", {}, "has no rows"),
    ],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_is_refused_with_what_would(
    import_text: Import, head: str, options: dict, message: str
) -> None:
    assert message in "\n".join(refused(lambda: import_text(f"{head}\n", **options)))


def test_everything_that_is_wrong_is_told_at_once(import_text: Import) -> None:
    problems = refused(lambda: import_text(f"{HEAD},x,y,z\na,2026-01-31T08:00:00Z,1,z\n"))
    assert problems == [
        "column 'service', row 1: no service is named",
        "column 'time', row 1: 'x' is no time such as 2026-01-31T08:00:00Z",
        "column 'error_rate', row 1 and 1 more: 'z' is no number",
        "column 'latency_p95', row 1: 'y' is no number",
    ]


@pytest.mark.slow
def test_a_metric_nobody_knows_is_refused_or_left_out_with_a_word(import_text: Import) -> None:
    text = "service,time,metric,value\n" + "".join(f"a,2026-01-31T08:00:00Z,{m},1\n" for m in ("cpu_usage", "cpu_usag"))
    assert "did you mean cpu_usage?" in refused(lambda: import_text(text))[0]
    report = import_text(text, ignore_unknown=True)
    assert (report.samples, report.warnings) == (1, ("left out: 1 rows of other metrics, such as 'cpu_usag' in row 2",))


def test_a_time_that_clocks_skip_is_no_time(import_text: Import) -> None:
    skipped = "service,time,cpu_usage\na,2025-03-30 02:30:00,1\n"
    assert "is no time in Europe/Berlin" in refused(lambda: import_text(skipped, zone="Europe/Berlin"))[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"\xff\xfe\x00", "cannot be read"),
        ("x.csv.gz", b"no gzip", "cannot be read"),
        ("x.parquet", b"PAR1 no", "x.parquet: "),
        ("x.xlsx", b"", "what it holds is told by its ending"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says_is_refused(
    store: Store, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert message in refused(lambda: import_file(store, tmp_path / name, ImportOptions(), NOW))[0]
    assert "is no file" in refused(lambda: import_file(store, tmp_path / "none.csv", ImportOptions(), NOW))[0]


def test_a_write_that_fails_leaves_nothing_behind(
    import_text: Import, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*anything: object) -> None:
        raise duckdb.IOException("disk full")

    monkeypatch.setattr("observatory.store.tables.samples._refresh_rollups", fail)
    with pytest.raises(StoreError, match=r"nothing was changed.*disk full"):
        import_text(WIDE)
    assert (store.services(), len(everything(store))) == ([], 0)


# -- and then ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_service_known_from_a_file_is_taken_over_by_the_source_that_has_it(import_text: Import, store: Store) -> None:
    import_text(WIDE)
    report = collect_once([DemoSource(7, NOW)], store, NOW, ["shop/cart"])
    assert report.warnings == ()
    assert store.service("shop/cart").source == "demo"
    assert len(store.history("shop/cart", AT, NOW)) == 2


@pytest.mark.slow
def test_a_store_of_files_alone_is_shown_without_any_source(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(WIDE)
    with open_store(str(tmp_path / "x.duckdb")) as store:
        import_file(store, file, ImportOptions(), NOW)
        store.write_note("source", "import")
    runtime = Runtime(load_settings(store=str(tmp_path / "x.duckdb"), worker=False), clock=lambda: NOW)
    try:
        assert len(runtime.sources) == 0
        assert runtime.cycle().failures == ()
        assert {status.name for status in runtime.overview().services} == {"shop/cart", "shop/pay"}
    finally:
        runtime.close()


@pytest.mark.slow
def test_a_file_reaches_a_store_that_another_process_serves(tmp_path: Path) -> None:
    from observatory.store.engine.homes.address import read_address
    from observatory.store.options import StoreOptions

    file, path = tmp_path / "x.csv", tmp_path / "x.duckdb"
    file.write_text(WIDE)
    with open_store(str(path)) as owner:
        address = read_address(path)
        assert address is not None
        with open_store(address.url, options=StoreOptions(token=address.token)) as served:
            assert import_file(served, file, ImportOptions(), NOW).samples == 2
        assert owner.sample_counts()["samples"].to_dict() == {"shop/cart": 1, "shop/pay": 1}
