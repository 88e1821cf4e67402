"""Health: where services stand now."""

from __future__ import annotations

from observatory.assistants.anomalies import anomaly_row
from observatory.assistants.answers import Answer, Rows, amount
from observatory.assistants.arguments import ANY, Health
from observatory.assistants.lookup import chosen
from observatory.catalog import METRICS
from observatory.health.overview import Overview, ServiceStatus
from observatory.runtime.reader import Reader

MOST_ANOMALIES = 5
MOST_FAILURES = 3


def health(reader: Reader, asked: Health) -> Answer:
    """Every service now, the worst first; of one named all there is to its score."""
    names = chosen(reader.store, asked.service)
    overview = reader.overview()
    if names is not None and len(names) == 1 and asked.band == ANY:
        found = next((status for status in overview.services if status.name == names[0]), None)
        if found is not None:
            return _details(overview, found)
    inside = None if names is None else set(names)
    matching = [
        status
        for status in overview.services
        if (inside is None or status.name in inside) and asked.band in (ANY, status.health.band)
    ]
    rows = [_row(status) for status in matching[: asked.limit]]
    narrow = "name a service, a pattern or a band, or raise limit"
    return Answer(_totals(reader, overview), Rows("services", rows, len(matching), narrow))


def _totals(reader: Reader, overview: Overview) -> dict[str, object]:
    cycle = overview.last_cycle
    facts: dict[str, object] = {
        "at": overview.at,
        "newest_sample_at": overview.updated_at,
        "services_in_all": len(overview.services),
        "by_band": {str(band): count for band, count in overview.counts.items()},
        "open_anomalies": overview.open_anomalies,
        "anomalies_24h": overview.anomalies_24h,
        "last_collected_at": None if cycle is None else cycle.started_at,
    }
    if cycle is not None and cycle.failures:
        facts["collecting_failed"] = [f"{one.what}: {one.error}" for one in cycle.failures[:MOST_FAILURES]]
    if not overview.services:
        facts["note"] = f"the store {reader.store.url} has no services that may be seen"
    return facts


def _row(status: ServiceStatus) -> dict[str, object]:
    """A service in a line; a score is of 100."""
    silenced = {"silenced": [one.words for one in status.silences]} if status.silences else {}
    return {
        "service": status.name,
        "band": status.health.band,
        "score": status.health.score,
        "why": status.health.why,
        "newest_sample_at": status.at,
        "open_anomalies": len(status.open_anomalies),
        **silenced,
    }


def _details(overview: Overview, status: ServiceStatus) -> Answer:
    found, service = status.health, status.service
    facts = {"team": service.team, "tier": service.tier}
    open_now = [anomaly_row(anomaly) for anomaly in status.open_anomalies[:MOST_ANOMALIES]]
    details: dict[str, object] = {
        "at": overview.at,
        **_row(status),
        "anomalies_24h": status.anomalies_24h,
        "score_judged_percent": found.coverage,
        "held_down_by": list(found.caps),
        "parts": [_part(part.name, part.weight, part.value, part.detail) for part in found.parts],
        "metrics": {
            name: amount(name, status.latest[name])
            for name, metric in METRICS.items()
            if metric.common or status.latest[name] is not None
        },
        **{name: value for name, value in facts.items() if value is not None},
    }
    if status.learning is not None:
        details["learning"] = status.learning.message
    narrow = "ask the tool anomalies with open = true"
    return Answer(details, Rows("anomalies", open_now, len(status.open_anomalies), narrow))


def _part(name: str, weight: float, value: float | None, detail: str) -> dict[str, object]:
    """A line of the score's arithmetic; a value is from 0 (bad) to 1 (good)."""
    return {"name": name, "weight": weight, "value": value, "detail": detail}
