"""A real Alertmanager is told what goes on, and that it ended; also after its restart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from support.destinations import an_incident
from support.servers import Alertmanager as Server
from support.servers import FaultyServer, Reply, free_port

from observatory.config.notify import NotifySettings
from observatory.errors import DeliveryError
from observatory.integrations import make_destination
from observatory.integrations.alertmanager import Alertmanager, alerts_of
from observatory.model import Delivery, DeliveryState, Incident, IncidentState
from observatory.notifications.message import compose, trial_message

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def destination(*addresses: str, **options: Any) -> Alertmanager:
    made = make_destination("am", NotifySettings(kind="alertmanager", urls=addresses, **options))
    assert isinstance(made, Alertmanager)
    return made


def now_ill(key: str, *services: str) -> Incident:
    """An incident that began five minutes ago."""
    now = datetime.now(UTC)
    began = now - timedelta(minutes=5)
    symptoms = tuple(
        replace(an_incident(service=name).symptoms[0], started_at=began, ended_at=now) for name in services
    )
    return replace(an_incident(key), symptoms=symptoms, opened_at=began, changed_at=now)


def tell(told: Alertmanager, incident: Incident, kind: str = "opened") -> None:
    now = datetime.now(UTC)
    delivery = Delivery("am", incident.id, 1, kind, now, DeliveryState.WAITING, now, now)  # type: ignore[arg-type]
    told.send(compose(delivery, incident, [], now, "https://observatory.example"))


def alerts(server: Server, key: str) -> dict[str, dict[str, Any]]:
    found = requests.get(f"{server.url}/api/v2/alerts", params={"filter": f'incident="{key}"'}, timeout=30).json()
    return {alert["labels"]["service"]: alert for alert in found}


def test_each_service_of_an_incident_is_an_alert_until_it_is_resolved(server: Server) -> None:
    told = destination(server.url, labels={"team": "shop"})
    incident = now_ill("one", "shop/cart", 'shop/it\'s – ünïcode "x"')
    tell(told, incident)
    there = alerts(server, "one")
    assert set(there) == set(incident.services)
    alert = there["shop/cart"]
    assert alert["labels"] == {
        "alertname": "ObservatoryIncident",
        "incident": "one",
        "service": "shop/cart",
        "team": "shop",
    }
    assert alert["annotations"]["severity"] == "high"
    assert alert["annotations"]["description"] == "shop/cart: errors 12 %"
    assert alert["generatorURL"] == "https://observatory.example/?incident=one"
    tell(told, replace(incident, severity=incident.severity, state=IncidentState.ACKNOWLEDGED), "worse")
    assert set(alerts(server, "one")) == set(incident.services), "told again it is the same alert"
    tell(told, replace(incident, state=IncidentState.RESOLVED, resolved_at=datetime.now(UTC)), "resolved")
    assert alerts(server, "one") == {}


def test_a_restart_of_the_alertmanager_is_survived(server: Server) -> None:
    told = destination(server.url)
    incident = now_ill("two", "shop/cart")
    tell(told, incident)
    server.stop()
    with pytest.raises(DeliveryError, match="cannot be reached"):
        told.refresh([incident], datetime.now(UTC))
    server.restart()
    told.refresh([incident], datetime.now(UTC))
    assert set(alerts(server, "two")) == {"shop/cart"}


def test_one_bad_alert_costs_no_other(server: Server) -> None:
    told, now = destination(server.url), datetime.now(UTC)
    good, bad, other = (next(iter(alerts_of(now_ill(key, "shop/cart"), {}, now))) for key in ("good", "bad", "other"))
    bad["labels"]["a.dot"] = "is refused by this version"
    with pytest.raises(DeliveryError, match=r"shop/cart: http.* answered 400") as error:
        told._tell([good, bad, other])
    assert error.value.is_final
    assert set(alerts(server, "good")) == set(alerts(server, "other")) == {"shop/cart"}


def test_every_member_of_a_cluster_is_told_and_one_that_is_away_holds_up_nobody(server: Server) -> None:
    with Server() as other:
        told = destination(f"http://127.0.0.1:{free_port()}", server.url, f"{other.url}/")
        tell(told, now_ill("three", "shop/cart"))
        assert set(alerts(server, "three")) == set(alerts(other, "three")) == {"shop/cart"}


def test_a_server_that_is_away_for_all_is_a_failure_to_try_again() -> None:
    with pytest.raises(DeliveryError, match="cannot be reached") as error:
        tell(destination(f"http://127.0.0.1:{free_port()}"), now_ill("four", "shop/cart"))
    assert not error.value.is_final
    with FaultyServer(Reply(503)) as server, pytest.raises(DeliveryError, match="answered 503"):
        tell(destination(server.url), now_ill("four", "shop/cart"))


def test_what_is_not_told_again_ends_by_itself_and_a_test_soon(server: Server) -> None:
    told = destination(server.url)
    now = datetime.now(UTC)
    told.refresh([now_ill("five", "shop/cart")], now)
    ends = datetime.fromisoformat(alerts(server, "five")["shop/cart"]["endsAt"])
    assert timedelta(minutes=3) < ends - now < timedelta(minutes=5)
    message = trial_message("am", "shell:me", now, "")
    told.send(message)
    assert set(alerts(server, message.key)) == {"test"}
