"""The likeliest cause is judged on labelled faults, in three layouts, beside simple rankings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.faults import END, SHOP_CALLS, START, fault, write_cases
from support.labelled import write

from observatory.errors import InvalidInputError
from observatory.evaluation.rootcause import FaultCase, cause_summary, cause_table, fault_cases, judge_causes
from observatory.evaluation.rootcause.baselines import largest_deviation, robust_scaler

ROOTS = ["db", "mail", "web"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_cases(tmp_path / "shop", ROOTS)
    return tmp_path


def test_a_plain_folder_is_read(folder: Path) -> None:
    cases = fault_cases(folder)
    assert [(case.group, case.name, sorted(case.causes)) for case in cases] == [
        ("shop", f"{root} slow", [root]) for root in ROOTS
    ]
    assert cases[0].graph == tuple(SHOP_CALLS)
    assert (cases[0].start, cases[0].end) == (START, END)
    assert fault_cases(folder / "shop", ["shop"])[2].causes == {"web"}


def test_several_causes_and_no_graph_are_fine(folder: Path) -> None:
    listed = folder / "shop" / "cases.json"
    case = json.loads(listed.read_text())[0] | {"cause": ["db", "mail"]}
    listed.write_text(json.dumps([case]))
    (folder / "shop" / "graph.csv").unlink()
    (one,) = fault_cases(folder)
    assert (one.causes, one.graph) == ({"db", "mail"}, None)


def test_nezhas_layout_is_read(tmp_path: Path) -> None:
    hashes = "-579b9bff58-t2dbm"
    rows = [
        frame.assign(t=frame.index.as_unit("s").asi8, series=service + hashes, label=0)
        for service, frame in fault("db").items()
    ]
    write(pd.concat(rows, ignore_index=True), tmp_path / "ob_day.parquet")
    inject = {"inject_time": f"{START:%Y-%m-%d %H:%M:%S}", "inject_pod": "db" + hashes, "inject_type": "cpu_consumed"}
    (tmp_path / "ob_day_faults.json").write_text(json.dumps([inject]))
    (tmp_path / "ob_day_dependency.csv").write_text("Source,Target,Weight\nweb,cart,1\n")
    (case,) = fault_cases(tmp_path)
    assert (case.name, case.causes, case.start) == ("00 db cpu_consumed", {"db"}, START)
    assert case.graph == (("web", "cart"),)
    assert sorted(case.frames) == ["cart", "catalog", "db", "mail", "web"]
    assert "label" not in case.frames["db"]
    assert judge_causes([case])[0].place == 1


def test_petshops_layout_is_read_with_the_normal_record_before_the_case(tmp_path: Path) -> None:
    def long(node: str, case: str, first: int, values: list[float]) -> pd.DataFrame:
        times = first + 300 * np.arange(len(values))
        row = {"scenario": "busy", "case": case, "node": node, "metric": "latency", "stat": "p90"}
        return pd.DataFrame({**row, "t": times, "value": values})

    later = 1_700_000_000 + 90 * 86_400
    quiet = list(np.random.default_rng(0).normal(0.1, 0.01, 300))
    parts = [long(node, "noissue", later, quiet) for node in ("site", "search")]
    parts += [long("site", "issue_0", 1_700_000_000, [0.6] * 5), long("search", "issue_0", 1_700_000_000, [0.6] * 5)]
    write(pd.concat(parts, ignore_index=True), tmp_path / "metrics_long.parquet")
    listed = {"scenario": "busy", "case": "issue_0", "target": {"node": "site", "metric": "latency"}}
    cases = [listed | {"root_cause": {"node": "search"}}, listed | {"case": "nothing", "root_cause": {"node": "x"}}]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    (tmp_path / "busy_graph.csv").write_text(",site,search\nsite,0,1\nsearch,0,0\n")
    (case,) = fault_cases(tmp_path)  # of the other nothing was measured
    assert case.group.endswith("/latency")
    assert case.graph == (("site", "search"),)
    index = case.frames["site"].index
    assert index.is_monotonic_increasing
    assert index[300] - index[299] == pd.Timedelta(seconds=300)
    assert (case.start, case.end) == (index[300], index[304])
    assert judge_causes([case])[0].place == 1


def test_the_table_has_shares_of_hits_beside_simple_rankings(folder: Path) -> None:
    results = judge_causes(fault_cases(folder))
    table = cause_summary(results).set_index("ranking")
    assert list(table.index) == ["observatory", "without graph", "largest deviation", "robust scaler"]
    assert table.loc["observatory", ["cases", "AC@1", "AC@3", "Avg@5"]].tolist() == [3, 1.0, 1.0, 1.0]
    cases = cause_table(results)
    assert cases.loc[cases["ranking"] == "observatory", "named first"].tolist() == ROOTS


def test_shares_are_counted_by_place() -> None:
    frames = fault("db")
    case = FaultCase("set", "one", frames, START, END, frozenset({"web"}), tuple(SHOP_CALLS))
    stranger = FaultCase("set", "two", frames, START, END, frozenset({"nobody"}), tuple(SHOP_CALLS))
    results = judge_causes([case, stranger])
    place = results[0].place
    assert place is not None
    assert 1 < place <= 5
    table = cause_summary(results).set_index("ranking")
    assert table.loc["observatory", "AC@1"] == 0
    assert table.loc["observatory", "Avg@5"] == pytest.approx((5 - place + 1) / 5 / 2)
    assert results[4].place is None


def test_the_simple_rankings_take_whoever_is_furthest_out() -> None:
    frames = fault("db", seconds=0.0, cpu=50.0)
    for ranking in (largest_deviation, robust_scaler):
        ranked = ranking(frames | {"empty": pd.DataFrame()}, START, END)
        assert ranked[0][0] == "db"
        assert ranked[-1] == ("empty", 0.0)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("cases.json", "{", r"cases\.json cannot be read as JSON"),
        ("cases.json", "{}", r"cases\.json must hold a list"),
        ("cases.json", "[]", "lists no case that can be judged"),
        ("cases.json", '[{"start": "2026-03-01"}]', r"cases\.json: a case has no cause"),
        ("cases.json", '[{"cause": "nobody"}]', "cause 'nobody' is no service of metrics"),
        ("cases.json", '[{"cause": "db", "start": "soon", "end": "later"}]', "start = 'soon' is no time"),
        ("cases.json", '[{"cause": "db", "start": "2026-03-02", "end": "2026-03-01"}]', "before it starts"),
        ("graph.csv", "from,to\n", r"graph\.csv has no column caller: it has from, to"),
    ],
)
def test_what_cannot_be_used_is_named(folder: Path, file: str, content: str, message: str) -> None:
    (folder / "shop" / file).write_text(content)
    with pytest.raises(InvalidInputError, match=message):
        fault_cases(folder)


def test_a_folder_or_set_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is no folder"):
        fault_cases(tmp_path / "nowhere")
    with pytest.raises(InvalidInputError, match=r"unknown set 'pets': .* has shop"):
        fault_cases(folder, ["pets"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="holds no fault cases: expected"):
        fault_cases(tmp_path / "empty")
