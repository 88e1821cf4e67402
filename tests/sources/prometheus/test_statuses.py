"""Which labels tell how a request ended, and which of their values mean that it failed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.sources.prometheus.statuses import FAILED, LABELS, StatusLabel, status_labels


def failing(label: str, *values: str) -> list[str] | None:
    """The values that mean a failure; None where the label does not tell."""
    found = status_labels({label: values})
    return None if not found else [value for value in values if re.fullmatch(found[0].failed, value)]


@pytest.mark.parametrize(
    ("label", "values", "failed"),
    [
        ("code", "200 301 404 499 500 503", "500 503"),
        ("code", "2xx 3xx 4xx 5xx", "5xx"),
        ("status", "2XX 5XX", "5XX"),
        ("status", "200", ""),
        ("status", "500", "500"),
        ("code", "200 OK Unavailable NotFound", "Unavailable"),
        ("status", "success error", "error"),
        ("status", "succeeded failed", "failed"),
        ("result", "success failure", "failure"),
        ("outcome", "SUCCESS CLIENT_ERROR SERVER_ERROR REDIRECTION INFORMATIONAL", "SERVER_ERROR"),
        ("status_code", "STATUS_CODE_UNSET STATUS_CODE_OK STATUS_CODE_ERROR", "STATUS_CODE_ERROR"),
        ("status_code", "200 success cancel error 5xx", "error 5xx"),  # what Cortex, Loki and Mimir have
        ("grpc_code", "OK Canceled NotFound Internal Unknown", "Internal Unknown"),
        ("grpc_status", "OK UNAVAILABLE DEADLINE_EXCEEDED PERMISSION_DENIED", "UNAVAILABLE DEADLINE_EXCEEDED"),
        ("rpc_grpc_status_code", "0 2 3 4 5 7 8 12 13 14 15 16", "2 4 8 12 13 14 15"),
        ("code", "OK UNAVAILABLE UNKNOWN", "UNAVAILABLE UNKNOWN"),
        ("code", "ok unavailable not_found", "unavailable"),
        ("code", "UNAVAILABLE", "UNAVAILABLE"),
        ("error", "true false", "true"),
        ("success", "True False", "False"),
        ("success", "true", ""),
    ],
)
def test_a_label_tells_failures_by_its_values(label: str, values: str, failed: str) -> None:
    assert failing(label, *values.split()) == failed.split()


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("status", "active paid"),
        ("status", "active paid failed"),
        ("status", "queued started finished failed deferred scheduled"),
        ("result", "hit miss"),
        ("result", "accepted rejected"),
        ("code", "0 1"),
        ("code", "0"),
        ("exit_code", "0 1 137"),
        ("country_code", "de fr"),
        ("status", "true false"),
        ("error", "timeout none"),
        ("state", "idle busy"),
        ("classification", "internal external"),
        ("classification", "internal"),
        ("status", ""),
        ("code", ""),
    ],
)
def test_a_label_of_other_values_tells_nothing(label: str, values: str) -> None:
    assert failing(label, *values.split(" ")) is None


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("status", ("200", "404", "UNKNOWN")),  # Micrometer: the caller was gone
        ("outcome", ("SUCCESS", "UNKNOWN")),
        ("status", ("success", "unknown")),
        ("code", ("200", "2", "13", "14")),
    ],
)
def test_what_means_a_failure_in_grpc_is_none_elsewhere(label: str, values: tuple[str, ...]) -> None:
    assert not failing(label, *values)


def test_the_most_telling_label_comes_first() -> None:
    found = status_labels({"my_status": ["200"], "status": ["200"], "outcome": ["SUCCESS"], "code": ["200"]})
    assert [one.name for one in found] == ["code", "status", "outcome", "my_status"]


def test_series_without_the_label_do_not_count_against_it() -> None:
    assert failing("code", "", "200") == []


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(LABELS) | st.text(max_size=5), st.lists(st.text(max_size=9), max_size=5)))
def test_any_labels_can_be_judged(values: dict[str, list[str]]) -> None:
    assert {one.name for one in status_labels(values)} <= set(values)


@given(st.lists(st.sampled_from(["200", "204", "301", "400", "404", "429", "499", "2xx", "4xx"]), min_size=1))
def test_what_a_caller_did_wrong_is_no_failure(values: list[str]) -> None:
    assert status_labels({"code": values}) == [StatusLabel("code", FAILED)]
    assert failing("code", *values) == []
