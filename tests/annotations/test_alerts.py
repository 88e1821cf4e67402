"""Alerts of others are understood as Alertmanager, Grafana and Prometheus send them, and find their service."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from support.hostile import TEXTS
from support.incidents import NOON
from support.servers import Alertmanager, FaultyServer, Reply, wait_until

from observatory.annotations.alerts import Received, receive
from observatory.errors import InvalidInputError
from observatory.model import NameRule, NameRules, RuleKind, Severity

KNOWN = ("shop/cart", "shop/pay", "pay/api", "eu/cart", "prometheus")
ZERO = "0001-01-01T00:00:00Z"


def alert(**facts: Any) -> dict[str, Any]:
    labels = {"alertname": "Slow", "namespace": "shop", "service": "cart", "severity": "warning"}
    known = {"status": "firing", "labels": labels | facts.pop("labels", {}), "startsAt": at(-5), "endsAt": ZERO}
    return known | facts


def at(minutes: float) -> str:
    return (NOON + timedelta(minutes=minutes)).isoformat()


def taken(*alerts: Any, labels: tuple[str, ...] = (), rules: NameRules | None = None, **more: Any) -> Received:
    return receive({"version": "4", "alerts": list(alerts)} | more, "key:am", NOON, KNOWN, rules or NameRules(), labels)


def service_of(*labels: str, **named: str) -> str:
    (one,) = taken({"labels": {"alertname": "A", **named}, "startsAt": at(-1)}, labels=labels).alerts
    return one.service_name


def test_a_webhook_of_an_alertmanager_is_understood() -> None:
    (one,) = taken(
        alert(
            annotations={"summary": "p99 over 2 s", "runbook": "x"},
            generatorURL="https://prometheus.example/graph?g0.expr=up",
            fingerprint="c4a1d5b0f37a92e6",
        ),
        groupLabels={},
        commonLabels={},
        externalURL="http://am:9093",
        truncatedAlerts=0,
    ).alerts
    assert (one.service_name, one.name, one.severity) == ("shop/cart", "Slow", Severity.MEDIUM)
    assert (one.summary, one.sentence) == ("p99 over 2 s", "alert Slow: p99 over 2 s")
    assert (one.started_at, one.ended_at, one.is_firing(NOON)) == (NOON - timedelta(minutes=5), None, True)
    assert (one.fingerprint, one.url) == ("c4a1d5b0f37a92e6", "https://prometheus.example/graph?g0.expr=up")
    symptom = one.as_symptom(NOON)
    assert symptom is not None
    assert (symptom.message, symptom.detector, symptom.is_open) == (
        "shop/cart: alert Slow: p99 over 2 s",
        "alert Slow",
        True,
    )


@pytest.mark.servers
def test_what_a_real_alertmanager_sends_is_understood() -> None:
    now = datetime.now(UTC)
    labels = {"alertname": "Slow", "namespace": "shop", "service": "cart", "severity": "page"}
    begins = (now - timedelta(minutes=5)).isoformat()
    sent = {"labels": labels, "annotations": {"summary": "p99"}, "startsAt": begins}
    with FaultyServer(choose=lambda _: Reply(200, b"")) as hook, Alertmanager(f"{hook.url}/api/alerts") as server:

        def tell(alert: dict[str, Any], until: bytes) -> Received:
            requests.post(f"{server.url}/api/v2/alerts", json=[alert], timeout=30).raise_for_status()
            wait_until(lambda: hook.requests and until in hook.requests[-1].body, 60, "the webhook", server.log)
            body = json.loads(hook.requests[-1].body)
            return receive(body, "key:am", datetime.now(UTC), KNOWN, NameRules())

        (firing,) = tell(sent, b"firing").alerts
        (over,) = tell(sent | {"endsAt": now.isoformat()}, b"resolved").alerts
    assert (firing.service_name, firing.severity, firing.summary) == ("shop/cart", Severity.CRITICAL, "p99")
    assert (firing.is_firing(now), over.is_firing(now)) == (True, False)
    assert (firing.fingerprint, firing.started_at) == (over.fingerprint, over.started_at)


def test_what_is_resolved_has_ended() -> None:
    (one,) = taken(alert(status="resolved", endsAt=at(-1))).alerts
    assert (one.ended_at, one.is_firing(NOON)) == (NOON - timedelta(minutes=1), False)
    (without,) = taken(alert(status="resolved")).alerts
    assert without.ended_at == NOON


def test_the_list_that_a_prometheus_sends_is_understood() -> None:
    labels = {"alertname": "Slow", "job": "shop/cart"}
    body = [
        {"labels": labels, "annotations": {}, "startsAt": at(-5), "endsAt": at(4)},
        {"labels": {**labels, "pod": "b"}, "startsAt": at(-5), "endsAt": at(-1)},
        {"labels": {**labels, "pod": "c"}},
    ]
    found = receive(body, "key:prometheus", NOON, KNOWN, NameRules()).alerts
    assert [one.is_firing(NOON) for one in found] == [True, False, True]
    assert found[0].expires_at == NOON + timedelta(minutes=4)
    assert not found[0].is_firing(NOON + timedelta(minutes=5))  # it is not told again: it is over
    assert len({one.fingerprint for one in found}) == 3


def test_a_contact_point_of_grafana_is_understood() -> None:
    found = taken(
        alert(
            values={"B": 12.5},
            silenceURL="https://grafana.example/alerting/silence/new",
            dashboardURL="",
            panelURL="",
            valueString="[ var='B' ]",
            annotations={"description": "errors are over 5 %"},
        ),
        version="1",
        orgId=1,
        state="alerting",
        title="[FIRING:1]",
        message="",
    )
    assert found.alerts[0].summary == "errors are over 5 %"


def test_what_is_sent_again_is_the_same_alert() -> None:
    (first,), (again,) = taken(alert()).alerts, taken(alert(annotations={"summary": "still"})).alerts
    assert (first.fingerprint, first.started_at) == (again.fingerprint, again.started_at)


def test_alerts_that_we_sent_ourselves_do_not_come_back() -> None:
    found = taken(
        alert(labels={"alertname": "ObservatoryIncident"}), alert(labels={"alertname": "ObservatoryIncidentTest"})
    )
    assert (found.alerts, found.own) == ((), 2)


def test_what_the_sender_left_out_is_said() -> None:
    assert taken(alert(), truncatedAlerts=7).left_out == 7


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"namespace": "shop", "service": "cart"}, "shop/cart"),
        ({"service": "shop/cart"}, "shop/cart"),
        ({"service_name": "api", "service_namespace": "pay"}, "pay/api"),
        ({"job": "shop/pay"}, "shop/pay"),
        ({"job": "kube-state-metrics", "namespace": "shop", "deployment": "pay"}, "shop/pay"),
        ({"job": "kubelet", "service": "kubelet", "namespace": "shop", "container": "cart"}, "shop/cart"),
        ({"service": "ksm", "job": "ksm", "namespace": "shop", "statefulset": "pay"}, "shop/pay"),
        ({"service": "ksm", "job": "ksm", "namespace": "shop", "pod": "cart-7d9f8b6c5d-x2x4z"}, "shop/cart"),
        ({"namespace": "shop", "pod": "pay-0"}, "shop/pay"),
        ({"namespace": "shop", "pod": "pay-x2x4z", "container": "sidecar"}, "shop/pay"),
        (
            {
                "namespace": "monitoring",
                "pod": "ksm-6d9c96cf74-95ggq",
                "container": "kube-state-metrics",
                "exported_namespace": "shop",
                "exported_pod": "cart-7d9f8b6c5d-x2x4z",
            },
            "shop/cart",
        ),
        ({"service": "pay"}, "shop/pay"),  # only one has this name
        ({"service": "cart"}, ""),  # two have
        ({"service": "cart", "namespace": "us"}, ""),  # neither is that one
        ({"app": "nobody"}, ""),
        ({"job": "prometheus"}, "prometheus"),
        ({}, ""),
    ],
)
def test_the_service_is_found_by_what_usually_names_it(labels: dict[str, str], service: str) -> None:
    assert service_of(**labels) == service


def test_a_label_of_ones_own_may_name_the_service() -> None:
    assert service_of(component="shop/pay", service="pay/api") == "pay/api"
    assert service_of("component", component="shop/pay", service="pay/api") == "shop/pay"


def test_names_are_those_that_services_have_here() -> None:
    rules = NameRules((NameRule(RuleKind.RENAME, "old/basket", "shop/cart"),))
    (one,) = taken(alert(labels={"namespace": "old", "service": "basket"}), rules=rules).alerts
    assert one.service_name == "shop/cart"


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("critical", Severity.CRITICAL),
        ("PAGE", Severity.CRITICAL),
        ("error", Severity.HIGH),
        ("warning", Severity.MEDIUM),
        ("odd", Severity.MEDIUM),
        ("", Severity.MEDIUM),
        ("info", None),
        ("none", None),
    ],
)
def test_severities_are_those_that_people_write(text: str, severity: Severity | None) -> None:
    (one,) = taken(alert(labels={"severity": text})).alerts
    assert one.severity is severity
    assert (one.as_symptom(NOON) is None) is (severity is None)  # a watchdog opens no incident


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "has no list of alerts"),
        (7, "has no list of alerts"),
        ({"alerts": {}}, "has no list of alerts"),
        ([7], r"alerts\[0\]: is no object"),
        ([alert(), {}], r"alerts\[1\]: labels: must be an object"),
        ([{"labels": {}}], "labels: has none"),
        ([{"labels": {"a": 1}}], "labels.a: must be a text"),
        ([{"labels": {"a": "b"}, "annotations": []}], ""),
        ([alert(startsAt="noon")], "startsAt = 'noon': must be RFC 3339"),
        ([alert(startsAt="2026-03-01T12:00:00")], "needs a zone"),
        ([alert(startsAt=7)], "startsAt: must be RFC 3339"),
        ([alert(startsAt="2030-01-01T00:00:00Z")], "lies in the future"),
        ([alert()] * 10_001, "10001 are too many"),
        ([{"labels": {f"l{n}": "x" for n in range(101)}}], "at most 100"),
    ],
)
def test_what_is_none_is_refused_whole(body: Any, said: str) -> None:
    if not said:
        assert receive(body, "x", NOON, KNOWN, NameRules()).alerts
        return
    with pytest.raises(InvalidInputError, match=said):
        receive(body, "x", NOON, KNOWN, NameRules())


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_texts_become_one_line_that_can_be_kept(text: str) -> None:
    (one,) = taken(
        alert(labels={"alertname": text, "pod": text}, annotations={"summary": text}, generatorURL=text)
    ).alerts
    for kept in (one.name, one.summary, one.labels["pod"]):
        assert kept.isprintable()
        kept.encode()
    assert one.url == "" or one.url == text
    assert isinstance(one.started_at, datetime)
