"""From templates to queries: what people write in their settings comes out whole, whatever it holds."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parsing import not_understood

from observatory.sources.prometheus.compiling import Dialect, Window, Windows, compiled, duration, filled
from observatory.sources.prometheus.naming import InsteadOfJob, Naming, Part
from observatory.sources.prometheus.syntax import is_balanced, masked, without_comments

PLAIN = Naming((Part(("job",)),))
RICH = Naming(
    (Part(("namespace", "exported_namespace")), Part(("job", "exported_job"), (InsteadOfJob("app", ("pods", "a b")),))),
    needs_all=False,
    front=("cluster",),
    renames=(("(.+)-(?:blue|green)", "$1"), ('a "quoted" (name)', "$by [$window] # )")),
)
MINUTE = Dialect(Windows(Window(60, 15)))
PACES = Dialect(Windows(Window(60, 15), ((Window(15, 4), ("fast",)), (Window(240, 60), ("a b", 'c"d', "e\\f")))))
PAIR = Dialect(Windows(Window(60, 15)), ("prometheus_replica",))
VICTORIA = Dialect(Windows(Window(60, 15), ((Window(240, 60), ("slow",)),)), ("replica",), is_victoria=True)
OLD = Dialect(Windows(Window(300)), names_histograms=False)
DIALECTS = {"minute": MINUTE, "paces": PACES, "pair": PAIR, "victoria": VICTORIA, "old": OLD}
NAMINGS = {"plain": PLAIN, "rich": RICH}

WRITTEN = {
    "plain": "sum by ($by) (rate(x_total[$window]))",
    "capitals": "SUM BY ($by) (rate(x_total[$window]))",
    "after": "sum(rate(x_total[$window])) by ($by)",
    "capitals after": "Sum(rate(x_total[$window])) By($by)",
    "braces": "sum by (${by}) (rate(x_total[${window}]))",
    "several lines": "sum by (\n  $by\n)\n(\n  rate(x_total[$window])\n)",
    "no blanks": "sum by($by)(rate(x_total[$window]))",
    "blanks everywhere": 'sum by ( $by ) ( rate ( x_total { a = "b" , } [ $window ] ) )',
    "empty braces": "sum by ($by) (rate(x_total{ }[$window]))",
    "by name": 'sum by ($by) (rate({__name__=~"x_(?:a|b)_total"}[$window]))',
    "parentheses in a string": 'sum by ($by) (rate(x_total{path!="/a\\\\(b)) by ($by)"}[$window]))',
    "a window in a string": 'sum by ($by) (rate(x_total{path="[$window] $by"}[$window]))',
    "all quotes": "sum by ($by) (rate(x_total{a=\"\\\"'`\",b='\\'\"`',c=`\"'\\`}[$window]))",
    "a comment": 'sum by ($by) ( # don\'t (\n  rate(x_total[$window])) # as "they" say )',
    "a hash in a string": 'sum by ($by) (rate(x_total{path="#top"}[$window]))',
    "a replacement": 'sum by ($by) (label_replace(rate(x_total[$window]), "to", "$1-${2}-$$", "from", "(.*)/(.*)"))',
    "an offset": "sum by ($by) (rate(x_total[$window] offset 5m)) - sum by ($by) (rate(x_total[$window] offset -1m))",
    "a time": "sum by ($by) (rate(x_total[$window] @ end())) + sum by ($by) (rate(x_total[$window] @ 1700000000))",
    "subquery": "max_over_time(sum by ($by) (rate(x_total[$window]))[5m:1m])",
    "subquery of the window": "sum by ($by) (max_over_time(x[$window:15s]))",
    "two steps": "max by ($by) (sum by (zone, $by) (rate(x_total[$window])))",
    "three steps": "avg by ($by) (max by ($by, zone) (sum by (le, zone, $by) (rate(x_total[$window]))))",
    "without": "sum without (instance, pod) (rate(x_total[$window]))",
    "quantile": "quantile by ($by) (0.9, x)",
    "quantile of several": 'quantile by ($by) (0.9, x{a="b,c"} or y{a=","})',
    "quantile after": "quantile(0.9, rate(x_total[$window])) by ($by)",
    "greatest": "sum by ($by) (topk by ($by) (3, x))",
    "count of values": 'count by ($by) (count_values by ($by) ("version", build_info))',
    "histogram": "histogram_quantile(0.95, sum by (le, $by) (rate(x_bucket[$window])))",
    "histogram after": "histogram_quantile(0.95, sum(rate(x_bucket[$window])) by (le, $by))",
    "native histogram": "histogram_quantile(0.95, sum by ($by) (rate(x[$window])))",
    "native histogram after": "histogram_quantile(0.95, sum(rate(x[$window])) by ($by))",
    "native histogram counted": "histogram_count(sum by ($by) (rate(x[$window])))",
    "matching": "sum by ($by) (a) / on ($by) group_left() sum by ($by) (b)",
    "matching inside": "max by ($by) (a * on ($by) group_left(x) b)",
    "matching alone": "rate(a_total[$window]) / on ($by) rate(b_total[$window])",
    "per window": "sum by ($by) (increase(x_total[$window])) / 60",
    "quantile over time": "max by ($by) (quantile_over_time(0.9, x[$window]))",
    "prediction": "min by ($by) (predict_linear(x[$window], 4 * 3600))",
    "range in parentheses": "sum by ($by) (rate((x_total[$window])))",
    "ratio with nothing": "(sum by ($by) (rate(e_total[$window])) or 0 * sum by ($by) (rate(r_total[$window])))",
    "share": '1 - avg by ($by) (rate(node_cpu_seconds_total{mode="idle"}[$window]))',
    "absent": "sum by ($by) (up) unless on ($by) absent(up)",
    "not by service": "sum by (app) (rate(x_total[$window]))",
    "fixed window": "sum by ($by) (irate(x_total[4m30s]))",
    "keywords as labels": 'sum by ($by, by, on) (x{sum="by ($by)"})',
    "a number": "vector(1)",
    "changes": "sum by ($by) (changes(process_start_time_seconds[$window]))",
    "rate of a rate": "sum by ($by) (rate(sum_over_time(rate(x_total[$window])[5m:1m])[10m:1m]))",
}
"""Templates as people write them."""

everywhere = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
named_so = pytest.mark.parametrize("naming", NAMINGS.values(), ids=list(NAMINGS))
as_written = pytest.mark.parametrize("template", WRITTEN.values(), ids=list(WRITTEN))


def strings(query: str) -> list[str]:
    query = without_comments(query)
    hidden = masked(query)
    return [query[found.start() : found.end()] for found in re.finditer(r'"{2,}', hidden)]


@as_written
@named_so
@everywhere
def test_a_template_comes_out_whole(template: str, naming: Naming, dialect: Dialect) -> None:
    query = compiled(template, naming, dialect)
    assert is_balanced(query)
    assert not re.search(r"\$\w|\$\{|#", masked(query))
    for text in strings(template):
        assert text in query
    assert re.search(r"\bservice_name\b", query)


@pytest.mark.servers
@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "victoria"])  # it has functions of its own
def test_a_prometheus_understands_every_template(name: str) -> None:
    queries = {
        f"{template}, {naming}": compiled(WRITTEN[template], NAMINGS[naming], DIALECTS[name])
        for template in WRITTEN
        for naming in NAMINGS
    }
    assert not_understood(queries) == {}


# -- templates that are made ------------------------------------------------------------------

_VALUES = st.text(st.sampled_from("ab (){}[]\"'`,$#\\|.*:"), max_size=8) | st.sampled_from(
    ["$by", "[$window]", ") by ($by)", "sum by ($by) (", "rate(", "$1"]
)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


_SELECTORS = st.builds(
    lambda name, values: (
        name + ("{" + ",".join(f"{k}={_quoted(v)}" for k, v in values.items()) + "}" if values else "")
    ),
    st.sampled_from(["x_total", "ns:y:rate5m", "by", "sum_total"]),
    st.dictionaries(st.sampled_from(["a", "by", "le"]), _VALUES, max_size=2),
)
_RANGES = st.builds(
    lambda function, selector, window, end: f"{function}({selector}{window}{end})",
    st.sampled_from(["rate", "increase", "changes", "delta", "avg_over_time"]),
    _SELECTORS,
    st.sampled_from(["[$window]", "[5m]", " [ $window ]", "[$window:15s]", "[${window}]"]),
    st.sampled_from(["", " offset 5m", " @ end()"]),
)


def _more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["sum", "max", "avg", "COUNT", "group", "quantile", "topk"])
    labels = st.sampled_from(["$by", "le, $by", "${by}", "$by,zone", "zone"])

    def aggregated(operator: str, labels: str, inner: str, is_after: bool) -> str:
        arguments = f"0.5, {inner}" if operator in ("quantile", "topk") else inner
        return f"{operator}({arguments}) by ({labels})" if is_after else f"{operator} by ({labels}) ({arguments})"

    return (
        st.builds(aggregated, operators, labels, inner, st.booleans())
        | st.builds("({} or {})".format, inner, inner)
        | st.builds("{} / on ($by) {}".format, inner, inner)
        | st.builds("histogram_quantile(0.9, {})".format, inner)
        | st.builds("({}) # it's ) a \"comment\n".format, inner)
        | st.builds('label_replace({}, "a", "$1", "b", "(.*)")'.format, inner)
    )


TEMPLATES = st.recursive(_SELECTORS | _RANGES, _more, max_leaves=4)


@pytest.mark.slow
@given(TEMPLATES, st.sampled_from(list(NAMINGS.values())), st.sampled_from(list(DIALECTS.values())))
def test_any_template_comes_out_whole(template: str, naming: Naming, dialect: Dialect) -> None:
    query = compiled(template, naming, dialect)
    assert is_balanced(query)
    assert not re.search(r"\$\w|\$\{|#", masked(query))
    for text in strings(template):
        assert text in query


@pytest.mark.servers
@settings(max_examples=20)
@given(st.lists(TEMPLATES, min_size=20, max_size=20), st.sampled_from(list(NAMINGS.values())))
def test_a_prometheus_understands_what_is_made_of_any_template_it_understands(
    templates: list[str], naming: Naming
) -> None:
    written = {template: filled(template, naming, 60) for template in templates}
    understood = set(templates) - set(not_understood(written))
    queries = {
        f"{name}: {template}": compiled(template, naming, dialect)
        for template in understood
        for name, dialect in DIALECTS.items()
        if not dialect.is_victoria
    }
    assert not queries or not_understood(queries) == {}


# -- what a query is made of ------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        WRITTEN[name]
        for name in (
            "plain",
            "capitals",
            "after",
            "capitals after",
            "braces",
            "no blanks",
            "several lines",
            "a comment",
        )
    ],
)
def test_a_sum_is_taken_under_each_name_however_it_is_written(template: str) -> None:
    (query,) = {re.sub(r"\s+", "", compiled(template, PLAIN, MINUTE)).lower()}
    assert query == ('sumby(service_name)(label_join(sumby(job)(rate(x_total[60s])),"service_name","/","job"))')


def test_a_count_in_two_steps_is_a_sum_of_counts() -> None:
    query = compiled("count by ($by) (up == 1)", PLAIN, MINUTE)
    assert query.startswith("sum by (service_name) (label_join(count by (job) (up == 1), ")


@pytest.mark.parametrize("operator", ["avg", "stddev", "AVG"])
def test_what_cannot_be_taken_in_two_steps_is_taken_of_the_named_series(operator: str) -> None:
    query = compiled(f"{operator} by ($by) (x)", PLAIN, MINUTE)
    assert query == f'{operator} by (service_name) (label_join(x, "service_name", "/", "job"))'


@pytest.mark.parametrize("operator", ["quantile", "QUANTILE"])
def test_the_parameter_of_an_aggregation_is_no_series(operator: str) -> None:
    query = compiled(f'{operator} by ($by) (0.9, x{{a="b,c"}})', PLAIN, PAIR)
    assert query == (
        f"{operator} by (service_name) (0.9,"
        'label_join(max without (prometheus_replica) ( x{a="b,c"}), "service_name", "/", "job"))'
    )


def test_labels_that_are_only_compared_are_those_the_series_have() -> None:
    query = compiled("max by ($by) (a * on ($by) group_left() b)", PLAIN, MINUTE)
    assert "max by (job) (a * on (job) group_left() b)" in query
    between = compiled("sum by ($by) (a) / on ($by) sum by ($by) (b)", PLAIN, MINUTE)
    assert "/ on (service_name) sum by (service_name)" in between


def test_each_job_has_the_window_of_its_pace() -> None:
    query = compiled("sum by ($by) (rate(x{a='b'}[$window] offset 5m))", PLAIN, PACES)
    assert 'rate(x{a=\'b\',job!~"fast|a\\\\ b|c\\"d|e\\\\\\\\f"}[60s] offset 5m)' in query
    assert "rate(x{a='b',job=~\"fast\"}[15s] offset 5m)" in query
    assert 'rate(x{a=\'b\',job=~"a\\\\ b|c\\"d|e\\\\\\\\f"}[240s] offset 5m)' in query


def test_a_change_between_the_last_scrape_before_the_window_and_the_first_in_it_counts() -> None:
    assert "changes(x[75s])" in compiled("sum by ($by) (changes(x[$window]))", PLAIN, MINUTE)


@pytest.mark.parametrize("template", ["increase(x[$window]) / $window", "max_over_time(sum(x)[$window:15s])"])
def test_what_is_compared_with_a_window_is_of_one_that_is_long_enough_for_every_job(template: str) -> None:
    query = compiled(template, PLAIN, PACES)
    assert set(re.findall(r"[0-9]+s\b", query)) - {"15s"} == {"240s"}
    assert "job!~" not in query


def test_what_a_pair_of_servers_scrapes_counts_once() -> None:
    query = compiled("sum by ($by) (rate(x[$window])) / sum by ($by) (y)", PLAIN, PAIR)
    assert "sum by (job) (max without (prometheus_replica) (rate(x[60s])))" in query
    assert "sum by (job) (max without (prometheus_replica) (y))" in query


def test_of_native_histograms_of_a_pair_the_average_is_taken_as_they_have_no_maximum() -> None:
    query = compiled("histogram_quantile(0.9, sum by ($by) (rate(x[$window])))", PLAIN, PAIR)
    assert "sum by (job) (avg without (prometheus_replica) (rate(x[60s])))" in query


def test_where_histograms_cannot_be_named_what_comes_out_of_them_is() -> None:
    for template in (WRITTEN["native histogram"], WRITTEN["native histogram after"]):
        query = compiled(template, PLAIN, OLD)
        assert query.startswith("max by (service_name) (label_join(histogram_quantile(0.95, sum by (job) (rate(x[300s]")


def test_a_query_that_is_not_balanced_is_sent_as_it_was_written() -> None:
    assert compiled("sum by ($by) (rate(x[$window])", RICH, PACES) == filled("sum by ($by) (rate(x[$window])", RICH, 60)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("rate(x[1m])", "(increase_prometheus(x[1m]) / (1 - 1 / count_over_time(x[1m])) / 60)"),
        ("rate (x[1h30m])", "(increase_prometheus(x[1h30m]) / (1 - 1 / count_over_time(x[1h30m])) / 5400)"),
        ("rate(x{a='[9m]'}[500ms])", "/ 0.5)"),
        ("rate(x[5m:1m] offset 1d)", "/ 300)"),
        ("increase(x[1m])", "increase_prometheus(x[1m])"),
        ("changes(x[1m]) + delta(x[1m])", "changes_prometheus(x[1m]) + delta_prometheus(x[1m])"),
        ("irate(x[1m])", "irate(x[1m])"),
        ("x{a='rate(y[1m])'}", "x{a='rate(y[1m])'}"),
    ],
)
def test_victoria_metrics_is_asked_for_what_prometheus_answers(template: str, expected: str) -> None:
    query = compiled(f"sum by ($by) ({template})", PLAIN, replace(VICTORIA, replicas=()))
    assert expected in query


def test_on_victoria_metrics_a_rate_within_a_rate_is_one_of_prometheus_too() -> None:
    query = compiled("sum by ($by) (rate(sum_over_time(rate(x[1m])[5m:1m])[10m:1m]))", PLAIN, VICTORIA)
    assert "rate(" not in query.replace("_rate(", "")
    assert query.count("/ 600)") == 1


@given(st.floats(0.001, 1e7))
def test_a_duration_is_one_of_promql_and_as_long(seconds: float) -> None:
    number, unit = re.fullmatch(r"([0-9]+)(ms|s)", duration(seconds)).groups()  # type: ignore[union-attr]
    assert int(number) * (1 if unit == "s" else 0.001) == pytest.approx(seconds, abs=0.0005)
