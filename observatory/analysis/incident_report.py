"""What happened to one service over some time, as a person would tell it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

import numpy as np
import pandas as pd

from observatory.analysis.history import ServiceHistory
from observatory.catalog import METRICS
from observatory.frames import ReadableFrame
from observatory.model import OF_ALERT, OF_HEALTH, Anomaly, Change, Incident, IncidentEvent
from observatory.store.reader import StoreReader
from observatory.times import rfc3339, whole_minutes

TIME = "%Y-%m-%d %H:%M"
MOST_EVIDENCE = 2
LOOK_BACK = timedelta(days=90)
"""How far back similar anomalies are looked for."""

AROUND = timedelta(hours=1)
"""What was changed this long before the window may be its cause."""


@dataclass(frozen=True, slots=True, repr=False)
class IncidentReport:
    """One service from `start` to `end`: tables with values as people read them, and the incidents behind them.

    Shown in a notebook it is its summary.
    """

    service: str
    start: datetime
    end: datetime
    incidents: tuple[Incident, ...]
    summary: str
    timeline: pd.DataFrame
    changes: pd.DataFrame
    causes: pd.DataFrame
    similar: pd.DataFrame

    @property
    def window(self) -> tuple[str, str]:
        """Start and end, RFC 3339, as `Workbench` takes them."""
        return rfc3339(self.start), rfc3339(self.end)

    def __repr__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.summary)}</p>"


def incident_report(
    store: StoreReader, history: ServiceHistory, of: Sequence[Incident] | None = None
) -> IncidentReport:
    """The report on the service and the window of `history`; on the incidents given, or on all that reached it."""
    name, start, end = history.service.name, history.start, history.end
    incidents = tuple(store.incidents.read(start, end, [name]) if of is None else of)
    affected = sorted({name, *(service for incident in incidents for service in incident.services)})
    made = store.changes.read(start - AROUND, end, affected)
    return IncidentReport(
        service=name,
        start=start,
        end=end,
        incidents=incidents,
        summary=summarise(history, incidents),
        timeline=timeline(history, incidents, [e for one in incidents for e in store.incidents.events(one.id)], made),
        changes=changes(history),
        causes=causes(incidents),
        similar=similar(history.anomalies, store.anomalies(start=start - LOOK_BACK, end=start, services=[name])),
    )


def summarise(history: ServiceHistory, incidents: Sequence[Incident]) -> str:
    """What happened, in a few sentences."""
    name = history.service.name
    window = f"{history.start:{TIME}} to {history.end:{TIME}} UTC"
    if history.samples.empty:
        return f"There are no samples of {name} from {window}: nothing can be said about it."
    if not incidents:
        return f"Nothing unusual was found in {name} from {window}."
    incident = min(incidents, key=lambda incident: incident.peak.rank)
    minutes = whole_minutes(incident.started_at, incident.ended_at)
    others = [service for service in incident.services if service != name]
    lasted = "and goes on" if incident.is_active else f"and lasted {minutes} minutes"
    where = f"{name} and {len(others)} more services" if others else name
    reach = "" if others else " No other service was affected."
    return (
        f"An incident of severity {incident.peak} in {where} began at {incident.started_at:{TIME}} UTC {lasted}."
        f"{reach}{_blame(incident)}"
    )


def _blame(incident: Incident) -> str:
    """The likeliest cause in a sentence; empty where none is known."""
    if not incident.causes:
        return ""
    first = incident.causes[0]
    if not first.is_clear:
        return f" There is no clear cause; {first.service_name} is the likeliest."
    evidence = "; ".join(first.words.split("; ")[:MOST_EVIDENCE])
    return f" The likeliest cause is {first.service_name}: {evidence}."


def timeline(
    history: ServiceHistory,
    incidents: Sequence[Incident],
    said: Sequence[IncidentEvent] = (),
    made: Sequence[Change] = (),
) -> pd.DataFrame:
    """A row an event, the oldest first: ``time``, ``service``, ``event``; with what people `said` and did.

    `made` are changes of the services.
    """
    events: list[tuple[datetime, str, str]] = [
        (event.at, event.service_name or "", f"{event.kind} by {event.who}{': ' * bool(event.text)}{event.text}")
        for event in said
        if event.who
    ]
    events += [(change.at, change.service_name, _told(change)) for change in made]
    for incident in incidents:
        for symptom in incident.symptoms:
            is_alert = symptom.detector.startswith(OF_ALERT)
            kind = "health" if symptom.detector == OF_HEALTH else "anomaly"
            told = f"{symptom.severity} {symptom.sentence if is_alert else f'{kind}: {symptom.sentence}'}"
            events.append((symptom.started_at, symptom.service_name, told))
            if not symptom.is_open:
                last = "no longer critical" if kind == "health" else "last anomalous sample"
                last = f"over: {symptom.sentence.partition(': ')[0]}" if is_alert else last
                events.append((symptom.ended_at, symptom.service_name, last))
    events += [(at, history.service.name, text) for at, text in _jumps(history.samples)]
    rows = [(f"{at:{TIME}}", service, text) for at, service, text in sorted(events)]
    return ReadableFrame(rows, columns=["time", "service", "event"], nothing="nothing happened")


def _told(change: Change) -> str:
    return f"{change.title}: {change.summary}" if change.summary not in ("", change.title) else change.title


def _jumps(samples: pd.DataFrame) -> list[tuple[datetime, str]]:
    """Restarts, and changes in the number of pods."""
    found = []
    for name, text in (("restart_count", "{new:.0f} restarts"), ("pod_count", "{old:.0f} → {new:.0f} running pods")):
        known = samples[name].dropna() if name in samples else pd.Series(dtype=float)
        before = known.shift()
        changed = known.ne(before) & before.notna() & (known.gt(before) | (name == "pod_count"))
        times = known.index[changed.to_numpy()]
        found += [(at.to_pydatetime(), text.format(old=before[at], new=known[at])) for at in times]
    return found


def changes(history: ServiceHistory) -> pd.DataFrame:
    """What each metric did in its worst moment against what is typical then; the farthest out of its band first.

    Columns ``metric``, ``typical``, ``worst``, ``change`` (× or points), ``at`` and ``minutes`` outside of the band.
    """
    columns = ["metric", "typical", "worst", "change", "at", "minutes outside"]
    expected, samples = history.expected, history.samples
    nothing = "not enough samples to say what is typical"
    if expected is None:
        return ReadableFrame([], columns=columns, nothing=nothing)
    rows = []
    for name in [name for name in METRICS if name in samples and name in expected.typical]:
        metric = METRICS[name]
        extreme = f"{name}__{'min' if metric.worse == 'down' else 'max'}"  # there where samples are summarised
        actual = samples[extreme if extreme in samples else name]
        typical, lower, upper = (frame[name] for frame in (expected.typical, expected.lower, expected.upper))
        sides = {"down": (actual - typical) / (upper - typical), "up": (typical - actual) / (typical - lower)}
        sides.pop(metric.worse, None)  # what gets better is no change worth a word
        beyond = pd.DataFrame(sides).max(axis=1)
        if beyond.notna().sum() == 0:
            continue
        at = pd.Timestamp(beyond.index[int(np.nanargmax(beyond))])
        outside = int((beyond > 1).sum() * history.step / 60)
        factor = actual[at] / typical[at] if typical[at] > 0 else np.nan
        change = f"{factor:.3g} ×" if np.isfinite(factor) else f"+{metric.show(actual[at] - typical[at])}"
        row = (metric.label, metric.show(typical[at]), metric.show(actual[at]), change, f"{at:%H:%M}", outside)
        rows.append((beyond[at], row))
    rows.sort(key=lambda item: -item[0])
    return ReadableFrame([row for _, row in rows], columns=columns, nothing=nothing)


def causes(incidents: Sequence[Incident]) -> pd.DataFrame:
    """The likeliest causes of each incident, the likeliest first: ``service``, ``score``, ``since``, ``why``."""
    table = []
    for incident in incidents:
        for cause in incident.causes:
            since = "" if cause.onset is None else f"{cause.onset:{TIME}}"
            table.append((cause.service_name, round(cause.score, 1), since, cause.words))
    nothing = "no cause is known" if incidents else "nothing was unusual"
    return ReadableFrame(table, columns=["service", "score", "since", "why"], nothing=nothing)


def similar(present: Sequence[Anomaly], past: Sequence[Anomaly], most: int = 5) -> pd.DataFrame:
    """Anomalies of before that resemble the worst one of now, the most similar first.

    Likeness is the weighted Jaccard index of what each metric contributed: 1 for the same metrics in the same shares.
    """
    columns = ["started", "minutes", "severity", "likeness", "message"]
    worst = max(present, key=lambda anomaly: anomaly.score, default=None)
    if worst is None:
        return ReadableFrame([], columns=columns, nothing="nothing was unusual")
    rows = []
    for anomaly in past:
        if anomaly.started_at == worst.started_at:
            continue
        minutes = whole_minutes(anomaly.started_at, anomaly.ended_at)
        row = (f"{anomaly.started_at:{TIME}}", minutes, str(anomaly.severity))
        rows.append((*row, round(likeness(worst, anomaly), 2), anomaly.sentence))
    rows.sort(key=lambda row: (-row[3], row[0]))
    alike = [row for row in rows if row[3] > 0][:most]
    return ReadableFrame(alike, columns=columns, nothing=f"nothing like it in the {LOOK_BACK.days} days before")


def likeness(one: Anomaly, other: Anomaly) -> float:
    """Weighted Jaccard index of the shares of evidence, by metric and direction: from 0 to 1."""
    first = {(item.metric, item.direction): item.share for item in one.evidence}
    second = {(item.metric, item.direction): item.share for item in other.evidence}
    keys = first.keys() | second.keys()
    common = sum(min(first.get(key, 0.0), second.get(key, 0.0)) for key in keys)
    either = sum(max(first.get(key, 0.0), second.get(key, 0.0)) for key in keys)
    return common / either if either else 0.0
