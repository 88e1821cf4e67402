"""Anomalies that belong together become one incident, and none is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from observatory.incidents.grouping import SLACK, group
from observatory.model import Anomaly, Severity

START = datetime(2026, 1, 1, tzinfo=UTC)
CALLS = [("web", "checkout"), ("checkout", "payments"), ("web", "search")]


def anomaly(
    service: str, first: float, last: float, severity: Severity = Severity.HIGH, is_open: bool = False
) -> Anomaly:
    at, end = START + timedelta(minutes=first), START + timedelta(minutes=last)
    return Anomaly(service, at, end, at, is_open, severity, 2.0, "seasonal", "", ())


def test_a_cascade_is_one_incident_with_its_origin_suspected() -> None:
    cascade = [
        anomaly("payments", 0, 20, Severity.CRITICAL),
        anomaly("checkout", 1, 21),
        anomaly("web", 2, 22, is_open=True),
    ]
    (incident,) = group(reversed(cascade), CALLS)
    assert incident.anomalies == tuple(cascade)
    assert incident.suspects == ("payments",)
    assert incident.services == ("payments", "checkout", "web")
    assert (incident.severity, incident.is_open) == (Severity.CRITICAL, True)
    assert (incident.started_at, incident.ended_at) == (cascade[0].started_at, cascade[2].ended_at)


def test_services_that_do_not_call_each_other_are_separate_incidents() -> None:
    assert len(group([anomaly("payments", 0, 20), anomaly("search", 0, 20)], CALLS)) == 2


def test_a_gap_splits_an_incident() -> None:
    gap = SLACK.total_seconds() / 60
    assert len(group([anomaly("web", 0, 5), anomaly("web", 5 + gap, 30)], CALLS)) == 1
    assert len(group([anomaly("web", 0, 5), anomaly("web", 6 + gap, 30)], CALLS)) == 2


def test_a_late_anomaly_joins_two_groups() -> None:
    apart = [anomaly("payments", 0, 60), anomaly("web", 2, 60)]
    assert len(group(apart, CALLS)) == 2
    assert len(group([*apart, anomaly("checkout", 5, 60)], CALLS)) == 1


def test_the_id_stays_while_the_incident_grows() -> None:
    first = anomaly("payments", 0, 20)
    (before,) = group([first], CALLS)
    (after,) = group([first, anomaly("checkout", 3, 40)], CALLS)
    assert before.id == after.id


def test_services_that_call_each_other_in_a_circle_suspect_the_first() -> None:
    (incident,) = group([anomaly("a", 0, 5), anomaly("b", 1, 5)], [("a", "b"), ("b", "a")])
    assert incident.suspects == ("a",)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["web", "checkout", "payments", "search", "db"]), st.integers(0, 300), st.integers(0, 60)
        ),
        max_size=20,
        unique_by=lambda item: item[:2],
    )
)
def test_an_incident_covers_its_anomalies_and_none_is_lost(items: list[tuple[str, int, int]]) -> None:
    anomalies = [anomaly(service, first, first + length) for service, first, length in items]
    incidents = group(anomalies, CALLS)
    members = [member for incident in incidents for member in incident.anomalies]
    assert sorted(map(repr, members)) == sorted(map(repr, anomalies))
    for incident in incidents:
        assert all(incident.started_at <= m.started_at and m.ended_at <= incident.ended_at for m in incident.anomalies)
        assert set(incident.suspects) <= set(incident.services)
