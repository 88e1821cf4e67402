"""Who listens hears of new anomalies and changed health, of its own services, until it may no longer."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from dataclasses import replace
from queue import Queue

import pytest
from api.conftest import anomaly
from api.test_plugin import Server
from support.servers import wait_until

from observatory.access import Role, authenticator_of
from observatory.api import plugin
from observatory.api.routes import events
from observatory.health.transitions import changes
from observatory.model import Band, Severity
from observatory.runtime.feed import Feed


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
    monkeypatch.setattr("observatory.runtime.CACHE_SECONDS", 0.0)
    monkeypatch.setattr(events, "HEARTBEAT", 0.2)
    routes = plugin.routes(runtime)
    feed = next(given["streams"].feed for _, _, given in routes if "streams" in given)
    feed._poll = 0.05
    server = Server(routes)
    clients = []

    def listen(**headers):
        clients.append(Client(server, headers))
        if clients[-1].response.status == 200:
            wait_until(lambda: feed._seen is not None, 30, "the first look")
        return clients[-1]

    yield listen
    for client in clients:
        client.close()
    server.stop()
    wait_until(lambda: feed.listeners == 0, 30, "the listeners to leave")


def test_a_new_anomaly_and_what_it_does_to_health_are_told(listening, runtime, names):
    client = listening()
    assert client.response.headers["Content-Type"] == "text/event-stream"
    runtime.store.write_anomalies([anomaly(names[3], 1, Severity.CRITICAL, is_open=True)])
    kind, data, _ = client.events.get(timeout=30)
    assert (kind, data["service_name"], data["severity"], data["is_new"]) == ("anomaly", names[3], "critical", True)
    runtime.store.write_anomalies([replace(anomaly(names[3], 1, Severity.CRITICAL), is_open=False)])
    kinds = [client.events.get(timeout=30)[0]]
    while kinds[-1] != "anomaly-ended":
        kinds.append(client.events.get(timeout=30)[0])
    assert set(kinds) <= {"health", "anomaly-ended"}


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
        assert event[1]["service_name"] == names[3]


def test_there_is_room_for_so_many(listening, monkeypatch):
    monkeypatch.setattr(events, "MOST_OF_ONE", 1)
    assert listening().response.status == 200
    refused = listening()
    assert (refused.response.status, refused.response.headers["Retry-After"]) == (429, "10")
    monkeypatch.setattr(events, "MOST", 1)
    assert listening().response.status == 429


def test_nothing_happens_twice(shared):
    overview = shared.overview()
    assert list(changes(overview, overview)) == []
    worse = replace(overview.services[0], health=replace(overview.services[0].health, band=Band.POOR, score=41))
    (change,) = changes(overview, replace(overview, services=(worse, *overview.services[1:])))
    assert change[:2] == ("health", worse.name)
    assert change[2]["band"] == "poor"


def test_a_client_that_was_away_too_long_is_told_to_read_again(shared):
    feed = Feed(shared)
    assert list(feed.since("x", lambda _: True)) == ["event: resync\ndata: {}\n\n"]
