"""Anomalies that belong together come as one incident, and what Prometheus scrapes agrees with the summary."""

from __future__ import annotations

from api.conftest import anomaly
from prometheus_client.parser import text_string_to_metric_families
from support.api import strict

from observatory.model import Severity


def incidents(client, query=""):
    return strict(client.get(f"/api/incidents{query}"))


def test_services_that_call_each_other_are_one_incident(client, runtime, names):
    assert len(incidents(client)["incidents"]) == 4
    runtime.store.write_calls([(names[0], names[1])])
    together = incidents(client)["incidents"]
    assert len(together) == 3
    joined = next(incident for incident in together if len(incident["services"]) == 2)
    assert joined["suspects"] == [names[1]]
    assert joined["severity"] == "high"
    assert joined["anomalies"] == 2


def test_incidents_can_be_filtered_and_paged(client, names):
    assert [i["services"] for i in incidents(client, "?open=true")["incidents"]] == [[names[0]]]
    everything = incidents(client, "?start=-7d")["incidents"]
    started = [incident["started_at"] for incident in everything]
    assert started == sorted(started, reverse=True)
    seen, path = [], "/api/incidents?start=-7d&limit=1"
    while path:
        page = strict(client.get(path))
        seen += page["incidents"]
        path = page["next"]
    assert seen == everything
    assert len(seen) == 5


def test_pages_fit_together_while_new_anomalies_come_in(client, runtime, names):
    first = incidents(client, "?limit=2")
    runtime.store.write_anomalies([anomaly(names[2], 1, Severity.LOW, is_open=True)])
    second = strict(client.get(first["next"]))
    ids = [incident["id"] for incident in first["incidents"] + second["incidents"]]
    assert len(ids) == len(set(ids)) == 4


def test_metrics_are_those_of_the_summary(client, names):
    summary = strict(client.get("/api/health/summary"))
    text = client.get("/metrics").get_data(as_text=True)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    for service in summary["services"]:
        assert found.get(("observatory_health_score", service["service_name"])) == service["score"]
    for band, count in summary["counts"].items():
        assert found["observatory_services", band] == count
    assert found["observatory_open_anomalies", names[0], "critical"] == 1
    assert found["observatory_http_requests_total", "GET", "/api/health/summary", "200"] == 1
    assert found["observatory_last_cycle_failures",] == 1
