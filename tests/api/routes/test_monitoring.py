"""`/metrics`: what is known of each service, bounded in number, and nothing that is not known."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
from api.conftest import HOURS, NOW, anomaly, make_runtime, samples
from prometheus_client.parser import text_string_to_metric_families
from support.api import strict
from support.hostile import TEXTS

from observatory.access import Role, authenticator_of
from observatory.api.app import create_app
from observatory.api.routes.monitoring import expected_ranges
from observatory.api.service_metrics import chosen_services, exposed_name
from observatory.catalog import METRICS
from observatory.config import Settings
from observatory.detectors.bands import Bands
from observatory.model import Band, Service, Severity
from observatory.runtime import Runtime

pytestmark = pytest.mark.slow

UNIT = re.compile(r"_(per_second|ratio|seconds|cores|bytes)$")


def scrape(client, **headers):
    """Samples by name, and by the values of their labels."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    found = defaultdict(dict)
    for family in text_string_to_metric_families(answer.get_data(as_text=True)):
        for sample in family.samples:
            labels = tuple(sample.labels.values())
            assert labels not in found[sample.name], f"{sample.name}{sample.labels} is there twice"
            found[sample.name][labels] = sample.value
    return found


@pytest.fixture(scope="module")
def learned():
    """A runtime whose bands are learned, with a client."""
    made = make_runtime()
    client = create_app(made).test_client()
    scrape(client)
    expected_ranges(made).wait()
    made.store.write_cycle(replace(made.store.cycles(1)[0], seconds=0.4))
    made.store.register([Service("shop/waiting", "demo")])  # what has changed is read anew
    yield made, client
    made.close()


def test_each_value_is_that_of_the_summary_in_base_units(learned):
    _, client = learned
    found = scrape(client)
    for service in strict(client.get("/api/health/summary"))["services"]:
        own = (service["service_name"],)
        for name, value in service["metrics"].items():
            assert found[exposed_name(METRICS[name])].get(own) == value, name


def test_edges_of_bands_are_those_that_are_drawn(learned, names):
    runtime, client = learned
    found = scrape(client)
    history = runtime.store.history(names[0], NOW - timedelta(days=7), NOW).dropna(axis="columns", how="all")
    drawn = Bands().fit(history).evaluate(pd.DatetimeIndex([NOW]))
    for name in history.columns:
        for side in ("lower", "upper"):
            value = found[exposed_name(METRICS[name], side)][names[0],]
            assert value == pytest.approx(getattr(drawn, side)[name].iloc[0]), name


def test_anomalies_and_incidents_are_told_by_numbers_of_labels_that_stay(learned, names):
    _, client = learned
    found = scrape(client)
    assert found["observatory_service_anomalous"][names[0],] == 1
    assert found["observatory_service_anomalous"][names[1],] == 0
    assert found["observatory_service_incident_open"][names[0],] == 1
    assert found["observatory_service_incident_open"][names[1],] == 0
    assert found["observatory_service_incident_severity"] == {(names[0],): 4}
    assert found["observatory_service_sample_timestamp_seconds"][names[0],] == NOW.timestamp()


def test_what_is_not_known_is_absent_and_never_a_number(learned):
    _, client = learned
    found = scrape(client)
    waiting = [name for name, samples_ in found.items() if ("shop/waiting",) in samples_]
    # there is none of both, and that is known
    assert waiting == ["observatory_service_incident_open", "observatory_service_silenced"]
    assert not [name for name, samples_ in found.items() if any(map(math.isnan, samples_.values()))]
    assert "observatory_service_queue_lag" not in found
    assert "observatory_oldest_untold_timestamp_seconds" in found


def test_a_stale_service_has_no_values(runtime, client, names):
    later = NOW + timedelta(hours=1)
    runtime.clock = lambda: later
    runtime._overviews._clock = runtime.clock
    found = scrape(client)
    assert found["observatory_services_by_state"]["stale",] == len(names)
    assert found["observatory_service_sample_timestamp_seconds"][names[1],] == NOW.timestamp()
    gone = ["observatory_health_score", "observatory_service_request_rate_per_second", "observatory_source_up"]
    assert not [name for name in gone if found[name]]
    assert found["observatory_service_anomalous"] == {(names[0],): 1}


def test_a_learning_service_is_not_said_to_be_well():
    made = Runtime(Settings(store=":memory:", worker=False, minimum_samples=10_000), clock=lambda: NOW)
    made.store.register(made.sources[0].discover())
    made.store.write_samples(samples())
    found = scrape(create_app(made).test_client())
    count = len(made.store.services())
    assert found["observatory_services_by_state"]["learning",] == count
    assert found["observatory_service_anomalous"] == {}
    assert found["observatory_learning_since_timestamp_seconds"][()] == (NOW - timedelta(hours=HOURS)).timestamp()
    assert found["observatory_learning_expected_seconds"][()] == 600_000
    made.close()


def limited(most):
    made = Runtime(Settings(store=":memory:", worker=False, metrics_services=most), clock=lambda: NOW)
    made.store.register(made.sources[0].discover())
    made.store.write_samples(samples())
    ill = sorted(service.name for service in made.store.services())[-1]
    made.store.write_anomalies([anomaly(ill, 30, Severity.CRITICAL, is_open=True)])
    return made, ill


@pytest.mark.parametrize("most", [0, 3])
def test_the_worst_are_there_and_it_is_said_how_many_are_left_out(most, monkeypatch):
    made, ill = limited(most)
    overview = made.overview()
    worse = [
        replace(one, health=replace(one.health, band=Band.CRITICAL)) if one.name == ill else one
        for one in overview.services
    ]
    monkeypatch.setattr(made, "overview", lambda: replace(overview, services=tuple(worse)))
    found = scrape(create_app(made).test_client())
    count = len(made.store.services())
    assert found["observatory_services_left_out"][()] == count - most
    assert sum(found["observatory_services"].values()) == count
    assert len(found["observatory_health_score"]) == most
    assert ((ill,) in found["observatory_health_score"]) == bool(most)
    made.close()


def test_a_score_that_wavers_does_not_change_who_is_there(shared):
    services = shared.overview().services
    chosen, left_out = chosen_services(services, 3)
    wavering = [replace(one, health=replace(one.health, score=100 - place)) for place, one in enumerate(services)]
    again, _ = chosen_services(wavering, 3)
    assert [one.name for one in chosen] == [one.name for one in again]
    assert left_out == len(services) - 3


def test_services_that_are_gone_for_long_take_no_place(shared):
    gone = [replace(one, is_inactive=True) for one in shared.overview().services]
    assert chosen_services(gone, 1) == ([], 0)


def test_names_that_would_like_to_be_more_stay_labels():
    made = Runtime(Settings(store=":memory:", worker=False), clock=lambda: NOW)
    hostile = [text for text in TEXTS if text.strip()] + ['quote"d', "back\\slash", "new\nline", 'x"} 1\nfaked 2']
    frame = samples()
    one = frame[frame["service_name"] == frame["service_name"].iloc[0]].tail(1)
    made.store.register(Service(name, "demo") for name in hostile)
    made.store.write_samples(pd.concat([one.assign(service_name=name) for name in hostile]))
    found = scrape(create_app(made).test_client())
    assert {name for (name,) in found["observatory_service_request_rate_per_second"]} == set(hostile)
    assert "faked" not in found
    made.close()


def test_who_sees_some_services_gets_those_and_nothing_of_the_workbench(learned, names):
    runtime, _ = learned
    _, key = authenticator_of(runtime).keys.create("scraper", Role.VIEWER, [names[1]])
    try:
        client = create_app(runtime).test_client()
        found = scrape(client, Authorization=f"Bearer {key}")
        assert client.get("/metrics").status_code == 401
    finally:
        authenticator_of(runtime).keys.revoke("scraper")
    by_service = {labels for name, all_ in found.items() if name.startswith("observatory_service_") for labels in all_}
    assert by_service == {(names[1],)}
    assert sum(found["observatory_services"].values()) == 1
    assert found["observatory_service_latency_p95_upper_seconds"]
    for name in ("source_up", "store_size_bytes", "deliveries", "http_requests_total", "build_info", "cycles_skipped"):
        assert not [one for one in found if one.startswith(f"observatory_{name}")]


def test_whoever_may_see_all_is_told_how_the_workbench_is(reader, shared):
    found = scrape(reader)
    assert found["observatory_source_up"] == {("demo",): 1}
    assert found["observatory_cycles_skipped_total"] == {(): 0}
    assert found["observatory_interval_seconds"] == {(): 60}
    assert found["observatory_build_info"]
    assert "observatory_store_size_bytes" not in found  # it is in memory


def test_a_scrape_of_what_has_not_changed_reads_no_services(client, runtime, monkeypatch):
    scrape(client)

    def fail(*_):
        raise AssertionError("the store is read again")

    for name in ("services", "latest", "history_of_all", "anomalies", "cycles", "trends", "space"):
        monkeypatch.setattr(runtime.store, name, fail)
    scrape(client)


def test_names_are_as_prometheus_wants_them_and_apart():
    names = [exposed_name(metric, part) for metric in METRICS.values() for part in ("", "lower", "upper")]
    assert len(set(names)) == len(names)
    for metric in METRICS.values():
        name = exposed_name(metric)
        assert re.fullmatch(r"observatory_service_[a-z0-9_]+", name)
        assert bool(metric.unit) == bool(UNIT.search(name))
        assert not name.endswith(("_total", "_count", "_sum", "_bucket", "_info"))


def test_a_silence_is_shown_and_what_is_not_judged_is_not_said_to_be_well(client, names):
    asked = {"services": [names[1]], "reason": "new disks", "lasts": "2h", "effect": "do_not_judge"}
    assert client.post("/api/silences", json=asked).status_code == 201
    found = scrape(client)
    assert {name for (name,), value in found["observatory_service_silenced"].items() if value} == {names[1]}
    assert (names[1],) not in found["observatory_service_anomalous"]
    assert (names[1],) not in found["observatory_health_score"]
    assert found["observatory_services_by_state"]["silenced",] == 1
    assert (names[1],) in found["observatory_service_latency_p95_seconds"]
