"""Refusals of real servers, in their own words, are told apart: a limit, an unknown function, no access, busy."""

from __future__ import annotations

import pytest
from support.servers import FaultyServer, Reply, refusal

from observatory.errors import (
    AccessDeniedError,
    QueryLimitError,
    QueryRefusedError,
    QueryTooLongError,
    SourceBusyError,
    SourceRefusedError,
    UnsupportedQueryError,
)
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.refusals import MOST_WORDS, classify, shortened

LIMITS = [
    # Prometheus
    (422, "execution: query processing would load too many samples into memory in query execution"),
    (400, "bad_data: exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution"),
    (503, "timeout: query timed out in expression evaluation"),
    # VictoriaMetrics
    (
        422,
        '422: error when executing query="sum(rate(x[5m]))" for (time=1, step=300000): the number of matching '
        "timeseries exceeds 3; either narrow down the search or increase -search.max* command-line flag values",
    ),
    (422, "cannot select more than -search.maxSamplesPerQuery=100 samples; possible solutions: increase it"),
    (422, "not enough memory for processing sum(x), which returns 90 data points across 9 time series"),
    (422, "timeout exceeded while fetching data block #9 from storage: 30.000 seconds"),
    (422, "the response contains more than -search.maxResponseSeries=1 time series: 2 series"),
    # Thanos
    (422, "execution: expanding series: proxy Series(): rpc error: exceeded series limit: limit 5 violated (got 10)"),
    (500, "internal: rpc error: code = ResourceExhausted desc = fetch series: exceeded chunks limit: limit 1 violated"),
    (422, "execution: rpc error: grpc: received message larger than max (5 vs. 4)"),
    # Cortex, and Amazon's service
    (422, "execution: expanding series: the query hit the max number of series limit (limit: 100000 series)"),
    (422, "the query hit the aggregated data size limit (limit: 5368709120 bytes)"),
    (400, "bad_data: the query time range exceeds the limit (query length: 2160h0m0s, limit: 768h0m0s)"),
    # Mimir
    (
        422,
        "the query exceeded the maximum number of chunks (limit: 2 chunks) (err-mimir-max-chunks-per-query). Consider",
    ),
    (500, "the query time range exceeds the limit (query length: 9h, limit: 1h) (err-mimir-max-query-length)."),
    (
        422,
        "the estimated number of chunks for the query exceeded the maximum allowed (err-mimir-max-estimated-chunks-p",
    ),
    # proxies
    (413, "HTTP 413"),
]
UNSUPPORTED = [
    (400, 'bad_data: invalid parameter "query": 1:1: parse error: unknown function with name "limitk"'),
    (400, "bad_data: 1:4: parse error: unexpected end of input"),
    (400, 'bad_data: 1:1: parse error: function "limitk" is not enabled'),
    (
        422,
        '422: error when executing query="histogram_fraction(0, 1, exceeds_limit)": unknown func "histogram_fraction"',
    ),
    (422, '422: error when executing query="sum((": singleExpr: unexpected token ""; unparsed data: ""'),
    (400, 'bad_data: invalid parameter "query": regular expressions on __name__ are not supported'),
    (422, "execution: unimplemented: aggregation not implemented"),
]
OTHERS = [
    (422, "execution: multiple matches for labels: many-to-one matching must be explicit", QueryRefusedError),
    (400, 'bad_data: invalid parameter "start": cannot parse "x" to a valid timestamp', QueryRefusedError),
    (
        422,
        "execution: the request has been blocked by the cluster administrator (err-mimir-query-blocked)",
        QueryRefusedError,
    ),
    (500, "internal: storage is broken", SourceRefusedError),
    (404, "HTTP 404", SourceRefusedError),
    (401, "HTTP 401", AccessDeniedError),
    (403, "too many samples", AccessDeniedError),
    (429, "HTTP 429: series limit exceeded", SourceBusyError),
    (422, "too many outstanding requests", SourceBusyError),
    (503, "timeout: query timed out in query queue", SourceBusyError),
    (503, "not supported", SourceBusyError),
    (502, "", SourceBusyError),
    (422, "too long query; got 20000 bytes; mustn't exceed `-search.maxQueryLen=16384` bytes", QueryTooLongError),
    (
        400,
        "the raw query size in bytes exceeds the limit (err-mimir-max-query-expression-size-bytes)",
        QueryTooLongError,
    ),
    (413, "http: request body too large", QueryTooLongError),
    (414, "", QueryTooLongError),
]
CASES = [
    *((status, words, QueryLimitError) for status, words in LIMITS),
    *((status, words, UnsupportedQueryError) for status, words in UNSUPPORTED),
    *OTHERS,
]


@pytest.mark.parametrize(
    ("status", "words", "kind"), CASES, ids=[f"{status}-{words[:40]}" for status, words, _ in CASES]
)
def test_a_refusal_is_what_its_words_say(status: int, words: str, kind: type[SourceRefusedError]) -> None:
    assert classify(status, words) is kind


def test_a_limit_says_what_to_do_and_is_not_retried() -> None:
    words = "query processing would load too many samples into memory in query execution"
    with (
        FaultyServer(refusal(422, words, "execution")) as server,
        pytest.raises(QueryLimitError, match=r"too many samples .*: ask for less at once, or have the limit raised"),
    ):
        PrometheusClient(server.url).ask("query", {"query": "up"})
    assert len(server.requests) == 1


def test_the_query_that_a_server_repeats_is_not_shown_and_the_reason_is() -> None:
    words = f'error when executing query="{"x" * 5000}\\"" for (time=1): unknown func "y"'
    assert shortened(words) == 'error when executing the query for (time=1): unknown func "y"'
    long = shortened("begin " + "x" * 5000 + "\n the reason")
    assert (long[:5], long[-10:]) == ("begin", "the reason")
    assert len(long) < MOST_WORDS + 10


def test_a_secret_that_a_server_repeats_is_not_shown() -> None:
    from observatory.sources.prometheus.connection import Authentication

    with FaultyServer(Reply(403, b"bad token s3cr3t")) as server:
        client = PrometheusClient(server.url, authentication=Authentication(token="s3cr3t"))
        with pytest.raises(AccessDeniedError, match="bad token …") as caught:
            client.ask("query", {"query": "up"})
    assert "s3cr3t" not in str(caught.value)
