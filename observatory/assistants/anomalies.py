"""Anomalies: what is unusual, by how much."""

from __future__ import annotations

from observatory.assistants.answers import Answer, amount, page
from observatory.assistants.arguments import ANY, Anomalies, time_range
from observatory.assistants.lookup import chosen
from observatory.model import Anomaly
from observatory.runtime.reader import Reader

MOST_EVIDENCE = 3
NARROW = "name a service or a severity, ask for less time (start, end), or raise limit"


def anomalies(reader: Reader, asked: Anomalies) -> Answer:
    """Anomalies that overlap a range of time, the newest first."""
    start, end = time_range(reader, asked.start, asked.end)
    severities = None if asked.severity == ANY else [asked.severity]
    names = chosen(reader.store, asked.service)
    found = reader.store.anomalies(start, end, names, severities, asked.open, asked.limit + 1)
    rows = [anomaly_row(anomaly) for anomaly in found]
    return Answer({"start": start, "end": end}, page("anomalies", rows, asked.limit, NARROW))


def anomaly_row(anomaly: Anomaly) -> dict[str, object]:
    """An anomaly with its worst metrics; of the score 1.0 is the alarm line."""
    return {
        "service": anomaly.service_name,
        "severity": anomaly.severity,
        "started_at": anomaly.started_at,
        "last_seen_at": anomaly.ended_at,
        "is_open": anomaly.is_open,
        "score": anomaly.score,
        "what": anomaly.sentence,
        "evidence": [
            {
                "metric": one.metric,
                "value": amount(one.metric, one.actual),
                "typical": amount(one.metric, one.typical),
                "band": f"{amount(one.metric, one.lower)} to {amount(one.metric, one.upper)}",
            }
            for one in anomaly.evidence[:MOST_EVIDENCE]
        ],
    }
