"""A Prometheus is believed only as far as its answers make sense, and every refusal says what to do."""

from __future__ import annotations

import base64
import gzip
import json
import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from support.blind import asked_of, blind, by_metric, parts, queries
from support.servers import FaultyServer, Reply, Request, free_port, refusal, success

from observatory.config import Settings
from observatory.errors import (
    AccessDeniedError,
    MalformedAnswerError,
    SourceBusyError,
    SourceError,
    SourceRefusedError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from observatory.sources import LabelledSource, Source
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Authentication, Limits
from observatory.sources.prometheus.source import PrometheusSource

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECONDS = NOW.timestamp()
SECRET = "s3cr3t"
EMPTY = success([])
PATIENT = Limits(timeout=5)


def a_client(url: str, limits: Limits = PATIENT, **more) -> PrometheusClient:
    return PrometheusClient(url, limits, **({"sleep": lambda seconds: None} | more))


def vector(**values: str) -> list[dict[str, object]]:
    return [{"metric": {"service_name": name}, "value": [SECONDS, value]} for name, value in values.items()]


def ask(*replies: Reply, **more) -> tuple[SourceError, int]:
    """The error these replies lead to, and how many requests it took."""
    with FaultyServer(*replies) as server, pytest.raises(SourceError) as caught:
        a_client(server.url, **more).instant("up", NOW)
    return caught.value, len(server.requests)


# -- a server that is not there, or silent ----------------------------------------------------


def test_a_closed_port_is_unreachable_after_three_tries_that_wait_longer_each_time() -> None:
    waits: list[float] = []
    with pytest.raises(SourceUnreachableError, match=r"connection refused.*OBSERVATORY_PROMETHEUS_URL"):
        a_client(f"http://127.0.0.1:{free_port()}", sleep=waits.append).instant("up", NOW)
    assert waits == [0.5, 1.0]


def test_an_unknown_host_is_unreachable() -> None:
    with pytest.raises(SourceUnreachableError, match=r"nowhere\.invalid.*unknown host"):
        a_client("http://nowhere.invalid:9090").instant("up", NOW)


def test_a_server_that_hangs_up_is_unreachable() -> None:
    error, requests = ask(Reply(status=0))
    assert isinstance(error, SourceUnreachableError)
    assert requests == 3


@pytest.mark.parametrize("reply", [Reply(silent=True), Reply(body=b'{"status": "success"', stall=9)])
def test_a_server_that_falls_silent_is_a_timeout_and_not_asked_again(reply: Reply) -> None:
    error, requests = ask(reply, limits=Limits(timeout=0.2))
    assert isinstance(error, SourceTimeoutError)
    assert "within 0.2 s" in str(error)
    assert requests == 1


# -- answers that are none --------------------------------------------------------------------


def test_an_answer_cut_short_by_a_closed_connection_is_malformed() -> None:
    error, requests = ask(Reply(body=EMPTY.body, cut=20))
    assert isinstance(error, MalformedAnswerError)
    assert "broke off" in str(error)
    assert requests == 1


@pytest.mark.parametrize(
    "body",
    [
        EMPTY.body[:-9],
        b"",
        b"<!DOCTYPE html>\n<title>Shop of the day</title>",
        b"null",
        b"[]",
        b'{"status": "success"',
        b'{"data": {}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=["truncated", "empty", "HTML", "null", "list", "unfinished", "no status", "bytes", "deep"],
)
def test_what_is_no_answer_of_a_prometheus_is_malformed_and_shown(body: bytes) -> None:
    error, _ = ask(Reply(body=body))
    assert isinstance(error, MalformedAnswerError)
    assert "did not answer like a Prometheus" in str(error)
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    "result",
    [
        7,
        "text",
        [None],
        [[]],
        [{}],
        [{"metric": None, "value": [SECONDS, "1"]}],
        [{"metric": {}, "value": [SECONDS]}],
        [{"metric": {}, "value": [SECONDS, "1", "2"]}],
        [{"metric": {}, "value": ["soon", "1"]}],
        [{"metric": {}, "value": [SECONDS, None]}],
        [{"metric": {}, "value": [SECONDS, "many"]}],
        [{"metric": {}, "value": None}],
        [{"metric": {}, "values": [[SECONDS, "1"]]}],
        [{"metric": {"service_name": "a"}, "value": ["NaN", "1"]}],
        [{"metric": {"service_name": "a"}, "value": [1e300, "1"]}],
    ],
    ids=repr,
)
def test_values_of_wrong_types_are_malformed(result: object) -> None:
    error, _ = ask(success(result))
    assert isinstance(error, MalformedAnswerError)


def test_an_answer_without_data_is_malformed() -> None:
    error, _ = ask(Reply(body=b'{"status": "success"}'))
    assert isinstance(error, MalformedAnswerError)


def test_another_kind_of_result_is_malformed_and_named() -> None:
    error, _ = ask(success([], kind="matrix"))
    assert "answered with a matrix, not a vector" in str(error)


def test_native_histograms_are_malformed_with_the_way_out() -> None:
    error, _ = ask(success([{"metric": {}, "histogram": [SECONDS, {"count": "1"}]}]))
    assert "histogram_quantile" in str(error)


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large_is_refused_before_it_fills_the_memory(packed: bool) -> None:
    body = b" " * 3_000_000
    reply = Reply(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else Reply(body=body)
    error, requests = ask(reply, limits=Limits(max_answer=1))
    assert isinstance(error, MalformedAnswerError)
    assert "more than 1 MB" in str(error)
    assert requests == 1


def test_redirects_to_another_server_are_not_followed() -> None:
    with FaultyServer(EMPTY) as elsewhere:
        away = Reply(302, headers={"Location": elsewhere.url})
        error, requests = ask(away, authentication=Authentication(token=SECRET))
        assert elsewhere.requests == []
    assert isinstance(error, SourceRefusedError)
    assert f"redirects to {elsewhere.url} (HTTP 302)" in str(error)
    assert requests == 1


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 422])
def test_a_bad_query_is_refused_with_the_servers_own_words_and_not_retried(status: int) -> None:
    error, requests = ask(refusal(status, "1:4: parse error: unexpected end of input"))
    assert isinstance(error, SourceRefusedError)
    assert "bad_data: 1:4: parse error: unexpected end of input" in str(error)
    assert requests == 1


def test_an_error_that_comes_with_200_is_an_error() -> None:
    error, _ = ask(Reply(200, refusal(422, "too many samples").body))
    assert isinstance(error, SourceRefusedError)
    assert "too many samples" in str(error)


@pytest.mark.parametrize("status", [401, 403])
def test_no_permission_hints_at_token_and_password(status: int) -> None:
    error, requests = ask(Reply(status, b"Unauthorized"))
    assert isinstance(error, AccessDeniedError)
    assert f"HTTP {status}, check token or password; it says: Unauthorized" in str(error)
    assert requests == {401: 1, 403: 2}[status], "a POST may be refused where GET is not"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_overloaded_server_is_asked_again_when_it_said(status: int) -> None:
    waits: list[float] = []
    replies = (refusal(status, "later", Retry_After="3"), Reply(status, b"<html>busy"), success(vector(a="1")))
    with FaultyServer(*replies) as server:
        answer = a_client(server.url, sleep=waits.append).instant("up", NOW)
    assert [series.values for series in answer.series] == [[1.0]]
    assert waits == [3.0, 1.0]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("0", 0.0), ("-5", 0.0), ("9", 9.0), ("nan", 0.5), ("soon", 0.5), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_the_server_says_how_long_to_wait(asked: str, waited: float) -> None:
    waits: list[float] = []
    with FaultyServer(refusal(503, "later", Retry_After=asked), EMPTY) as server:
        a_client(server.url, sleep=waits.append).instant("up", NOW)
    assert waits == [waited]


@pytest.mark.parametrize("asked", ["3600", "inf", "in an hour"])
def test_a_server_that_wants_to_be_left_alone_is_left_alone(asked: str) -> None:
    if asked == "in an hour":
        asked = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    with FaultyServer(refusal(429, "quota", Retry_After=asked), EMPTY) as server:
        client = a_client(server.url)
        for _ in range(3):
            with pytest.raises(SourceBusyError, match=r"quota.*left alone"):
                client.instant("up", NOW)
    assert len(server.requests) == 1


def test_after_three_refusals_the_last_is_the_error() -> None:
    error, requests = ask(refusal(503, "first"), refusal(503, "second"), refusal(503, "third"))
    assert isinstance(error, SourceRefusedError)
    assert "third" in str(error)
    assert requests == 3


# -- credentials ------------------------------------------------------------------------------


def test_a_token_is_sent_as_bearer() -> None:
    with FaultyServer(EMPTY) as server:
        a_client(server.url, authentication=Authentication(token=SECRET)).instant("up", NOW)
    assert server.requests[0].headers["Authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("in_url", [False, True])
def test_user_name_and_password_are_sent_as_basic(in_url: bool) -> None:
    with FaultyServer(EMPTY) as server:
        if in_url:
            client = a_client(server.url.replace("//", f"//me:{SECRET}@"))
        else:
            client = a_client(server.url, authentication=Authentication(username="me", password=SECRET))
        client.instant("up", NOW)
    assert server.requests[0].headers["Authorization"] == "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()


def test_credentials_of_the_settings_are_used() -> None:
    with FaultyServer(EMPTY) as server:
        settings = Settings(prometheus_url=f"{server.url}/prefix/", prometheus_token=SECRET)
        PrometheusSource.from_settings(settings).discover()
    assert {"/prefix/api/v1/query"} <= {request.path for request in server.requests}
    assert {request.headers["Authorization"] for request in server.requests} == {f"Bearer {SECRET}"}


def test_without_credentials_none_are_sent_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with FaultyServer(EMPTY) as server:
        a_client(server.url).instant("up", NOW)
    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "reply",
    [
        Reply(silent=True),
        Reply(401),
        Reply(302, headers={"Location": "/login"}),
        refusal(400, "parse error"),
        refusal(503, "busy"),
        Reply(body=b"<html>"),
        Reply(body=b"{}", headers={"Content-Length": "9"}),
        success(7),
        success([], kind="scalar"),
    ],
    ids=["silent", "401", "redirect", "400", "503", "HTML", "cut", "wrong types", "scalar"],
)
@pytest.mark.parametrize("how", ["token", "password", "URL"])
def test_no_message_shows_a_credential(reply: Reply, how: str) -> None:
    with FaultyServer(reply) as server:
        url = server.url.replace("//", f"//me:{SECRET}@") if how == "URL" else server.url
        given = {"token": {"token": SECRET}, "password": {"username": "me", "password": SECRET}, "URL": {}}[how]
        who = Authentication(**given)
        with pytest.raises(SourceError) as caught:
            a_client(url, Limits(timeout=0.2), authentication=who).instant("up", NOW)
    assert SECRET not in str(caught.value)
    assert server.url.removeprefix("http://") in str(caught.value)


@pytest.mark.parametrize("rest", ["127.0.0.1:1", "nowhere.invalid:9090", "host:port", "[::1", ""])
def test_no_message_about_an_address_shows_its_password(rest: str) -> None:
    with pytest.raises(SourceUnreachableError) as caught:
        a_client(f"http://me:{SECRET}@{rest}").instant("up", NOW)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__cause__)


# -- values -----------------------------------------------------------------------------------


def test_a_query_is_posted_with_its_time() -> None:
    with FaultyServer(EMPTY) as server:
        a_client(server.url).instant('sum(rate(a{b="ü&+"}[5m]))', NOW + timedelta(milliseconds=250))
    (request,) = server.requests
    assert request.path == "/api/v1/query"
    assert request.fields == {"query": 'sum(rate(a{b="ü&+"}[5m]))', "time": f"{SECONDS + 0.25:.3f}"}


def test_nan_and_infinite_are_missing() -> None:
    values = {"a": "NaN", "b": "+Inf", "c": "-Inf", "d": "1e-3", "e": "0"}
    with FaultyServer(success(vector(**values))) as server:
        found = [series.values[0] for series in a_client(server.url).instant("up", NOW).series]
    assert [math.isnan(value) for value in found] == [True, True, True, False, False]
    assert found[3:] == [0.001, 0.0]


@pytest.mark.slow
def test_what_the_server_remarks_comes_with_the_data() -> None:
    reply = success(vector(a="1"), warnings=["a store is missing"], infos=["not a counter"])
    with FaultyServer(reply) as server:
        answer = a_client(server.url).instant("up", NOW)
    assert (answer.warnings, answer.infos) == (("a store is missing",), ("not a counter",))
    assert len(answer.series) == 1
    with FaultyServer(choose=blind(reply)) as server:
        collected = PrometheusSource(a_client(server.url)).collect(NOW)
    assert "request_rate: a store is missing" in collected.warnings
    assert collected.failures == ()


def test_advice_on_queries_is_no_warning_of_samples_and_kept_once() -> None:
    said = [f'PromQL info: might not be a counter: "hits" (1:{place})' for place in (7, 8)]
    with FaultyServer(choose=blind(success(vector(a="1"), infos=said))) as server:
        source = PrometheusSource(a_client(server.url), presets=("otel",))
        assert source.collect(NOW).warnings == ()
    assert source.client.infos == ('PromQL info: might not be a counter: "hits"',)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vector", ""])
def test_null_is_an_empty_result(kind: str) -> None:
    nothing = success(None, kind=kind)
    with FaultyServer(nothing) as server:
        assert a_client(server.url).instant("up", NOW).series == []
    with FaultyServer(choose=blind(nothing)) as server:
        assert PrometheusSource(a_client(server.url)).collect(NOW).failures == ()


def test_a_long_range_is_asked_for_in_pieces_of_at_most_11000_points() -> None:
    def piece(request: Request) -> Reply:
        start, end, step = (float(request.fields[name]) for name in ("start", "end", "step"))
        points = [[start + turn * step, "1"] for turn in range(int((end - start) // step) + 1)]
        return success([{"metric": {"service_name": "a"}, "values": points}], kind="matrix", warnings=["slow"])

    with FaultyServer(choose=piece) as server:
        end = NOW + timedelta(seconds=15 * 25_000)
        answer = a_client(server.url).range("up", NOW, end, 15)
    times = [at for series in answer.series for at in series.times]
    assert len(server.requests) == 3
    assert max(len(series.times) for series in answer.series) == 11_000
    assert times == [SECONDS + 15 * turn for turn in range(25_001)]
    assert answer.warnings == ("slow",)


@pytest.mark.parametrize(("points", "requests"), [(1, 1), (11_000, 1), (11_001, 2)])
def test_no_piece_is_empty(points: int, requests: int) -> None:
    with FaultyServer(success([], kind="matrix")) as server:
        a_client(server.url).range("up", NOW, NOW + timedelta(seconds=points - 1), 1)
    assert len(server.requests) == requests


@pytest.mark.parametrize("step", [0.5, 60.0, 1_234_567.0])
def test_the_step_arrives_as_it_was_given(step: float) -> None:
    with FaultyServer(success([], kind="matrix")) as server:
        a_client(server.url).range("up", NOW, NOW + timedelta(hours=1), step)
    assert float(server.requests[0].fields["step"]) == step


# -- the source -------------------------------------------------------------------------------


ALL = list(parts())
"""The metrics that are asked of a server without an index."""


@pytest.mark.slow
def test_as_few_queries_as_a_server_takes_and_all_services_in_one_frame() -> None:
    with FaultyServer(choose=blind(success(vector(a="1", b="2")))) as server:
        answer = PrometheusSource(a_client(server.url)).collect(NOW)
    assert answer.queries == len(asked_of(server)) == queries()
    assert list(answer.frame.columns) == ["service_name", "timestamp", *ALL]
    assert sorted(answer.frame["service_name"]) == ["a", "b"]
    assert set(answer.frame["timestamp"]) == {NOW}


@pytest.mark.slow
def test_a_metric_whose_query_fails_is_a_failure_while_the_others_go_on() -> None:
    def answer(name: str) -> Reply:
        return refusal(422, "too many samples", "execution") if name == "cpu_usage" else success(vector(a="1"))

    with FaultyServer(choose=by_metric(answer)) as server:
        collected = PrometheusSource(a_client(server.url)).collect(NOW)
    assert [failure.what for failure in collected.failures] == ["cpu_usage"]
    assert "too many samples" in collected.failures[0].error
    assert list(collected.frame.columns) == ["service_name", "timestamp", *(m for m in ALL if m != "cpu_usage")]


@pytest.mark.slow
def test_a_server_that_dies_halfway_is_a_failure_of_the_rest() -> None:
    alive = by_metric(lambda name: success(vector(a="1")) if name == "request_rate" else Reply(silent=True))
    with FaultyServer(choose=alive) as server:
        collected = PrometheusSource(a_client(server.url, Limits(timeout=0.1))).collect(NOW)
    assert [failure.what for failure in collected.failures] == ALL[1:]
    assert collected.frame["request_rate"].tolist() == [1.0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "error"),
    [(Reply(silent=True), SourceTimeoutError), (Reply(401), SourceRefusedError), (Reply(), MalformedAnswerError)],
    ids=["silent", "401", "empty"],
)
def test_when_every_query_fails_the_source_raises(reply: Reply, error: type[SourceError]) -> None:
    with FaultyServer(reply) as server:
        source = PrometheusSource(a_client(server.url, Limits(timeout=0.1)))
        with pytest.raises(error):
            source.collect(NOW)
        with pytest.raises(error):
            source.history(NOW - timedelta(hours=1), NOW, 60)
        with pytest.raises(error):
            source.discover()


def test_an_unreachable_server_is_asked_once_for_all_queries() -> None:
    waits: list[float] = []
    source = PrometheusSource(a_client(f"http://127.0.0.1:{free_port()}", Limits(concurrency=1), sleep=waits.append))
    with pytest.raises(SourceUnreachableError):
        source.collect(NOW)
    assert len(waits) == 2


@pytest.mark.slow
def test_series_that_name_no_service_are_dropped() -> None:
    nameless = [{"metric": labels, "value": [SECONDS, "5"]} for labels in ({}, {"service_name": ""}, {"job": "x"})]
    with FaultyServer(choose=blind(success([*nameless, *vector(a="1")]))) as server:
        source = PrometheusSource(a_client(server.url))
        assert source.collect(NOW).frame["service_name"].tolist() == ["a"]
        assert [service.name for service in source.discover()] == ["a"]


@pytest.mark.slow
def test_only_the_services_asked_for_are_in_the_answer() -> None:
    with FaultyServer(choose=blind(success(vector(a="1", b="2")))) as server:
        source = PrometheusSource(a_client(server.url))
        assert source.collect(NOW, ["b", "c"]).frame["service_name"].tolist() == ["b"]
        assert source.collect(NOW, []).frame.empty


@pytest.mark.slow
def test_an_empty_server_gives_an_empty_frame_with_the_columns_of_samples() -> None:
    with FaultyServer(choose=blind(EMPTY)) as server:
        answer = PrometheusSource(a_client(server.url)).collect(NOW)
    assert answer.frame.empty
    assert list(answer.frame.columns) == ["service_name", "timestamp", *ALL]
    assert str(answer.frame["timestamp"].dtype) == "datetime64[us, UTC]"
    assert answer.failures == ()


def test_it_is_a_source_without_labels_and_knows_no_calls_before_it_has_looked() -> None:
    source = PrometheusSource(a_client("http://placeholder"))
    assert isinstance(source, Source)
    assert not isinstance(source, LabelledSource)
    assert source.graph() == []


# -- a real one -------------------------------------------------------------------------------


@pytest.mark.servers
def test_a_real_prometheus_answers_instant_and_range(prometheus_of_three: PrometheusSource) -> None:
    now = datetime.now(UTC)
    client = prometheus_of_three.client
    up = {series.labels["job"]: series.values.tolist() for series in client.instant("up", now).series}
    assert up == {"prometheus": [1.0], "node": [1.0], "alertmanager": [1.0]}
    (ones,) = client.range("vector(1)", now - timedelta(seconds=10), now, 2).series
    assert ones.values.tolist() == [1.0] * 6
    (nan,) = client.instant("vector(0) / 0", now).series
    assert math.isnan(nan.values[0])


@pytest.mark.servers
def test_a_real_prometheus_accepts_a_range_of_any_length(prometheus_of_three: PrometheusSource) -> None:
    now = datetime.now(UTC)
    series = prometheus_of_three.client.range("vector(1)", now - timedelta(seconds=12_000), now, 1).series
    assert sum(len(one.values) for one in series) == 12_001


@pytest.mark.servers
@pytest.mark.parametrize(
    ("query", "words"),
    [("sum(", "parse error"), ("up * on() up", "many-to-many"), ('rate(up["5m"])', "bad_data"), ("up[5m]", "matrix")],
)
def test_a_real_prometheus_says_what_is_wrong_with_a_query(
    prometheus_of_three: PrometheusSource, query: str, words: str
) -> None:
    with pytest.raises(SourceError, match=words):
        prometheus_of_three.client.instant(query, datetime.now(UTC))


@pytest.mark.servers
def test_ten_thousand_characters_of_query_are_no_problem(prometheus_of_three: PrometheusSource) -> None:
    query = " or ".join(['up{job="prometheus"}'] * 500)
    assert len(json.dumps(query)) > 10_000
    assert len(prometheus_of_three.client.instant(query, datetime.now(UTC)).series) == 1
