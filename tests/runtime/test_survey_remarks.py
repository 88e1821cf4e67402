"""What people should know of a survey."""

from __future__ import annotations

import pytest
from support.known import Found as Answered
from support.known import Known

from observatory.runtime.survey_remarks import coarse_remark, coarse_remarks, counted_apart
from observatory.sources.prometheus.plan import make_plan
from observatory.sources.prometheus.presets import PRESETS
from observatory.sources.prometheus.survey import Found, Survey

SERIES = (
    'http_requests_total{job="a",code="200"}',
    'grpc_server_handled_total{job="a",grpc_code="OK"}',
    'istio_requests_total{destination_service_name="a",reporter="source"}',
)


def surveyed(*served: tuple[str, ...], coarse: dict[str, tuple[float, ...]] | None = None) -> Survey:
    """A survey in which services have series of these families, and none of any other."""

    def answer(query: str) -> Answered:
        return []

    inventory = Known(*SERIES, answer=answer).inventory()
    plan = make_plan(inventory, [*PRESETS.values()])
    found = [
        Found(one.preset.name, one.family.name, "", tuple(name for name, *of in served if one.family.name in of), {})
        for one in plan.asked
    ]
    return Survey(inventory, plan, tuple(found), (), coarse or {})


HTTP, GRPC, MESH = "http_requests_total", "grpc_server_handled_total", "istio_requests_total"


def test_a_service_that_counts_http_and_grpc_apart_is_named() -> None:
    found = surveyed(("both", HTTP, GRPC), ("also", HTTP, GRPC), ("http", HTTP), ("grpc", GRPC))
    (((counted, left), names),) = counted_apart(found).items()
    assert {counted, left} == {HTTP, GRPC}
    assert counted == found.plan.of(found.plan.rank("request_rate")[1]).family.name  # of what the service tells itself
    assert names == ["also", "both"]


def test_what_a_mesh_saw_is_all_of_it() -> None:
    assert counted_apart(surveyed(("a", MESH, HTTP))) == {}
    assert counted_apart(surveyed(("a", MESH, GRPC))) == {}


def test_services_whose_histograms_are_coarse_alike_are_told_together() -> None:
    coarse = {"c": (0.1, 0.2), "a": (0.1, 0.2), "b": (0.05, 5.0)}
    found = coarse_remarks(surveyed(coarse=coarse))
    assert list(found.values()) == [["a", "c"], ["b"]]


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((0.1, 0.2), "not known up to 100 ms,"),
        ((0.05, 5.0), "not known from 50 ms to 5 s,"),
        ((0.1, 5.0, 10.0), "not known up to 5 s,"),
        ((0.1, 0.2, 5.0), "not known up to 100 ms and from 200 ms to 5 s,"),
    ],
)
def test_every_coarse_bucket_is_told(ends: tuple[float, ...], text: str) -> None:
    assert text in coarse_remark(ends)
