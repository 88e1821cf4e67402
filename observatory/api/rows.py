"""Answers as rows: an array of flat objects, which tables such as Grafana's read without being told how.

Times are milliseconds since 1970. What lasts has `time` and `timeEnd`, and `title`, `text` and `tags` in words: so it
can be an annotation as it is. `timeEnd` of what goes on is when it was last seen, for a table without a time in one of
its rows may show none at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import orjson
import pandas as pd
from flask import Response

from observatory.analysis.history import ServiceHistory
from observatory.api.conditional import next_link
from observatory.api.formats import BOUNDS
from observatory.api.schemas.health import ServiceHealth
from observatory.api.schemas.requests import FORMAT, Format
from observatory.api.schemas.responses import Service
from observatory.health.overview import ServiceStatus
from observatory.model import Anomaly, Change, Incident, IncidentEvent, LikelyCause, Symptom

ROWS = "application/vnd.observatory.rows+json"
"""Another type than that of documents, so that each has its own schema."""
ROW_SCHEMA = {"type": "array", "items": {"type": "object", "additionalProperties": True}}

Row = Mapping[str, Any]


def render(rows: Iterable[Row]) -> bytes:
    """Rows as JSON; NaN and infinity are null."""
    return orjson.dumps(list(rows))


def answer(rows: Iterable[Row], following: str | None = None) -> Response:
    """An answer of rows; `following` is the path of the next page."""
    response = Response(render(rows), mimetype=ROWS)
    if following is not None:
        response.headers["Link"] = next_link(following)
    return response


def kept(format: Format) -> str | None:  # noqa: A002 - as it is called in queries
    """What the address of the next page has to say of the format; None where that is the usual one."""
    return None if format == FORMAT else format


def epoch(time: datetime) -> int:
    """Milliseconds since 1970."""
    return round(time.timestamp() * 1000)


def of_health(status: ServiceStatus) -> Row:
    """Where a service stands now; `time` is that of its values."""
    shown = ServiceHealth.of(status)
    return {
        "time": None if status.at is None else epoch(status.at),
        "service": status.name,
        "score": shown.score,
        "band": str(shown.band),
        "why": status.health.why,
        "state": status.state,
        "coverage": shown.coverage,
        "anomalies": shown.open_anomalies,
        "anomalies_24h": shown.anomalies_24h,
        "incident": None if status.incident is None else str(status.incident),
        "silenced": bool(status.silences),
        "team": status.service.team,
        "tier": status.service.tier,
        **shown.metrics,
    }


def of_service(service: Service) -> Row:
    """A service and what it is held against."""
    facts = service.model_dump(exclude={"service_name", "last_sample_at", "learning"})
    last = service.last_sample_at
    return {"service": service.service_name, **facts, "time": None if last is None else epoch(last)}


def of_anomaly(found: Anomaly) -> Row:
    """An anomaly, which can be an annotation."""
    return {
        "time": epoch(found.started_at),
        "timeEnd": epoch(found.ended_at),
        "title": f"{found.service_name}: {found.severity} anomaly",
        "text": found.sentence,
        "tags": _tags("anomaly", found.severity, found.service_name),
        "service": found.service_name,
        "severity": str(found.severity),
        "score": _number(found.score),
        "open": found.is_open,
        "metrics": ", ".join(found.metrics),
        "detector": found.detector,
        "peak": epoch(found.peak_at),
    }


def of_incident(found: Incident) -> Row:
    """An incident, which can be an annotation."""
    return {
        "time": epoch(found.started_at),
        "timeEnd": epoch(found.ended_at),
        "title": f"incident: {found.severity}, {found.state}",
        "text": found.title,
        "tags": _tags("incident", found.severity, found.state),
        "id": found.id,
        "state": str(found.state),
        "severity": str(found.severity),
        "peak": str(found.peak),
        "open": found.is_active,
        "services": ", ".join(found.services),
        "service_count": len(found.services),
        "cause": found.causes[0].service_name if found.causes else None,
        "assignee": found.assignee,
        "minutes": round((found.ended_at - found.started_at).total_seconds() / 60, 1),
    }


def of_symptom(found: Symptom) -> Row:
    """A time during which a service was ill, which can be an annotation."""
    return {
        "time": epoch(found.started_at),
        "timeEnd": epoch(found.ended_at),
        "title": f"{found.service_name}: {found.severity}",
        "text": found.sentence,
        "tags": _tags("symptom", found.severity, found.service_name),
        "service": found.service_name,
        "severity": str(found.severity),
        "open": found.is_open,
        "detector": found.detector,
    }


def of_cause(found: LikelyCause, rank: int) -> Row:
    """A likely cause; 1 is the likeliest."""
    return {
        "rank": rank,
        "service": found.service_name,
        "score": _number(found.score),
        "clear": found.is_clear,
        "metric": found.metric,
        "onset": None if found.onset is None else epoch(found.onset),
        "text": found.words,
    }


def of_event(found: IncidentEvent) -> Row:
    """A line of a timeline, which can be an annotation."""
    return {
        "time": epoch(found.at),
        "timeEnd": epoch(found.at),
        "title": found.kind,
        "text": found.text or found.kind,
        "tags": _tags("timeline", found.kind),
        "kind": found.kind,
        "who": found.who,
        "service": found.service_name,
    }


def of_change(found: Change) -> Row:
    """A change, which can be an annotation."""
    return {
        "time": epoch(found.at),
        "timeEnd": epoch(found.at),
        "title": f"{found.service_name}: {found.title}",
        "text": found.summary or found.title,
        "tags": _tags("change", found.kind, found.service_name),
        "id": found.id,
        "service": found.service_name,
        "kind": str(found.kind),
        "version": found.version,
        "source": found.source,
        "url": found.url,
    }


def of_history(found: ServiceHistory, metrics: Sequence[str], *, expected: bool) -> list[Row]:
    """Samples: a row a time, a column a metric; what was expected of ``m`` is in ``m__typical``, ``m__lower`` …"""
    index = pd.DatetimeIndex(found.samples.index)
    times = (index.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[ms]").view("int64")).tolist()
    columns = {name: _plain(found.samples[name]) for name in metrics}
    if expected and found.expected is not None:
        for name in metrics:
            for bound in BOUNDS:
                columns[f"{name}__{bound}"] = _plain(getattr(found.expected, bound)[name])
    names = ("time", *columns)
    return [dict(zip(names, values, strict=True)) for values in zip(times, *columns.values(), strict=True)]


def _plain(column: pd.Series) -> list[float | None]:
    values = column.to_numpy(dtype=float)
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return list(plain)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _tags(*tags: str) -> str:
    """Grafana takes them apart at commas."""
    return ",".join(str(tag).replace(",", " ") for tag in tags)
