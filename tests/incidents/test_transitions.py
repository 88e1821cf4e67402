"""What happens to incidents is told once, also when they get another id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from observatory.incidents.grouping import Incident, group
from observatory.incidents.transitions import transitions
from observatory.model import Anomaly, Severity

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLS = [("cart", "db"), ("search", "db")]


def anomaly(service: str, minutes: int = 0, severity: Severity = Severity.LOW, *, is_open: bool = True) -> Anomaly:
    start = NOON + timedelta(minutes=minutes)
    end = NOON + timedelta(minutes=60) if is_open else start
    return Anomaly(service, start, end, start, is_open, severity, 1.5, "seasonal", f"{service} is slow", ())


def incidents(*anomalies: Anomaly) -> list[Incident]:
    return group(anomalies, CALLS)


def told(before: list[Incident], now: list[Incident]) -> list[tuple[str, set[str], dict[str, Any]]]:
    return [(one.kind, set(one.services), one.data) for one in transitions(before, now)]


def test_an_incident_begins_grows_and_ends() -> None:
    none, small = incidents(), incidents(anomaly("db"))
    ((kind, services, data),) = told(none, small)
    assert (kind, services, data["is_new"], data["is_open"]) == ("incident", {"db"}, True, True)
    assert data["id"] == small[0].id
    assert told(small, small) == []
    large = incidents(anomaly("db"), anomaly("cart", 5))
    ((kind, services, data),) = told(small, large)
    assert (kind, services, data["is_new"], data["was"]) == ("incident", {"db", "cart"}, False, [])
    assert data["suspects"] == ["db"]
    ((kind, services, data),) = told(large, incidents(anomaly("db", is_open=False)))
    assert (kind, services, data["is_open"]) == ("incident-ended", {"db", "cart"}, False)


def test_a_worse_anomaly_is_told() -> None:
    before, now = incidents(anomaly("db")), incidents(anomaly("db", severity=Severity.CRITICAL))
    ((kind, _, data),) = told(before, now)
    assert (kind, data["severity"], data["is_new"]) == ("incident", "critical", False)


def test_an_earlier_anomaly_found_late_gives_another_id_and_no_other_incident() -> None:
    before, now = incidents(anomaly("db", 5)), incidents(anomaly("db", 5), anomaly("cart", 0))
    assert before[0].id != now[0].id
    ((kind, _, data),) = told(before, now)
    assert (kind, data["is_new"], data["was"]) == ("incident", False, [before[0].id])


def test_two_that_merge_are_told_as_one_that_goes_on() -> None:
    before = incidents(anomaly("cart"), anomaly("search", 1))
    assert len(before) == 2
    now = incidents(anomaly("cart"), anomaly("search", 1), anomaly("db", 2))
    ((kind, services, data),) = told(before, now)
    assert (kind, services, data["is_new"]) == ("incident", {"cart", "search", "db"}, False)
    assert len(data["was"]) == 1


def test_what_had_ended_before_is_no_news() -> None:
    assert told(incidents(), incidents(anomaly("db", is_open=False))) == []
