"""Who listens hears of new anomalies and changed health, of its own services, until it may no longer."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from dataclasses import replace
from datetime import timedelta
from queue import Queue

import pytest
from api.conftest import NOW, anomaly
from api.test_plugin import Server
from support.servers import wait_until

from observatory.access import Role, authenticator_of
from observatory.api.routes import events
from observatory.health.transitions import transitions
from observatory.model import Band, Severity
from observatory.runtime.incidents import IncidentTracker

pytestmark = pytest.mark.slow


class Client:
    """A client of the stream; `events` gets (kind, data), and None when it ends."""

    def __init__(self, server, headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.connection.request("GET", "/api/events", headers=headers)
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.events = Queue()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        fields = {}
        try:
            while line := self.response.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif "event" in fields:
                    self.events.put((fields["event"], json.loads(fields["data"]), fields.get("id")))
                    fields = {}
        except (OSError, ValueError, AttributeError):  # closed under the reader
            pass
        self.events.put(None)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(2)
        self.connection.close()
        self.thread.join(30)


@pytest.fixture
def listening(runtime, monkeypatch):
    """A function that makes a client, once a look at the store has set the start."""
    monkeypatch.setattr(events, "HEARTBEAT", 0.2)
    monkeypatch.setattr(runtime.feed, "poll", 0.05)
    feed, server = runtime.feed, Server(runtime)
    clients = []

    def listen(**headers):
        clients.append(Client(server, headers))
        if clients[-1].response.status == 200:
            wait_until(lambda: feed.has_looked, 30, "the first look")
        return clients[-1]

    yield listen
    for client in clients:
        client.close()
    server.stop()
    wait_until(lambda: feed.subscribers == 0, 30, "the listeners to leave")


def test_a_new_anomaly_and_what_it_does_to_health_are_told(listening, runtime, names):
    client = listening()
    assert client.response.headers["Content-Type"] == "text/event-stream"
    runtime.store.write_anomalies([anomaly(names[3], 1, Severity.CRITICAL, is_open=True)])
    tracker = IncidentTracker(runtime.store)
    tracker.follow(NOW, {})
    kind, data, _ = client.events.get(timeout=30)
    assert (kind, data["service_name"], data["severity"], data["is_new"]) == ("anomaly", names[3], "critical", True)
    while kind != "incident":
        kind, data, _ = client.events.get(timeout=30)
    assert (data["services"], data["severity"], data["is_new"]) == ([names[3]], "critical", True)
    runtime.store.write_anomalies([replace(anomaly(names[3], 1, Severity.CRITICAL, is_open=True), is_open=False)])
    tracker.follow(NOW + timedelta(minutes=30), {})
    kinds = [client.events.get(timeout=30)[0]]
    while kinds[-1] != "incident-ended":
        kinds.append(client.events.get(timeout=30)[0])
    assert {"anomaly-ended", "incident-ended"} <= set(kinds) <= {"health", "anomaly-ended", "incident-ended"}


def test_a_client_that_comes_back_gets_what_it_missed(listening, runtime, names):
    staying = listening()
    runtime.store.write_anomalies([anomaly(names[3], 1, Severity.LOW, is_open=True)])
    seen = staying.events.get(timeout=30)
    runtime.store.write_anomalies([anomaly(names[4], 1, Severity.LOW, is_open=True)])
    later = staying.events.get(timeout=30)
    assert listening(**{"Last-Event-ID": seen[2]}).events.get(timeout=30) == later
    assert listening(**{"Last-Event-ID": "of-another-process"}).events.get(timeout=30)[0] == "resync"


def test_a_team_hears_of_its_services_until_its_key_is_revoked(listening, runtime, names):
    keys = authenticator_of(runtime).keys
    _, text = keys.create("team", Role.VIEWER, [names[3]])
    assert listening().response.status == 401
    client = listening(Authorization=f"Bearer {text}")
    runtime.store.write_anomalies(
        [anomaly(names[2], 1, Severity.LOW, is_open=True), anomaly(names[3], 1, Severity.LOW, is_open=True)]
    )
    assert client.events.get(timeout=30)[1]["service_name"] == names[3]
    keys.revoke("team")
    while (event := client.events.get(timeout=30)) is not None:
        assert (event[1].get("services") or [event[1]["service_name"]]) == [names[3]]


def test_there_is_room_for_so_many(listening, monkeypatch):
    monkeypatch.setattr(events, "MOST_OF_ONE", 1)
    assert listening().response.status == 200
    refused = listening()
    assert (refused.response.status, refused.response.headers["Retry-After"]) == (429, "10")
    monkeypatch.setattr(events, "MOST", 1)
    assert listening().response.status == 429


def test_an_incident_is_told_to_who_may_see_all_of_it(listening, runtime, names):
    keys = authenticator_of(runtime).keys
    texts = {who: keys.create(who, Role.VIEWER, patterns)[1] for who, patterns in (("one", [names[2]]), ("all", ["*"]))}
    runtime.store.write_calls([(names[2], names[3])])
    one, every = (listening(Authorization=f"Bearer {texts[who]}") for who in ("one", "all"))
    runtime.store.write_anomalies([anomaly(name, 1, Severity.LOW, is_open=True) for name in names[2:4]])
    IncidentTracker(runtime.store).follow(NOW, {})
    found = []
    while not found or found[-1][0] != "incident":
        found.append(every.events.get(timeout=30))
    assert set(found[-1][1]["services"]) == {names[2], names[3]}
    runtime.store.write_anomalies([replace(anomaly(names[2], 1, Severity.LOW), is_open=False)])
    heard = []
    while not heard or heard[-1][0] != "anomaly-ended":
        heard.append(one.events.get(timeout=30))
    assert {kind for kind, _, _ in heard} <= {"anomaly", "health", "anomaly-ended"}
    assert names[3] not in str(heard)


def test_nothing_happens_twice(shared):
    overview = shared.overview()
    assert list(transitions(overview, overview)) == []
    worse = replace(overview.services[0], health=replace(overview.services[0].health, band=Band.POOR, score=41))
    (change,) = transitions(overview, replace(overview, services=(worse, *overview.services[1:])))
    assert (change.kind, change.services) == ("health", (worse.name,))
    assert change.data["band"] == "poor"
