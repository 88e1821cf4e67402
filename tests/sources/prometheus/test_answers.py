"""Whatever a server answers is stored whole, or left out with a word about it; nothing crashes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.blind import asked_of, blind, parts
from support.servers import FaultyServer, Reply, Request, success

from observatory.catalog import METRICS
from observatory.collection.collect import collect_once
from observatory.errors import MalformedAnswerError, SourceError
from observatory.model import SERVICE, TIMESTAMP, Collected
from observatory.sources.prometheus.answers import Answer, Series, parse, read_envelope, wide_frame
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.source import PrometheusSource
from observatory.store import Store, open_store

AT = datetime(2026, 1, 2, tzinfo=UTC)
SECONDS = int(AT.timestamp())

WORDS = ["NaN", "+Inf", "-Inf", "1e400", "-0", "1", "0.25", "1e-320", "12345678901234567890", "nan", "inf"]
HOSTILE = [
    "shop/cart",
    'a"b',
    "a'b'; DROP TABLE service_metrics; --",
    "line\nbreak",
    "tab\there",
    "\\",
    "n" * 10_000,
    "имя/服務/🛒",
    "a\u0301",
    "á",
    "\u202egnp.exe",
    " ",
    "nul\0nul",
    "%s {} $1 `x` <script>",
]
numbers = st.one_of(st.sampled_from(WORDS), st.floats().map(repr))
names = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20))
labels = st.dictionaries(st.one_of(st.just(SERVICE), st.text(max_size=10)), names, max_size=3)
times = st.integers(SECONDS - 600, SECONDS)
junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), names),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)


def vectors(metric: st.SearchStrategy[Any] = labels) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.builds(lambda m, v: {"metric": m, "value": [SECONDS, v]}, metric, numbers), max_size=6)


def an_answer(body: bytes, kind: str) -> Answer:
    envelope = read_envelope(body)
    if envelope is None:
        raise MalformedAnswerError("no answer")
    return parse(envelope, kind, "there")


def matrix(*series: tuple[str, dict[int, float]]) -> list[list[Series]]:
    """An answer to one query."""
    return [
        [
            Series({SERVICE: name}, np.array(list(points), float), np.array(list(points.values()), float))
            for name, points in series
        ]
    ]


# -- reading ----------------------------------------------------------------------------------


@given(st.binary(max_size=60), st.sampled_from(["vector", "matrix"]))
def test_bytes_of_any_kind_are_an_answer_or_malformed(body: bytes, kind: str) -> None:
    with pytest.raises(MalformedAnswerError):
        an_answer(body, kind)


@pytest.mark.slow
@given(junk, st.sampled_from(["vector", "matrix"]))
def test_json_of_any_form_is_an_answer_or_malformed_in_a_short_message(result: Any, kind: str) -> None:
    try:
        an_answer(success(result, kind=kind).body, kind)
    except MalformedAnswerError as error:
        said = str(error)
    else:
        said = ""
    assert len(said) < 500


@pytest.mark.slow
@given(st.lists(st.tuples(labels, st.lists(st.tuples(times, numbers), max_size=8)), max_size=5))
def test_a_matrix_is_read_as_python_reads_its_numbers(
    series: list[tuple[dict[str, str], list[tuple[int, str]]]],
) -> None:
    result = [{"metric": metric, "values": points} for metric, points in series]
    found = an_answer(success(result, kind="matrix").body, "matrix").series
    assert [one.labels for one in found] == [metric for metric, _ in series]
    for one, (_, points) in zip(found, series, strict=True):
        wanted = [float(text) if math.isfinite(float(text)) else math.nan for _, text in points]
        np.testing.assert_array_equal(one.values, wanted)
        assert one.times.tolist() == [at for at, _ in points]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ([{"metric": {"a": 7}, "value": [1, "1"]}], "Expected `str`, got `int` - at `$.result[0].metric[...]`"),
        ([{"metric": {}, "value": [1, "many"]}], "many"),
        ([{"metric": {}}], "a series has no value"),
        ([{"metric": {}, "value": [1e300, "1"]}], "1e+300 is no time"),
        ([{"metric": {}, "histogram": [1, {"count": "1"}]}], "histogram_quantile"),
    ],
)
def test_what_is_malformed_is_named(result: object, words: str) -> None:
    with pytest.raises(MalformedAnswerError) as caught:
        an_answer(success(result).body, "vector")
    assert words in str(caught.value)


# -- one frame --------------------------------------------------------------------------------


def test_metrics_are_joined_by_service_and_time_in_their_order() -> None:
    frame, warnings = wide_frame(
        {
            "request_rate": matrix(("b", {120: 1.0, 180: 2.0}), ("a", {60: 3.0})),
            "error_rate": matrix(("b", {180: 0.5, 240: math.nan})),
            "cpu_usage": [],
        },
        60,
    )
    assert warnings == []
    assert list(frame.columns) == [SERVICE, TIMESTAMP, "request_rate", "error_rate", "cpu_usage"]
    assert frame[SERVICE].tolist() == ["a", "b", "b"]
    assert frame[TIMESTAMP].tolist() == [pd.Timestamp(at, unit="s", tz="UTC") for at in (60, 120, 180)]
    np.testing.assert_array_equal(frame["request_rate"], [3, 1, 2])
    np.testing.assert_array_equal(frame["error_rate"], [np.nan, np.nan, 0.5])
    assert frame["cpu_usage"].isna().all()


points = st.dictionaries(st.integers(0, 40), st.floats(-10, 10), max_size=10)


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.sampled_from("abc"), points), max_size=6),
    st.sampled_from([None, 1.0, 7.0]),
    st.booleans(),
)
def test_a_frame_holds_what_the_series_hold_and_the_first_of_two_counts(
    series: list[tuple[str, dict[int, float]]], step: float | None, dense: bool
) -> None:
    wanted: dict[tuple[str, int], float] = {}
    for name, values in series:
        for at, value in values.items():
            wanted.setdefault((name, at), value)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("observatory.sources.prometheus.answers.FEW_CELLS", 10**6 if dense else 0)
        frame, warnings = wide_frame({"m": matrix(*series)}, step)
    rows = zip(frame[SERVICE], frame[TIMESTAMP], frame["m"], strict=True)
    assert {(name, round(at.timestamp())): value for name, at, value in rows} == wanted
    assert len(frame) == len(wanted)
    assert bool(warnings) == (len(wanted) < sum(len(values) for _, values in series))


def test_series_that_share_no_time_take_no_more_room_than_their_values() -> None:
    frame, _ = wide_frame({"m": matrix(*((f"s{i}", {i * 7 + k: 1.0 for k in range(2)}) for i in range(5_000)))})
    assert len(frame) == 10_000


def test_of_two_answers_the_first_that_has_a_service_counts_without_a_word() -> None:
    first, second = matrix(("a", {0: 1.0})), matrix(("a", {0: 2.0, 60: 3.0}), ("b", {0: 4.0}))
    frame, warnings = wide_frame({"m": [*first, *second]}, 60)
    assert (frame[SERVICE].tolist(), frame["m"].tolist(), warnings) == (["a", "a", "b"], [1, 3, 4], [])


def test_only_the_services_that_are_wanted_are_in_the_frame() -> None:
    frame, _ = wide_frame({"m": matrix(("a", {0: 1.0}), ("b", {0: 1.0}))}, None, {"b", "c"}.__contains__)
    assert frame[SERVICE].tolist() == ["b"]


# -- all the way into the store ---------------------------------------------------------------


class Scripted:
    """A server that answers each metric's query as it is told."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self._turn = 0

    def reset(self, replies: list[Reply]) -> None:
        self.replies, self._turn = replies, 0

    def __call__(self, request: Request) -> Reply:
        self._turn += 1
        return self.replies[(self._turn - 1) % len(self.replies)]


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[Scripted, PrometheusSource]]:
    script = Scripted()
    with FaultyServer(choose=script) as server:
        yield script, PrometheusSource(PrometheusClient(server.url, sleep=lambda seconds: None))


@pytest.fixture(scope="module")
def kept() -> Iterator[Store]:
    with open_store(":memory:") as store:
        yield store


def collected(source: PrometheusSource, store: Store) -> tuple[Collected | None, SourceError | None]:
    asked: list[Collected] = []

    class Spy:
        name = source.name

        def collect(self, at: datetime, services: Any = None) -> Collected:
            asked.append(source.collect(at, services))
            return asked[-1]

    try:
        collect_once([Spy()], store, AT)  # type: ignore[list-item]
    except SourceError as error:
        return None, error
    return asked[0], None


def stored(store: Store) -> pd.DataFrame:
    return store.history_of_all(AT, AT).set_index(SERVICE).drop(columns=TIMESTAMP)


answers = st.one_of(
    vectors(st.builds(lambda name, more: {**more, SERVICE: name}, names, labels)).map(success),
    vectors().map(lambda result: success(result, warnings=["a store is away"])),
    junk.map(success),
    st.binary(max_size=20).map(lambda body: Reply(body=body)),
    st.just(success([{"metric": {SERVICE: "h"}, "histogram": [SECONDS, {"count": "1"}]}])),
    st.just(Reply(400, b"<html>")),
)


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(answers, min_size=len(parts()), max_size=len(parts())))
def test_a_cycle_stores_all_of_what_it_understood_and_tells_the_rest(
    scripted: tuple[Scripted, PrometheusSource], kept: Store, replies: list[Reply]
) -> None:
    script, source = scripted
    script.reset(replies)
    known = set(stored(kept).index)
    found, error = collected(source, kept)
    after = stored(kept)
    if found is None:
        assert str(error)
        assert set(after.index) == known
        return
    assert {failure.what for failure in found.failures} | set(found.frame) >= set(parts())
    for _, row in found.frame.iterrows():
        there = after.loc[row[SERVICE]]
        for metric in (name for name in METRICS if name in row and not math.isnan(row[name])):
            assert there[metric] == row[metric]
    assert set(after.index) == known | set(found.frame[SERVICE])


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_comes_back_from_the_store_as_it_was_or_is_told_to_be_left_out(
    scripted: tuple[Scripted, PrometheusSource], name: str
) -> None:
    script, source = scripted
    script.reset([success([{"metric": {SERVICE: name}, "value": [SECONDS, "1"]}])])
    with open_store(":memory:") as store:
        found, _ = collected(source, store)
        assert found is not None
        if len(found.frame):
            assert stored(store).index.tolist() == [service.name for service in store.services()] == [name]
            assert len(store.history(name, AT, AT)) == 1
        else:
            assert any("left out" in warning for warning in found.warnings)


@pytest.mark.slow
def test_two_series_of_one_service_are_a_recorded_warning(scripted: tuple[Scripted, PrometheusSource]) -> None:
    script, source = scripted
    values = [{"metric": {SERVICE: "a", "x": x}, "value": [SECONDS, x]} for x in ("1", "2")]
    script.reset([success(values)])
    found = source.collect(AT)
    assert found.frame["request_rate"].tolist() == [1.0]
    assert "request_rate: a is there more than once, the first series counts" in found.warnings


@pytest.mark.slow
def test_history_is_asked_for_whole_and_a_part_is_a_failure() -> None:
    """Thanos and VictoriaMetrics answer in part unless told not to."""
    body = json.loads(success([{"metric": {SERVICE: "a"}, "values": [[SECONDS, "1"]]}], kind="matrix").body)
    with FaultyServer(choose=blind(Reply(body=json.dumps({**body, "isPartial": True}).encode()))) as server:
        found = PrometheusSource(PrometheusClient(server.url)).history(AT, AT, 60)
    assert asked_of(server)[0].fields["partial_response"] == "false"
    assert asked_of(server)[0].fields["deny_partial_response"] == "1"
    assert found.frame["request_rate"].tolist() == [1.0]
    assert [failure.what for failure in found.failures] == list(parts())
    assert "partial" in found.failures[0].error
